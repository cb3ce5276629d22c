import { expectAtLeast0, toVector } from "./expect-values.js";
import { type MatrixLike, toSymmetric } from "./matrix.js";
import { symmetricEigen } from "./symmetric-eigen.js";

/** The Wiener filter of known second moments, and the error surface around it. */
export interface WienerFilter {
  /** `[m]`, the solution of `R w = p`. */
  readonly weights: Float64Array;
  /** `Jmin = E[d²] - pᵀR⁻¹p`, the smallest possible `E[e²]`. */
  readonly jmin: number;
  /** Largest by smallest eigenvalue of R. */
  readonly condition: number;
}

/**
 * The Wiener filter: the weights that minimise `E[(d - wᵀx)²] = Jmin + (w - w*)ᵀ R (w - w*)`.
 *
 * Where samples are at hand rather than moments, `leastSquares` is the better way: R has the square of
 * the condition number of X.
 *
 * @param R `[m, m]`, `E[x xᵀ]`, positive definite.
 * @param p `[m]`, `E[d x]`.
 * @param power `E[d²]`, at least 0.
 * @throws {TypeError | RangeError} when `R` is not symmetric and positive definite in double precision, or the
 *   lengths do not match.
 * @see Widrow & Stearns 1985, "Adaptive Signal Processing", ch. 2; Haykin, "Adaptive Filter Theory", ch. 2
 */
export function wiener({
  R,
  p,
  power,
}: {
  readonly R: MatrixLike;
  readonly p: ArrayLike<number>;
  readonly power: number;
}): WienerFilter {
  const correlation = toSymmetric("wiener: R", R);
  const m = correlation.rows;
  const cross = toVector("wiener: p", p, m);
  expectAtLeast0("wiener: power", power);
  const { values, vectors } = symmetricEigen(correlation);
  const [least, largest] = [values[0]!, values[m - 1]!];
  if (!(least > m * Number.EPSILON * largest)) {
    throw new RangeError(
      `wiener: R: expected a positive definite matrix, got eigenvalues from ${least} to ${largest}`,
    );
  }
  const weights = new Float64Array(m);
  let explained = 0;
  for (let j = 0; j < m; j++) {
    let projection = 0;
    for (let i = 0; i < m; i++) projection += vectors.data[i * m + j]! * cross[i]!;
    explained += projection ** 2 / values[j]!;
    for (let i = 0; i < m; i++) weights[i]! += (vectors.data[i * m + j]! * projection) / values[j]!;
  }
  return { weights, jmin: power - explained, condition: largest / least };
}
