import { type RandomStream, randomStream } from "@gradlab/random";
import { type Dataset, expectDataset, expectIndices, pixelsOf } from "./dataset.js";
import { typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";
import { expectImage, type Image } from "./image.js";

/**
 * Makes another image of an image, at random. It leaves its argument as it is, gives a new image or the same one, and
 * draws from nothing but the stream.
 */
export type Augmentation = (image: Image, stream: RandomStream) => Image;

/** What `takeBatch` does to the samples. */
export interface TakeBatchOptions {
  /** Applied to every image; none unless given. */
  readonly augment?: Augmentation;
  /** Seed of the augmentation; 0 unless given. */
  readonly seed?: number;
  /** The epoch, in [0, 2^21): another augmentation of a sample in every epoch; 0 unless given. */
  readonly epoch?: number;
}

/** Some samples of a data set, as numbers. */
export interface Batch {
  /** `[n, height, width, channels]`, row-major, in [0, 1] unless the augmentation says otherwise. */
  readonly images: Float32Array;
  /** `[n]`, in [0, classes). */
  readonly labels: Int32Array;
  /** `[n, height, width, channels]`. */
  readonly shape: readonly [n: number, height: number, width: number, channels: number];
}

/** The sample index takes the lower 32 bits of the index of a stream, the epoch the upper 21. */
const SAMPLES = 2 ** 32;

/** k / 255 in single precision. */
const unit = Float32Array.from({ length: 256 }, (_, k) => k / 255);

/**
 * Samples of a data set as single-precision numbers: `byte / 255`, correctly rounded, then the augmentation.
 *
 * What the augmentation draws belongs to `(seed, epoch, sample index)`: a sample looks the same in a batch of any size,
 * at any place.
 *
 * @param indices Which samples, in [0, count); a sample may be taken twice.
 * @returns New arrays, `4 · n · height · width · channels` bytes for the images.
 * @throws {TypeError | RangeError} when an index is out of range, an option is not as stated, or the augmentation gives
 *   images of different shapes.
 */
export function takeBatch(
  dataset: Dataset,
  indices: ArrayLike<number>,
  options: TakeBatchOptions = {},
): Batch {
  expectDataset("takeBatch: dataset", dataset);
  const { augment, seed = 0, epoch = 0 } = options;
  expectInteger("takeBatch: seed", seed, 0);
  expectAugmentation("takeBatch", augment);
  expectIndices("takeBatch: indices", indices, dataset.count);
  return takeSamples("takeBatch", dataset, indices, { augment, seed, epoch });
}

export function expectAugmentation(caller: string, augment: unknown): void {
  if (augment !== undefined && typeof augment !== "function") {
    throw typeMismatch(`${caller}: augment`, "a function", augment);
  }
}

/** What `takeBatch` does with a data set and indices that are checked; `caller` begins the messages. */
export function takeSamples(
  caller: string,
  dataset: Dataset,
  indices: ArrayLike<number>,
  { augment, seed, epoch }: { augment?: Augmentation | undefined; seed: number; epoch: number },
): Batch {
  expectInteger(`${caller}: epoch`, epoch, 0, 2 ** 21 - 1);
  const { shape } = dataset;
  const n = indices.length;
  const labels = Int32Array.from({ length: n }, (_, i) => dataset.labels[indices[i]!]!);
  const pixels = pixelsOf(shape);
  if (augment === undefined) {
    const images = new Float32Array(n * pixels);
    for (let i = 0; i < n; i++) scale(dataset, indices[i]!, images, i * pixels);
    return { images, labels, shape: [n, ...shape] };
  }
  let images = new Float32Array(0);
  let made = shape;
  for (let i = 0; i < n; i++) {
    const sample = indices[i]!;
    const image = { data: scale(dataset, sample, new Float32Array(pixels), 0), shape };
    const index = epoch * SAMPLES + sample;
    const result = augment(image, randomStream({ seed, purpose: "datasets/augmentation", index }));
    expectImage(`${caller}: augment(…)`, result);
    if (i === 0) {
      made = result.shape;
      images = new Float32Array(n * pixelsOf(made));
    } else if (result.shape.some((length, axis) => length !== made[axis])) {
      throw new RangeError(
        `${caller}: augment(…): expected images of one shape, got [${result.shape}] after [${made}]`,
      );
    }
    images.set(result.data, i * result.data.length);
  }
  return { images, labels, shape: [n, ...made] };
}

/** Writes one image as numbers in [0, 1]. */
function scale({ images, shape }: Dataset, sample: number, target: Float32Array, at: number): Float32Array {
  const pixels = pixelsOf(shape);
  const from = sample * pixels;
  for (let i = 0; i < pixels; i++) target[at + i] = unit[images[from + i]!]!;
  return target;
}
