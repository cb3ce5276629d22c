import { expectAtLeast0, expectBetween } from "./expect-values.js";
import { addAt, dotAt, energyAt, noMemory, type Rule, sampleBySample } from "./rule.js";

/**
 * Normalised LMS: `w += mu e x / (epsilon + ‖x‖²)`. With `epsilon` 0 the error of the same sample after the
 * update is `(1 - mu) e`, whatever the size of x.
 *
 * A sample with `epsilon + ‖x‖²` = 0 says nothing about the weights and leaves them.
 *
 * @param options `mu`: step size in (0, 2). `epsilon`: at least 0; 0 unless given.
 * @throws {TypeError | RangeError} when an option is out of range.
 * @see Nagumo & Noda 1967, https://doi.org/10.1109/TAC.1967.1098599; Haykin, "Adaptive Filter Theory",
 *   4th edition, ch. 6
 */
export function nlms({ mu, epsilon = 0 }: { readonly mu: number; readonly epsilon?: number }): Rule {
  expectBetween("nlms: mu", mu, 0, 2);
  expectAtLeast0("nlms: epsilon", epsilon);
  return {
    name: "nlms",
    parameters: { mu, epsilon },
    memory: noMemory,
    advance: normalised(mu, epsilon),
  };
}

/**
 * The α-LMS rule of the Adaline: `w += alpha e x / ‖x‖²` with `e = t - wᵀx`, which reduces the error of the present
 * pattern to `(1 - alpha) e`. It is `nlms` under the name and the letter of its first use.
 *
 * @param options `alpha`: in (0, 2), in practice 0.1 to 1.
 * @throws {TypeError | RangeError} when `alpha` is out of range.
 * @see Widrow & Hoff 1960; Widrow & Lehr 1990, "30 years of adaptive neural networks",
 *   https://doi.org/10.1109/5.58323
 */
export function alphaLms({ alpha }: { readonly alpha: number }): Rule {
  expectBetween("alphaLms: alpha", alpha, 0, 2);
  return { name: "alphaLms", parameters: { alpha }, memory: noMemory, advance: normalised(alpha, 0) };
}

function normalised(mu: number, epsilon: number): Rule["advance"] {
  return sampleBySample(({ weights }, x, at, d) => {
    const e = d - dotAt(weights, x, at);
    const energy = epsilon + energyAt(x, at, weights.length);
    if (energy > 0) addAt(weights, (mu * e) / energy, x, at);
    return e;
  });
}
