import { toVector } from "./expect-values.js";
import { type Matrix, type MatrixLike, toMatrix, zeros } from "./matrix.js";

/** Second moments of inputs and wanted output: all that a mean squared error depends on. */
export interface Moments {
  /** `[m, m]`, `R = E[x xᵀ]`. */
  readonly R: Matrix;
  /** `[m]`, `p = E[d x]`. */
  readonly p: Float64Array;
  /** `E[d²]`. */
  readonly power: number;
}

/**
 * The second moments of a data set: `R = 1/K Σ x xᵀ`, `p = 1/K Σ d x`, power `1/K Σ d²`.
 *
 * @param X `[K, m]`, one sample a row.
 * @param d `[K]`.
 * @throws {TypeError | RangeError} when the lengths do not match or something is not a finite number.
 */
export function inputMoments(X: MatrixLike, d: ArrayLike<number>): Moments {
  const x = toMatrix("moments: X", X);
  const { rows, columns: m, data } = x;
  const target = toVector("moments: d", d, rows);
  const R = zeros(m, m);
  const p = new Float64Array(m);
  let power = 0;
  for (let k = 0; k < rows; k++) {
    for (let i = 0; i < m; i++) {
      const xi = data[k * m + i]! / rows;
      p[i]! += xi * target[k]!;
      for (let j = 0; j <= i; j++) R.data[i * m + j]! += xi * data[k * m + j]!;
    }
    power += target[k]! ** 2 / rows;
  }
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < i; j++) R.data[j * m + i] = R.data[i * m + j]!;
  }
  return { R, p, power };
}
