import type { Dataset } from "./dataset.js";
import { rangeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";
import { defaultMaxBytes, parseIdx, type ReadIdxOptions } from "./read-idx.js";

/** What `readIdxImages` takes beside the two files. */
export interface ReadIdxImagesOptions extends ReadIdxOptions {
  /** How many classes there are; one more than the largest label unless given. */
  readonly classes?: number;
  /** What begins the messages about each of the two, such as the names of their files; `"readIdxImages: images"` unless given. */
  readonly where?: { readonly images: string; readonly labels: string };
}

/**
 * Reads a pair of IDX files, images and their labels, as MNIST, Fashion-MNIST, KMNIST and EMNIST have them. (EMNIST's
 * images lie on their side in its files, columns for rows, and its letters are labelled from 1 on: they stay so.)
 *
 * @param images Bytes of rank 3, `[count, height, width]`, or 4, with channels last; compressed or not.
 * @param labels Bytes of rank 1, `[count]`; compressed or not.
 * @throws {RangeError} as `readIdx` does, and when the rank, the type or the number of samples is another, or a label
 *   is not below `classes`; the message names the byte.
 */
export async function readIdxImages(
  images: Uint8Array | ArrayBufferLike,
  labels: Uint8Array | ArrayBufferLike,
  options: ReadIdxImagesOptions = {},
): Promise<Dataset> {
  const caller = "readIdxImages";
  if (options.classes !== undefined) expectInteger(`${caller}: classes`, options.classes, 1, 256);
  const { maxBytes = defaultMaxBytes, where = { images: `${caller}: images`, labels: `${caller}: labels` } } =
    options;
  expectInteger(`${caller}: maxBytes`, maxBytes, 1);
  const pictures = (await parseIdx(where.images, images, maxBytes)).array;
  const { array: classIndices, header } = await parseIdx(where.labels, labels, maxBytes);
  for (const [place, array, ranks] of [
    [where.images, pictures, [3, 4]],
    [where.labels, classIndices, [1]],
  ] as const) {
    if (array.dtype !== "uint8") {
      throw rangeMismatch(`${place}[2]`, "0x08 (uint8)", array.dtype);
    }
    if (!(ranks as readonly number[]).includes(array.shape.length)) {
      throw rangeMismatch(`${place}[3]`, `rank ${ranks.join(" or ")}`, array.shape.length);
    }
  }
  const [count, height, width, channels = 1] = pictures.shape as [number, number, number, number?];
  for (const [axis, length] of [height, width, channels].entries()) {
    expectInteger(`${where.images}[${8 + 4 * axis}]`, length, 1);
  }
  if (classIndices.shape[0] !== count) {
    throw rangeMismatch(`${where.labels}[4]`, `${count} labels, one for every image`, classIndices.shape[0]);
  }
  const classOf = classIndices.data as Uint8Array;
  const largest = classOf.reduce((most, label) => Math.max(most, label), 0);
  const { classes = largest + 1 } = options;
  if (largest >= classes) {
    const index = classOf.findIndex((label) => label >= classes);
    throw rangeMismatch(
      `${where.labels}[${header.start + index}] (sample ${index})`,
      `a class below ${classes}`,
      classOf[index],
    );
  }
  return {
    images: pictures.data as Uint8Array,
    labels: Int32Array.from(classOf),
    shape: [height, width, channels],
    classes,
    count,
  };
}
