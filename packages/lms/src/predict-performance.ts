import { expectAtLeast0, expectInteger, expectPositive, toVector } from "./expect-values.js";
import { type Matrix, type MatrixLike, toSymmetric } from "./matrix.js";
import { gaussianMisadjustment } from "./misadjustment.js";
import { eigenvaluesOfCorrelation } from "./stability-bounds.js";
import { symmetricEigen } from "./symmetric-eigen.js";
import { type TimeConstants, timeConstantsOf } from "./time-constants.js";

/** The setting in which LMS is predicted and simulated: `d = w*ᵀx + v`, x ~ N(0, R) and v independent in time. */
export interface Environment {
  /** `[m, m]`, `E[x xᵀ]`, positive definite. */
  readonly R: MatrixLike;
  /** `[m]`, the weights `w*` that give the smallest error. */
  readonly optimum: ArrayLike<number>;
  /** `Jmin = E[v²]`, the smallest mean squared error; at least 0. */
  readonly jmin: number;
}

/** How LMS fares on average: what `predict` computes and `simulate` measures. Curves have `steps + 1` points. */
export interface Performance {
  readonly mu: number;
  /** Whether the mean squared error stays finite. */
  readonly verdict: "stable" | "diverged";
  /** `[n]`, `J(n) = E[e²(n)]`, e(n) being the error before update n + 1. A diverging curve ends with the range of numbers. */
  readonly learningCurve: Float64Array;
  /** `[n]`, `J(n) - Jmin`, the part that the weights are to blame for: `E[(w - w*)ᵀ R (w - w*)]`. */
  readonly excess: Float64Array;
  /** `[n]`, `E ‖w - w*‖²`. */
  readonly deviation: Float64Array;
  /** `[n, m]`, the mean weights. */
  readonly meanWeights: Float64Array;
  /** `J(∞) - Jmin`, null where it diverges. */
  readonly excessMse: number | null;
  /** `excessMse / Jmin`, null where it diverges or `Jmin` is 0. */
  readonly misadjustment: number | null;
  /** Updates to 1/e of the start. */
  readonly timeConstants: TimeConstants;
}

/**
 * How LMS fares on average, computed: exact for independent Gaussian inputs of correlation `R`.
 *
 * Along the eigenvectors of R, with `k_i(n) = E[(v_iᵀ(w(n) - w*))²]`:
 * `k_i(n+1) = k_i(n) (1 - 2 mu λ_i + 2 mu² λ_i²) + mu² λ_i Σ_j λ_j k_j(n) + mu² Jmin λ_i`,
 * `J(n) = Jmin + Σ λ_i k_i(n)`, and the mean weights follow `w* + (I - mu R)^n (w(0) - w*)`.
 *
 * @param environment `R`, `optimum`, `jmin`.
 * @param options `mu`: step size, positive. `steps`: length of the curves. `weights`: the start, zeros unless given.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Horowitz & Senne 1981, https://doi.org/10.1109/TASSP.1981.1163602; Feuer & Weinstein 1985,
 *   https://doi.org/10.1109/TASSP.1985.1164493
 */
export function predictPerformance(
  environment: Environment,
  {
    mu,
    steps,
    weights,
  }: { readonly mu: number; readonly steps: number; readonly weights?: ArrayLike<number> },
): Performance {
  const { values, vectors, optimum, jmin } = toModes("predict", environment);
  const m = values.length;
  expectPositive("predict: mu", mu);
  expectInteger("predict: steps", steps, 1);
  const start = weights === undefined ? new Float64Array(m) : toVector("predict: weights", weights, m);
  const mean = intoModes(vectors, start, optimum);
  const k = mean.map((value) => value * value);
  const excess = new Float64Array(steps + 1);
  const deviation = new Float64Array(steps + 1);
  const meanWeights = new Float64Array((steps + 1) * m);
  let length = 0;
  for (let n = 0; n <= steps; n++) {
    let [total, weighted] = [0, 0];
    for (let i = 0; i < m; i++) {
      total += k[i]!;
      weighted += values[i]! * k[i]!;
    }
    if (!Number.isFinite(jmin + weighted) || !Number.isFinite(total)) break;
    excess[n] = weighted;
    deviation[n] = total;
    for (let i = 0; i < m; i++) {
      let sum = optimum[i]!;
      for (let j = 0; j < m; j++) sum += vectors.data[i * m + j]! * mean[j]!;
      meanWeights[n * m + i] = sum;
    }
    length = n + 1;
    for (let i = 0; i < m; i++) {
      const a = mu * values[i]!;
      mean[i]! *= 1 - a;
      k[i] = k[i]! * (1 - 2 * a + 2 * a * a) + mu * a * (weighted + jmin);
    }
  }
  const misadjustment = gaussianMisadjustment(values, mu);
  return {
    mu,
    verdict: misadjustment === null ? "diverged" : "stable",
    learningCurve: excess.slice(0, length).map((value) => jmin + value),
    excess: excess.slice(0, length),
    deviation: deviation.slice(0, length),
    meanWeights: meanWeights.slice(0, length * m),
    excessMse: misadjustment === null ? null : misadjustment * jmin,
    misadjustment: jmin > 0 ? misadjustment : null,
    timeConstants: timeConstantsOf(values, mu),
  };
}

/** An environment that has been checked, with the eigenvectors of its R. */
export interface Modes {
  readonly values: Float64Array;
  readonly vectors: Matrix;
  readonly optimum: Float64Array;
  readonly jmin: number;
}

export function toModes(where: string, { R, optimum, jmin }: Environment): Modes {
  const correlation = toSymmetric(`${where}: R`, R);
  const values = eigenvaluesOfCorrelation(`${where}: R`, correlation);
  const target = toVector(`${where}: optimum`, optimum, correlation.rows);
  expectAtLeast0(`${where}: jmin`, jmin);
  return { values, vectors: symmetricEigen(correlation).vectors, optimum: target, jmin };
}

/** `Vᵀ (w - w*)`. */
export function intoModes(vectors: Matrix, w: Float64Array, optimum: Float64Array): Float64Array {
  const m = w.length;
  const modes = new Float64Array(m);
  for (let i = 0; i < m; i++) {
    const difference = w[i]! - optimum[i]!;
    for (let j = 0; j < m; j++) modes[j]! += vectors.data[i * m + j]! * difference;
  }
  return modes;
}
