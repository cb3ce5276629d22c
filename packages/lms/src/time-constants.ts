import { expectPositive } from "./expect-values.js";
import { type MatrixLike, toSymmetric } from "./matrix.js";
import { eigenvaluesOfCorrelation } from "./stability-bounds.js";

/** In how many updates LMS forgets its start to 1/e, mode by mode; `null` for a mode that no input excites. */
export interface TimeConstants {
  /** `[m]`, of the mean weights along the eigenvectors of R, eigenvalues rising. */
  readonly weights: readonly (number | null)[];
  /** `[m]`, of what each mode adds to the mean squared error. */
  readonly mse: readonly (number | null)[];
}

/**
 * The time constants of LMS, `1 / (mu λ_i)` for the weights and `1 / (2 mu λ_i)` for the mean squared error.
 *
 * They hold for `mu λ` well below 1; the mean weights follow `(1 - mu λ)^n` exactly.
 *
 * @param R `[m, m]`, `E[x xᵀ]`, positive semidefinite, not 0.
 * @param mu Step size, positive.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Widrow & Stearns 1985, ch. 6; Haykin, "Adaptive Filter Theory", 4th edition, ch. 4-5
 */
export function timeConstants(R: MatrixLike, mu: number): TimeConstants {
  expectPositive("timeConstants: mu", mu);
  return timeConstantsOf(
    eigenvaluesOfCorrelation("timeConstants: R", toSymmetric("timeConstants: R", R)),
    mu,
  );
}

export function timeConstantsOf(values: Float64Array, mu: number): TimeConstants {
  const of = (factor: number) =>
    Array.from(values, (value) => (value > 0 ? 1 / (factor * mu * value) : null));
  return { weights: of(1), mse: of(2) };
}
