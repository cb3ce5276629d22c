import { type Dataset, expectDataset, pixelsOf } from "./dataset.js";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";

/**
 * Some samples of a data set as a data set of its own, in the given order.
 *
 * @param indices Which samples, in [0, count); a sample may be taken twice.
 * @throws {TypeError | RangeError} when an index is out of range.
 */
export function selectSamples(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  expectDataset("selectSamples: dataset", dataset);
  if (typeof indices !== "object" || indices === null || !Number.isSafeInteger(indices.length)) {
    throw typeMismatch("selectSamples: indices", "an array of sample indices", indices);
  }
  const { shape, classes } = dataset;
  const count = indices.length;
  const pixels = pixelsOf(shape);
  const images = new Uint8Array(count * pixels);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const sample = indices[i]!;
    if (!Number.isInteger(sample) || sample < 0 || sample >= dataset.count) {
      throw rangeMismatch(`selectSamples: indices[${i}]`, `a sample index in [0, ${dataset.count})`, sample);
    }
    images.set(dataset.images.subarray(sample * pixels, (sample + 1) * pixels), i * pixels);
    labels[i] = dataset.labels[sample]!;
  }
  return { images, labels, shape, classes, count };
}
