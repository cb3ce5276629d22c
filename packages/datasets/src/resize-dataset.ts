import { type Dataset, expectDataset, pixelsOf } from "./dataset.js";
import { rangeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";
import { resizeImage } from "./resize-image.js";

/**
 * A data set with every image resized as by `resizeImage` (bilinear, antialiased).
 *
 * @param size `[height, width]` of the result.
 * @returns A copy; the data set itself where the size is its own.
 * @throws {TypeError | RangeError} when `dataset` is none, its images have neither 1, 3 nor 4 channels, or `size` is
 *   not two positive integers.
 */
export function resizeDataset(dataset: Dataset, size: readonly [height: number, width: number]): Dataset {
  expectDataset("resizeDataset: dataset", dataset);
  const [height, width] = size;
  expectInteger("resizeDataset: size[0]", height, 1);
  expectInteger("resizeDataset: size[1]", width, 1);
  const { images, shape, count } = dataset;
  const [fromHeight, fromWidth, channels] = shape;
  if (![1, 3, 4].includes(channels)) {
    throw rangeMismatch("resizeDataset: dataset.shape[2]", "1, 3 or 4 channels", channels);
  }
  if (height === fromHeight && width === fromWidth) return dataset;
  const from = pixelsOf(shape);
  const to = height * width * channels;
  const resized = new Uint8Array(count * to);
  for (let i = 0; i < count; i++) {
    const data = images.subarray(i * from, (i + 1) * from);
    resized.set(resizeImage({ height: fromHeight, width: fromWidth, data }, [height, width]).data, i * to);
  }
  return { ...dataset, images: resized, shape: [height, width, channels] };
}
