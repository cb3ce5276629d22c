import { expectBetween, expectInteger, expectPositive } from "./expect-values.js";
import { inverseEnergyOf } from "./inverse-energy.js";
import { type MatrixLike, toSymmetric } from "./matrix.js";
import { eigenvaluesOfCorrelation, gaussianLoad } from "./stability-bounds.js";

/** Three answers to one question, each more exact than the one before; `null` where LMS is not stable. */
export interface LmsMisadjustment {
  /** `mu tr R / 2`: to first order in mu, for inputs of any distribution. */
  readonly smallStep: number;
  /** `mu tr R / (2 - mu tr R)`: also for larger steps, as long as fourth moments do not count. */
  readonly better: number | null;
  /** `η / (1 - η)`, `η = Σ mu λ / (2 - 2 mu λ)`: exact for independent Gaussian inputs. */
  readonly gaussian: number | null;
}

/**
 * The misadjustment of LMS: by what part of `Jmin` the mean squared error in the end exceeds `Jmin`, because the
 * weights keep moving.
 *
 * @param R `[m, m]`, `E[x xᵀ]`, positive semidefinite, not 0.
 * @param mu Step size, positive.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Widrow & Stearns 1985, ch. 6 (`mu tr R` with their step); Haykin, "Adaptive Filter Theory", 4th edition, §5.5;
 *   Horowitz & Senne 1981, https://doi.org/10.1109/TASSP.1981.1163602
 */
export function lmsMisadjustment(R: MatrixLike, mu: number): LmsMisadjustment {
  expectPositive("lmsMisadjustment: mu", mu);
  const values = eigenvaluesOfCorrelation("lmsMisadjustment: R", toSymmetric("lmsMisadjustment: R", R));
  const load = mu * values.reduce((sum, value) => sum + value, 0);
  return {
    smallStep: load / 2,
    better: load < 2 ? load / (2 - load) : null,
    gaussian: gaussianMisadjustment(values, mu),
  };
}

export function gaussianMisadjustment(values: Float64Array, mu: number): number | null {
  if (mu * values[values.length - 1]! >= 1) return null;
  const load = gaussianLoad(values, mu);
  return load < 1 ? load / (1 - load) : null;
}

/**
 * The misadjustment of NLMS: `mu / (2 - mu) · tr R · E[1 / ‖x‖²]` for independent Gaussian inputs.
 *
 * For white inputs it is exact and `tr R E[1/‖x‖²] = M / (M - 2)`: the usual `mu / (2 - mu)` is half of it at four
 * weights. With one or two weights the expectation is infinite, and so is the misadjustment (`null`).
 *
 * @param R `[m, m]`, `E[x xᵀ]`, positive semidefinite, not 0.
 * @param mu Step size in (0, 2).
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Haykin, "Adaptive Filter Theory", 4th edition, ch. 6; Sayed, "Adaptive Filters", §17
 */
export function nlmsMisadjustment(R: MatrixLike, mu: number): number | null {
  expectBetween("nlmsMisadjustment: mu", mu, 0, 2);
  const values = eigenvaluesOfCorrelation("nlmsMisadjustment: R", toSymmetric("nlmsMisadjustment: R", R));
  const inverse = inverseEnergyOf(values);
  if (inverse === null) return null;
  return (mu / (2 - mu)) * values.reduce((sum, value) => sum + value, 0) * inverse;
}

/**
 * The misadjustment of RLS with forgetting: `M (1 - lambda) / (1 + lambda)`, for `lambda` near 1 about
 * `M (1 - lambda) / 2`. The correlation of the inputs does not enter.
 *
 * @param taps Number of weights M, at least 1.
 * @param lambda Forgetting factor in (0, 1].
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Haykin, "Adaptive Filter Theory", 4th edition, ch. 9 and 14
 */
export function rlsMisadjustment(taps: number, lambda: number): number {
  expectInteger("rlsMisadjustment: taps", taps, 1);
  expectBetween("rlsMisadjustment: lambda", lambda, 0, 1, true);
  return (taps * (1 - lambda)) / (1 + lambda);
}
