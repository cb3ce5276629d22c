import { expectPositive } from "./expect-values.js";
import { addAt, dotAt, noMemory, type Rule, sampleBySample } from "./rule.js";

/**
 * The perceptron rule: a pattern on the wrong side of the threshold moves the weights by `rate t x`, any other
 * leaves them. It finds a separating plane after finitely many corrections wherever there is one.
 *
 * A sum of exactly 0 is wrong on both sides. The error it reports is `t - wᵀx`, like that of the other rules.
 *
 * @param options `rate`: positive; from zero weights it changes the length of the weights only. 1 unless given.
 * @throws {TypeError | RangeError} when `rate` is not a positive number.
 * @see Rosenblatt 1962, "Principles of Neurodynamics"; Novikoff 1962 (convergence)
 */
export function perceptron({ rate = 1 }: { readonly rate?: number } = {}): Rule {
  expectPositive("perceptron: rate", rate);
  return {
    name: "perceptron",
    parameters: { rate },
    memory: noMemory,
    advance: sampleBySample(({ weights }, x, at, t) => {
      const s = dotAt(weights, x, at);
      if (!(t * s > 0)) addAt(weights, rate * t, x, at);
      return t - s;
    }),
  };
}
