import { expectFinite, rangeMismatch } from "./expect-argument.js";
import { expectInteger, toVector } from "./expect-values.js";
import type { FilterState, Rule } from "./rule.js";

/**
 * The state of a filter that has seen nothing.
 *
 * @param rule How it will learn.
 * @param weights The weights to start from, copied; or how many, to start from zero.
 * @throws {TypeError | RangeError} when `weights` is neither.
 */
export function initFilter(rule: Rule, weights: number | ArrayLike<number>): FilterState {
  if (typeof weights === "number") expectInteger("initFilter: weights", weights, 1);
  const start =
    typeof weights === "number"
      ? new Float64Array(weights)
      : toVector("initFilter: weights", weights).slice();
  return { weights: start, memory: rule.memory(start) };
}

/** A copy that shares nothing with the state. */
export function copyState({ weights, memory }: FilterState): FilterState {
  return { weights: weights.slice(), memory: memory.slice() };
}

const wanted = new Float64Array(1);
const error = new Float64Array(1);

/**
 * One sample: filters `x`, compares with `d`, and moves the weights of `state` in place. It allocates nothing where
 * `x` is a `Float64Array`. `run` gives the same numbers to the last bit.
 *
 * @param x `[m]`, the inputs.
 * @param d The wanted output.
 * @returns The error before the update, `d - wᵀx`.
 * @throws {TypeError | RangeError} when `x` has not as many numbers as there are weights, or something is not a
 *   finite number; then the state is as before.
 */
export function stepFilter(rule: Rule, state: FilterState, x: ArrayLike<number>, d: number): number {
  const { length } = state.weights;
  if (x.length !== length) throw rangeMismatch("step: x", `an array of ${length} numbers`, x);
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(x[i])) expectFinite(`step: x[${i}]`, x[i]);
  }
  expectFinite("step: d", d);
  wanted[0] = d;
  rule.advance(state, x instanceof Float64Array ? x : Float64Array.from(x), wanted, 1, error, 0, null);
  return error[0]!;
}
