import { type BatchPlan, epochOrder, stepsOf } from "./batch-indices.js";
import { type Dataset, expectDataset } from "./dataset.js";
import { expectInteger } from "./expect-values.js";
import { type Augmentation, type Batch, expectAugmentation, takeSamples } from "./take-batch.js";

/** What `batchesOf` takes beside the data set. */
export interface BatchesOfOptions extends Omit<BatchPlan, "count"> {
  /** Seed of the order and of the augmentation; 0 unless given. */
  readonly seed?: number;
  /** Another random order in every epoch; true unless given. */
  readonly shuffle?: boolean;
  /** Applied to every image; none unless given. */
  readonly augment?: Augmentation;
}

/** A batch and its place in the training. */
export interface TrainingBatch extends Batch {
  /** From 0 on, over all epochs. */
  readonly step: number;
  readonly epoch: number;
  /** `[n]`, which samples these are. */
  readonly indices: Uint32Array;
}

/**
 * The batches of a training, epoch after epoch without end: a function from the step to its batch, which depends on the
 * options and the step alone (its samples are `batchIndices({…, step})`). A resumed training asks for the step that it
 * is at, and needs no cursor.
 *
 * Keeps the order of the last epoch, 4 bytes a sample, and nothing else.
 *
 * @returns Of each step new arrays, as `takeBatch` makes them. A step that is no integer, at least 0, is an error.
 * @throws {TypeError | RangeError} at once, when an option is not as stated.
 */
export function batchesOf(dataset: Dataset, options: BatchesOfOptions): (step: number) => TrainingBatch {
  return batchesFor("batchesOf", dataset, options);
}

/** @param caller The function that was called: it begins the messages. */
export function batchesFor(
  caller: string,
  dataset: Dataset,
  options: BatchesOfOptions,
): (step: number) => TrainingBatch {
  expectDataset(`${caller}: dataset`, dataset);
  const { size, seed = 0, shuffle = true, augment } = options;
  const { count } = dataset;
  const steps = stepsOf(caller, { ...options, count });
  expectInteger(`${caller}: seed`, seed, 0);
  expectAugmentation(caller, augment);
  let last: { epoch: number; order: Uint32Array } = { epoch: -1, order: new Uint32Array(0) };
  return (step) => {
    expectInteger(`${caller}: step`, step, 0);
    const epoch = Math.floor(step / steps);
    if (epoch !== last.epoch) last = { epoch, order: epochOrder(count, seed, epoch, shuffle) };
    const from = (step % steps) * size;
    const indices = last.order.slice(from, from + size);
    return { ...takeSamples(caller, dataset, indices, { augment, seed, epoch }), step, epoch, indices };
  };
}
