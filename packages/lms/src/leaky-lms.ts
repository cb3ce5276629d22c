import { expectAtLeast0, expectPositive } from "./expect-values.js";
import { dotAt, noMemory, type Rule, sampleBySample } from "./rule.js";

/**
 * Leaky LMS: `w = (1 - mu leak) w + mu e x`, a step down the gradient of `½e² + ½ leak ‖w‖²`. Its mean settles
 * at `(R + leak I)⁻¹ p`: weights that no input excites decay rather than drift.
 *
 * @param options `mu`: step size, positive. `leak`: weight of the penalty, at least 0; 0 is LMS.
 * @throws {TypeError | RangeError} when an option is out of range.
 * @see Haykin, "Adaptive Filter Theory", 4th edition, §5.13 (leakage); Sayed, "Adaptive Filters", §12
 */
export function leakyLms({ mu, leak }: { readonly mu: number; readonly leak: number }): Rule {
  expectPositive("leakyLms: mu", mu);
  expectAtLeast0("leakyLms: leak", leak);
  const keep = 1 - mu * leak;
  return {
    name: "leakyLms",
    parameters: { mu, leak },
    memory: noMemory,
    advance: sampleBySample(({ weights }, x, at, d) => {
      const e = d - dotAt(weights, x, at);
      for (let i = 0; i < weights.length; i++) weights[i] = keep * weights[i]! + mu * e * x[at + i]!;
      return e;
    }),
  };
}
