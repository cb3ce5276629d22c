import { stepsOf } from "./batch-indices.js";
import { type BatchesOfOptions, batchesFor, type TrainingBatch } from "./batches-of.js";
import type { Dataset } from "./dataset.js";
import { expectInteger } from "./expect-values.js";

/** What `batches` takes beside the data set. */
export interface BatchesOptions extends BatchesOfOptions {
  /** The step to start at, over all epochs; 0 unless given. */
  readonly step?: number;
  /** The end: after so many epochs, counted from step 0; 1 unless given, may be Infinity. */
  readonly epochs?: number;
}

/**
 * The batches of `batchesOf` one after the other, for a loop: from a step to the end of an epoch.
 *
 * @throws {TypeError | RangeError} at once, when an option is not as stated.
 */
export function batches(dataset: Dataset, options: BatchesOptions): Generator<TrainingBatch, void, void> {
  const { step = 0, epochs = 1 } = options;
  const batchOf = batchesFor("batches", dataset, options);
  expectInteger("batches: step", step, 0);
  if (epochs !== Number.POSITIVE_INFINITY) expectInteger("batches: epochs", epochs, 0);
  const end = epochs * stepsOf("batches", { ...options, count: dataset.count });
  return generate(batchOf, step, end);
}

function* generate(
  batchOf: (step: number) => TrainingBatch,
  first: number,
  end: number,
): Generator<TrainingBatch, void, void> {
  for (let step = first; step < end; step++) yield batchOf(step);
}
