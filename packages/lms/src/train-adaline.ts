import { expectInteger, toVector } from "./expect-values.js";
import { initFilter } from "./filter.js";
import { type Matrix, type MatrixLike, toMatrix } from "./matrix.js";
import type { Rule } from "./rule.js";

/** What the training of an Adaline has come to. */
export interface AdalineResult {
  /** Whether every pattern is on its side, `t wᵀx > 0`. */
  readonly solved: boolean;
  /** `[m]`. */
  readonly weights: Float64Array;
  /** `[epochs done + 1]`, the number of patterns that are not on their side, at the start and after every epoch. */
  readonly wrong: Float64Array;
}

/**
 * Trains a single threshold unit, pattern after pattern, until all patterns are on their side of the threshold.
 *
 * A sum of exactly 0 counts as wrong.
 *
 * @param rule `alphaLms`, `perceptron`, `relaxation`, or any other.
 * @param X `[K, m]`, patterns, bias first as in `truthTable`.
 * @param t `[K]`, wanted outputs, each -1 or 1.
 * @param options `epochs`: how many at most, 1000 unless given. `weights`: the start, zeros unless given.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function trainAdaline(
  rule: Rule,
  X: MatrixLike,
  t: ArrayLike<number>,
  { epochs = 1000, weights }: { readonly epochs?: number; readonly weights?: ArrayLike<number> } = {},
): AdalineResult {
  const x = toMatrix("trainAdaline: X", X);
  const target = toVector("trainAdaline: t", t, x.rows);
  expectInteger("trainAdaline: epochs", epochs, 1);
  const start = weights === undefined ? x.columns : toVector("trainAdaline: weights", weights, x.columns);
  const state = initFilter(rule, start);
  const errors = new Float64Array(x.rows);
  const wrong = [countWrong(x, target, state.weights)];
  for (let epoch = 0; epoch < epochs && wrong[epoch]! > 0; epoch++) {
    rule.advance(state, x.data, target, x.rows, errors, 0, null);
    wrong.push(countWrong(x, target, state.weights));
  }
  return { solved: wrong.at(-1) === 0, weights: state.weights.slice(), wrong: Float64Array.from(wrong) };
}

function countWrong({ rows, columns: m, data }: Matrix, t: Float64Array, w: Float64Array): number {
  let wrong = 0;
  for (let k = 0; k < rows; k++) {
    let s = 0;
    for (let i = 0; i < m; i++) s += w[i]! * data[k * m + i]!;
    if (!(t[k]! * s > 0)) wrong += 1;
  }
  return wrong;
}
