import { type Dataset, expectDataset } from "./dataset.js";
import { expectInteger } from "./expect-values.js";
import { type Batch, takeSamples } from "./take-batch.js";

/** What `inOrder` takes beside the data set. */
export interface InOrderOptions {
  /** How many samples a batch has, the last one fewer; 100 unless given. */
  readonly size?: number;
}

/**
 * A data set once through, in its own order: a function from the index of a batch to the batch, null behind the last.
 *
 * @returns Of each index new arrays, as `takeBatch` makes them. An index that is no integer, at least 0, is an error.
 * @throws {TypeError | RangeError} at once, when an option is not as stated.
 */
export function inOrder(
  dataset: Dataset,
  { size = 100 }: InOrderOptions = {},
): (index: number) => Batch | null {
  expectDataset("inOrder: dataset", dataset);
  expectInteger("inOrder: size", size, 1);
  return (index) => {
    expectInteger("inOrder: index", index, 0);
    const from = index * size;
    const count = Math.min(size, dataset.count - from);
    if (count <= 0) return null;
    const indices = Uint32Array.from({ length: count }, (_, i) => from + i);
    return takeSamples("inOrder", dataset, indices, { seed: 0, epoch: 0 });
  };
}
