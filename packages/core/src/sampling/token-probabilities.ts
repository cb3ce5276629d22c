import { typeMismatch } from "../expect-argument.js";
import { expectAtLeast0, expectInteger, expectNumber } from "../expect-values.js";

export interface SamplingOptions {
  /** Divides the logits, at least 0: below 1 sharper, above 1 flatter; 0 takes the largest alone. 1 unless given. */
  readonly temperature?: number;
  /** Keep only the `topK` most likely, at least 1; all unless given. */
  readonly topK?: number;
  /**
   * Keep only the fewest of the most likely whose probabilities add up to at least `topP`, in (0, 1]: never fewer than
   * one, and all for 1. All unless given.
   */
  readonly topP?: number;
}

/**
 * The probabilities that `sample` draws from: `softmax(logits / temperature)`, cut to the `topK` largest, cut to the
 * nucleus `topP` of what is left, and scaled to the sum 1.
 *
 * Among equal logits the lower index counts as the more likely, so that exactly `topK` are kept and temperature 0 takes
 * the first of the largest. Computed in double precision from logits that have been read (`await tensor.data()`).
 *
 * @param logits At least one, none of them NaN or +Infinity; -Infinity is the probability 0. At least one is finite.
 * @returns A new array of the length of `logits`.
 * @throws {TypeError | RangeError} when `logits` or an option is not as stated.
 * @see Fan, Lewis, Dauphin 2018, §5.3 (top-k), https://arxiv.org/abs/1805.04833; Holtzman et al. 2020, §3.1 (nucleus),
 *   https://arxiv.org/abs/1904.09751
 */
export function tokenProbabilities(logits: ArrayLike<number>, options: SamplingOptions = {}): Float64Array {
  return probabilitiesOf("tokenProbabilities", logits, options);
}

export function probabilitiesOf(
  where: string,
  logits: ArrayLike<number>,
  options: SamplingOptions,
): Float64Array {
  const { weights, total } = weigh(where, logits, options);
  for (let i = 0; i < weights.length; i++) weights[i]! /= total;
  return weights;
}

interface Weighed {
  readonly weights: Float64Array;
  readonly total: number;
  readonly logSum: number | undefined;
}

/**
 * The probabilities times their `total`, and where they tell it the `logSum` of all logits as they are: `log Σ exp z`.
 * Loops, for every word that is drawn goes through all of them: callbacks take several times as long.
 *
 * @param used Weights that nobody reads any more; they are written over if they are as many.
 */
export function weigh(
  where: string,
  logits: ArrayLike<number>,
  options: SamplingOptions,
  used?: Float64Array,
): Weighed {
  const { temperature = 1, topK = Number.MAX_SAFE_INTEGER, topP = 1 } = options;
  expectAtLeast0(`${where}: temperature`, temperature);
  expectInteger(`${where}: topK`, topK, 1);
  expectNumber(`${where}: topP`, topP, "a number in (0, 1]", (p) => p > 0 && p <= 1);
  const best = largest(where, logits);
  const weights = used?.length === logits.length ? used : new Float64Array(logits.length);
  if (temperature === 0) {
    weights.fill(0)[best] = 1;
    return { weights, total: 1, logSum: undefined };
  }
  const top = logits[best]!;
  for (let i = 0; i < weights.length; i++) weights[i] = Math.exp((logits[i]! - top) / temperature);
  const cuts = topK < weights.length || topP < 1;
  if (cuts) cut(weights, logits, topK, topP);
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  return { weights, total, logSum: cuts || temperature !== 1 ? undefined : top + Math.log(total) };
}

/** The index of the largest logit, the lowest of equal ones; all logits are checked. */
export function largest(where: string, logits: ArrayLike<number>): number {
  if (typeof logits !== "object" || logits === null || !Number.isSafeInteger(logits.length)) {
    throw typeMismatch(`${where}: logits`, "an array of numbers", logits);
  }
  let best = -1;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i]!;
    if (!(logit < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`${where}: logits[${i}]: expected a number below Infinity, got ${logit}`);
    }
    if (logit > (best < 0 ? Number.NEGATIVE_INFINITY : logits[best]!)) best = i;
  }
  if (best < 0) {
    throw new RangeError(
      `${where}: logits: expected at least one finite number, got ${logits.length === 0 ? "none" : "-Infinity alone"}`,
    );
  }
  return best;
}

/** Sets the weight of all but the most likely to 0. */
function cut(weights: Float64Array, logits: ArrayLike<number>, topK: number, topP: number): void {
  // By the logits, not by their rounded exponentials. -Infinity less itself is NaN, which `||` passes over too.
  const order = Uint32Array.from(weights, (_, i) => i).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const kept = order.subarray(0, topK);
  let total = 0;
  for (const i of kept) total += weights[i]!;
  let count = kept.length;
  if (topP < 1) {
    let sum = 0;
    for (count = 0; count < kept.length && sum < topP * total; count++) sum += weights[kept[count]!]!;
  }
  for (const i of order.subarray(count)) weights[i] = 0;
}
