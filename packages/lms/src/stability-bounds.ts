import type { Matrix, MatrixLike } from "./matrix.js";
import { toSymmetric } from "./matrix.js";
import { symmetricEigen } from "./symmetric-eigen.js";

/** A limit on the step size of LMS, and the regime in which it is one. */
export interface StabilityBound {
  /** LMS is stable for step sizes in (0, limit). */
  readonly limit: number;
  /** What is meant by stable, and of which inputs. */
  readonly regime: string;
}

/** The three stochastic bounds of LMS, and the cautious one that texts recommend. */
export interface StabilityBounds {
  /** `2 / λmax`: necessary, and far from sufficient. */
  readonly mean: StabilityBound;
  /** `2 / tr R`. */
  readonly meanSquareSafe: StabilityBound;
  /** `2 / (3 tr R)`. */
  readonly conservative: StabilityBound;
  /** The `mu` with `Σ mu λ / (2 - 2 mu λ) = 1`. */
  readonly meanSquareGaussian: StabilityBound;
}

/**
 * How large the step size of LMS may be, for inputs with the correlation matrix `R`; `cyclicBound` has the answer for
 * passes over a finite data set.
 *
 * The bounds are not estimates of one another: the mean of the weights converges up to `2 / λmax`, while their
 * variance explodes from `meanSquareGaussian` on, which is always below `2 / tr R` and at least a third of it.
 *
 * @param R `[m, m]`, `E[x xᵀ]`, positive semidefinite, not 0.
 * @throws {TypeError | RangeError} when `R` is not as stated.
 * @see Widrow & Stearns 1985, ch. 6 (mean; their `mu` is half of this); Horowitz & Senne 1981,
 *   https://doi.org/10.1109/TASSP.1981.1163602, and Feuer & Weinstein 1985,
 *   https://doi.org/10.1109/TASSP.1985.1164493 (Gaussian inputs)
 */
export function stabilityBounds(R: MatrixLike): StabilityBounds {
  const values = eigenvaluesOfCorrelation("stabilityBounds: R", toSymmetric("stabilityBounds: R", R));
  const trace = values.reduce((sum, value) => sum + value, 0);
  return {
    mean: {
      limit: 2 / values[values.length - 1]!,
      regime: "the mean of the weights converges; inputs independent of the weights",
    },
    meanSquareSafe: {
      limit: 2 / trace,
      regime: "the mean squared error stays finite; vanishing step size, where fourth moments do not count",
    },
    conservative: {
      limit: 2 / (3 * trace),
      regime: "the mean squared error stays finite; independent Gaussian inputs of any correlation",
    },
    meanSquareGaussian: {
      limit: gaussianLimit(values),
      regime: "the mean squared error stays finite, exactly; independent Gaussian inputs of this correlation",
    },
  };
}

/** The eigenvalues of a correlation matrix, rising; those that rounding made negative are 0. */
export function eigenvaluesOfCorrelation(where: string, R: Matrix): Float64Array {
  const { values } = symmetricEigen(R);
  const largest = values[values.length - 1]!;
  if (!(largest > 0) || values[0]! < -1e-12 * largest) {
    throw new RangeError(
      `${where}: expected a positive semidefinite matrix that is not 0, got eigenvalues from ${values[0]} to ${largest}`,
    );
  }
  return values.map((value) => Math.max(0, value));
}

/** `η = Σ mu λ / (2 - 2 mu λ)`: 1 at the limit of mean-square stability, for Gaussian inputs. */
export function gaussianLoad(values: Float64Array, mu: number): number {
  return values.reduce((sum, value) => sum + (mu * value) / (2 - 2 * mu * value), 0);
}

function gaussianLimit(values: Float64Array): number {
  // η rises from 0 to infinity on (0, 1/λmax).
  let low = 0;
  let high = 1 / values[values.length - 1]!;
  for (let middle = high / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (gaussianLoad(values, middle) < 1) low = middle;
    else high = middle;
  }
  return high;
}
