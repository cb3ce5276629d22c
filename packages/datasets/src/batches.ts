import { type BatchPlan, epochOrder, stepsOf } from "./batch-indices.js";
import { type Dataset, expectDataset } from "./dataset.js";
import { expectInteger } from "./expect-argument.js";
import { type Augmentation, type Batch, takeBatch } from "./take-batch.js";

/** What `batches` takes beside the data set. */
export interface BatchesOptions extends Omit<BatchPlan, "count"> {
  /** Seed of the order and of the augmentation; 0 unless given. */
  readonly seed?: number;
  /** Another random order in every epoch; true unless given. */
  readonly shuffle?: boolean;
  /** Applied to every image; none unless given. */
  readonly augment?: Augmentation;
  /** The step to start at, over all epochs; 0 unless given. */
  readonly step?: number;
  /** The end: after so many epochs, counted from step 0; 1 unless given, may be Infinity. */
  readonly epochs?: number;
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
 * Goes through a data set batch by batch, epoch after epoch. The batch at a step depends on the options and the step
 * alone (its samples are `batchIndices({…, step})`), so a resumed training passes `step` and nothing else.
 *
 * @throws {TypeError | RangeError} at once, when an option is not as stated.
 */
export function batches(dataset: Dataset, options: BatchesOptions): Generator<TrainingBatch, void, void> {
  expectDataset("batches: dataset", dataset);
  const { size, seed = 0, step = 0, epochs = 1 } = options;
  const { count } = dataset;
  const steps = stepsOf("batches", { ...options, count, size });
  expectInteger("batches: seed", seed, 0);
  expectInteger("batches: step", step, 0);
  if (epochs !== Number.POSITIVE_INFINITY) expectInteger("batches: epochs", epochs, 0);
  return generate(dataset, { ...options, seed, step, epochs }, steps);
}

function* generate(
  dataset: Dataset,
  options: BatchesOptions & { readonly seed: number; readonly step: number; readonly epochs: number },
  steps: number,
): Generator<TrainingBatch, void, void> {
  const { size, seed, shuffle = true, epochs } = options;
  for (let step = options.step; step < steps * epochs; ) {
    const epoch = Math.floor(step / steps);
    const order = epochOrder(dataset.count, seed, epoch, shuffle);
    do {
      const from = (step % steps) * size;
      const indices = order.slice(from, from + size);
      yield { ...takeBatch(dataset, indices, { ...options, epoch }), step, epoch, indices };
      step++;
    } while (step % steps !== 0);
  }
}
