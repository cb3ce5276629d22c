import { permutation, randomStream } from "@gradlab/random";
import { expectInteger } from "./expect-values.js";

/** How a data set is cut into batches. */
export interface BatchPlan {
  /** How many samples there are, in [1, 2^32). */
  readonly count: number;
  /** How many of them a batch has. */
  readonly size: number;
  /** Leave out the last batch of an epoch when it would be smaller than `size`; false unless given. */
  readonly dropLast?: boolean;
}

/** Which batch, in which order. */
export interface BatchIndicesOptions extends BatchPlan {
  /** The step of training, from 0 on, over all epochs. */
  readonly step: number;
  /** Seed of the order; 0 unless given. */
  readonly seed?: number;
  /** Another random order in every epoch; the order of the data set when false. True unless given. */
  readonly shuffle?: boolean;
}

/**
 * How many batches an epoch has: `ceil(count / size)`, `floor(count / size)` with `dropLast`.
 *
 * @throws {TypeError | RangeError} when `count` or `size` is not a positive integer, or there is no batch.
 */
export function stepsPerEpoch(plan: BatchPlan): number {
  return stepsOf("stepsPerEpoch", plan);
}

export function stepsOf(caller: string, { count, size, dropLast = false }: BatchPlan): number {
  expectInteger(`${caller}: count`, count, 1, 2 ** 32 - 1);
  expectInteger(`${caller}: size`, size, 1, dropLast ? count : undefined);
  return dropLast ? Math.floor(count / size) : Math.ceil(count / size);
}

/** The order of one epoch. */
export function epochOrder(count: number, seed: number, epoch: number, shuffle: boolean): Uint32Array {
  if (!shuffle) return Uint32Array.from({ length: count }, (_, i) => i);
  return permutation(randomStream({ seed, purpose: "datasets/order", index: epoch }), count);
}

/**
 * The samples of the batch at a step of training: a function of its arguments alone, so that training resumes at any
 * step without a cursor. Every epoch goes through all samples once (but for those that `dropLast` leaves out), in
 * an order of its own that depends on `(seed, epoch, count)` and not on the size of the batches.
 *
 * Takes time in proportion to `count` (the order of the epoch, milliseconds for 60,000); `batches` makes it once an epoch.
 *
 * @returns `[size]` indices, fewer in the last batch of an epoch.
 * @throws {TypeError | RangeError} when an option is not as stated.
 */
export function batchIndices(options: BatchIndicesOptions): Uint32Array {
  const { count, size, step, seed = 0, shuffle = true } = options;
  const steps = stepsOf("batchIndices", options);
  expectInteger("batchIndices: step", step, 0);
  expectInteger("batchIndices: seed", seed, 0);
  const order = epochOrder(count, seed, Math.floor(step / steps), shuffle);
  const from = (step % steps) * size;
  return order.slice(from, from + size);
}
