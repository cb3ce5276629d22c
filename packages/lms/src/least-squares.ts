import { toVector } from "./expect-values.js";
import { backSubstitute, householderQr } from "./householder-qr.js";
import { type MatrixLike, toMatrix } from "./matrix.js";
import { meanSquaredErrorOf } from "./mean-squared-error.js";
import { singularValues } from "./singular-values.js";

/** The Wiener solution of a finite data set. */
export interface LeastSquaresFit {
  /** `[m]`, the weights that minimise `Σ (d - Xw)²`. */
  readonly weights: Float64Array;
  /** `1/(2K) Σ e²` at these weights; no other weights have a smaller one. */
  readonly mse: number;
  /** `[K]`, `e = d - Xw`. */
  readonly errors: Float64Array;
  /** `[m]`, the singular values of X, falling. */
  readonly singularValues: Float64Array;
  /** Largest by smallest singular value: a relative change of X is amplified about that much in the weights. */
  readonly condition: number;
}

/**
 * The weights that minimise `Σ_k (d_k - wᵀx_k)²`, by Householder QR of X; the Wiener solution of the sample.
 *
 * Unlike the normal equations `XᵀX w = Xᵀd`, QR does not square the condition number.
 *
 * @param X `[K, m]`, one sample a row, K ≥ m; columns linearly independent.
 * @param d `[K]`, the wanted outputs.
 * @throws {TypeError | RangeError} when an argument holds something that is not a finite number, rows are ragged
 *   or too few, or the columns are linearly dependent in double precision (with every column scaled to one
 *   length, the smallest singular value is below `max(K, m) ε` of the largest).
 * @see Golub & Van Loan, "Matrix Computations", 4th edition, §5.3
 */
export function leastSquares(X: MatrixLike, d: ArrayLike<number>): LeastSquaresFit {
  const x = toMatrix("leastSquares: X", X);
  const { rows: k, columns: m } = x;
  if (k < m) {
    throw new RangeError(`leastSquares: X: expected at least as many rows as its ${m} columns, got ${k}`);
  }
  const target = toVector("leastSquares: d", d, k);
  const { r, z } = householderQr(x, target);
  const { values } = singularValues(r);
  const condition = values[0]! / values[m - 1]!;
  // Units of a column say nothing about dependence: compare columns of one length.
  const lengths = Float64Array.from({ length: m }, (_, j) => {
    let length = 0;
    for (let i = 0; i <= j; i++) length = Math.hypot(length, r.data[i * m + j]!);
    return length || 1;
  });
  const scaled = singularValues({
    rows: m,
    columns: m,
    data: r.data.map((entry, i) => entry / lengths[i % m]!),
  });
  const rank = scaled.values.filter((s) => s > Math.max(k, m) * Number.EPSILON * scaled.values[0]!).length;
  if (rank < m) {
    throw new RangeError(
      `leastSquares: X: expected linearly independent columns, got rank ${rank} of ${m} (condition number ${condition.toExponential(1)})`,
    );
  }
  const weights = backSubstitute(r, z);
  const errors = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    let e = target[i]!;
    for (let j = 0; j < m; j++) e -= x.data[i * m + j]! * weights[j]!;
    errors[i] = e;
  }
  return { weights, mse: meanSquaredErrorOf(errors, 0, k), errors, singularValues: values, condition };
}
