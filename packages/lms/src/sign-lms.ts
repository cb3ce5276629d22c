import { expectOneOf, expectPositive } from "./expect-values.js";
import { addAt, dotAt, noMemory, type Rule, sampleBySample } from "./rule.js";

const KINDS = ["error", "data", "sign-sign"] as const;

/** Which factor of the update keeps only its sign: the error, the data, or both. */
export type SignLmsKind = (typeof KINDS)[number];

/**
 * Sign LMS: LMS that keeps only signs, with `sign(0) = 0`.
 *
 * - `"error"`: `w += mu sign(e) x`, a step down the gradient of `|e|`
 * - `"data"`: `w += mu e sign(x)`
 * - `"sign-sign"`: `w += mu sign(e) sign(x)`
 *
 * @param options `mu`: step size, positive. `kind`: as above.
 * @throws {TypeError | RangeError} when an option is out of range.
 * @see Sayed, "Adaptive Filters", §12 (sign-error); Farhang-Boroujeny, "Adaptive Filters", §6.5
 */
export function signLms({ mu, kind }: { readonly mu: number; readonly kind: SignLmsKind }): Rule {
  expectPositive("signLms: mu", mu);
  expectOneOf("signLms: kind", kind, KINDS);
  return {
    name: "signLms",
    parameters: { mu, kind },
    memory: noMemory,
    advance: sampleBySample(({ weights }, x, at, d) => {
      const e = d - dotAt(weights, x, at);
      const g = mu * (kind === "data" ? e : Math.sign(e));
      if (kind === "error") addAt(weights, g, x, at);
      else for (let i = 0; i < weights.length; i++) weights[i]! += g * Math.sign(x[at + i]!);
      return e;
    }),
  };
}
