import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

/**
 * Images with a class each. The images stay bytes (a quarter of what single precision takes: 47 MB for the 60,000
 * images of MNIST); `takeBatch` turns those it is asked for into numbers in [0, 1].
 */
export interface Dataset {
  /** `[count, height, width, channels]`, row-major, 0 … 255. */
  readonly images: Uint8Array;
  /** `[count]`, the class of every image, in [0, classes). */
  readonly labels: Int32Array;
  /** `[height, width, channels]` of one image. */
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  readonly count: number;
}

/** Throws unless `dataset` is one whose parts have the lengths they must have. */
export function expectDataset(where: string, dataset: Dataset): void {
  if (typeof dataset !== "object" || dataset === null) {
    throw typeMismatch(where, "{images, labels, shape, classes, count}", dataset);
  }
  const { images, labels, shape, classes, count } = dataset;
  expectInteger(`${where}.count`, count, 0);
  expectInteger(`${where}.classes`, classes, 1);
  if (!Array.isArray(shape) || shape.length !== 3) {
    throw typeMismatch(`${where}.shape`, "[height, width, channels]", shape);
  }
  for (const [axis, length] of shape.entries()) expectInteger(`${where}.shape[${axis}]`, length, 1);
  if (!(images instanceof Uint8Array)) throw typeMismatch(`${where}.images`, "a Uint8Array", images);
  if (!(labels instanceof Int32Array)) throw typeMismatch(`${where}.labels`, "an Int32Array", labels);
  const bytes = count * pixelsOf(shape);
  if (images.length !== bytes) throw rangeMismatch(`${where}.images`, `${bytes} bytes`, images);
  if (labels.length !== count) throw rangeMismatch(`${where}.labels`, `${count} labels`, labels);
}

/** Throws unless every index is that of one of `count` samples. */
export function expectIndices(where: string, indices: ArrayLike<number>, count: number): void {
  if (typeof indices !== "object" || indices === null || !Number.isSafeInteger(indices.length)) {
    throw typeMismatch(where, "an array of sample indices", indices);
  }
  for (let i = 0; i < indices.length; i++) {
    if (!Number.isInteger(indices[i]) || indices[i]! < 0 || indices[i]! >= count) {
      throw rangeMismatch(`${where}[${i}]`, `a sample index in [0, ${count})`, indices[i]);
    }
  }
}

/** How many bytes an image of this shape has. */
export function pixelsOf([height, width, channels]: readonly [number, number, number]): number {
  return height * width * channels;
}
