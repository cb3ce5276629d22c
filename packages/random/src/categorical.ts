import { rangeMismatch } from "./expect-argument.js";
import { expectArrayLike, expectAtLeast0 } from "./expect-values.js";
import { expectStream, type RandomStream } from "./random-stream.js";
import { nextUnit53 } from "./uniform.js";

/**
 * An index of `weights`, index `i` with the probability `weights[i] / Σ weights`. Draws 2 words.
 *
 * The weights need not add up to 1; an index of weight 0 is never drawn. The sum runs in double precision from
 * the first to the last, which takes time in proportion to their number.
 *
 * @param weights Probabilities or weights: finite numbers, at least 0, with a sum that is positive and finite.
 * @throws {TypeError | RangeError} when `weights` is not as stated.
 */
export function categorical(stream: RandomStream, weights: ArrayLike<number>): number {
  expectStream("categorical", stream, 2);
  const total = sum(weights);
  const threshold = nextUnit53(stream) * total;
  let last = 0;
  let cumulative = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i]! === 0) continue;
    cumulative += weights[i]!;
    if (threshold < cumulative) return i;
    last = i;
  }
  return last; // The product was rounded up to the total.
}

function sum(weights: ArrayLike<number>): number {
  expectArrayLike("categorical: weights", weights, "an array of numbers");
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight: unknown = weights[i];
    // The name of each weight would take longer than all the rest.
    if (!(typeof weight === "number" && weight >= 0 && weight < Infinity)) {
      expectAtLeast0(`categorical: weights[${i}]`, weight);
    }
    total += weights[i]!;
  }
  if (total > 0 && total < Infinity) return total;
  throw rangeMismatch("categorical: weights", "a positive finite sum", total);
}
