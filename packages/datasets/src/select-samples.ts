import { type Dataset, expectDataset, expectIndices, pixelsOf } from "./dataset.js";

/**
 * Some samples of a data set as a data set of its own, in the given order.
 *
 * @param indices Which samples, in [0, count); a sample may be taken twice.
 * @throws {TypeError | RangeError} when an index is out of range.
 */
export function selectSamples(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  expectDataset("selectSamples: dataset", dataset);
  expectIndices("selectSamples: indices", indices, dataset.count);
  const { shape, classes } = dataset;
  const count = indices.length;
  const pixels = pixelsOf(shape);
  const images = new Uint8Array(count * pixels);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const sample = indices[i]!;
    images.set(dataset.images.subarray(sample * pixels, (sample + 1) * pixels), i * pixels);
    labels[i] = dataset.labels[sample]!;
  }
  return { images, labels, shape, classes, count };
}
