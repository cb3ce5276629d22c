import { toVector } from "./expect-values.js";
import { type Matrix, type MatrixLike, toMatrix } from "./matrix.js";
import { dotAt } from "./rule.js";

/**
 * The mean squared error of a linear filter over a data set, `1/(2K) Σ_k (d_k - wᵀx_k)²`, with the half that
 * makes its gradient `-1/K Σ e_k x_k`.
 *
 * @param X `[K, m]`, one sample a row.
 * @param d `[K]`, the wanted outputs.
 * @param weights `[m]`.
 * @throws {TypeError | RangeError} when the lengths do not match or something is not a finite number.
 */
export function meanSquaredError(X: MatrixLike, d: ArrayLike<number>, weights: ArrayLike<number>): number {
  const x = toMatrix("meanSquaredError: X", X);
  const target = toVector("meanSquaredError: d", d, x.rows);
  return evaluate(x, target, toVector("meanSquaredError: weights", weights, x.columns));
}

/** `meanSquaredError` of arguments that have been checked. */
export function evaluate({ rows, columns: m, data }: Matrix, d: Float64Array, w: Float64Array): number {
  let sum = 0;
  if (m === 3) {
    const [w0, w1, w2] = [w[0]!, w[1]!, w[2]!];
    for (let k = 0, at = 0; k < rows; k++, at += 3) {
      const e = d[k]! - (w0 * data[at]! + w1 * data[at + 1]! + w2 * data[at + 2]!);
      sum += e * e;
    }
    return sum / (2 * rows);
  }
  for (let k = 0; k < rows; k++) {
    const e = d[k]! - dotAt(w, data, k * m);
    sum += e * e;
  }
  return sum / (2 * rows);
}

/** `1/(2K) Σ e²` over `count` errors that begin at `from`. */
export function meanSquaredErrorOf(errors: Float64Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += errors[i]! * errors[i]!;
  return sum / (2 * count);
}
