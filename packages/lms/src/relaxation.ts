import { expectBetween } from "./expect-values.js";
import { addAt, dotAt, energyAt, noMemory, type Rule, sampleBySample } from "./rule.js";

/**
 * The relaxation rule: α-LMS with a dead zone. A pattern whose sum is on its side by at least `deadZone` leaves the
 * weights; any other moves them by `alpha e x / ‖x‖²`, `e = t - wᵀx`.
 *
 * For targets ±1 it finds a separating plane, with that distance, after finitely many corrections wherever there
 * is one: scale a separating `w*` until `t w*ᵀx ≥ 1` for all patterns, then every correction takes at least
 * `alpha (2 - alpha) (1 - deadZone)² / ‖x‖²` from `‖w - w*‖²`. α-LMS without the dead zone has no such promise:
 * it goes on to the least-squares weights, which may tie.
 *
 * @param options `alpha`: in (0, 2). `deadZone`: in (0, 1).
 * @throws {TypeError | RangeError} when an option is out of range.
 * @see Mays 1964, "Effects of adaptation parameters on convergence time and tolerance for adaptive threshold
 *   elements"; Widrow & Lehr 1990, https://doi.org/10.1109/5.58323
 */
export function relaxation({ alpha, deadZone }: { readonly alpha: number; readonly deadZone: number }): Rule {
  expectBetween("relaxation: alpha", alpha, 0, 2);
  expectBetween("relaxation: deadZone", deadZone, 0, 1);
  return {
    name: "relaxation",
    parameters: { alpha, deadZone },
    memory: noMemory,
    advance: sampleBySample(({ weights }, x, at, t) => {
      const s = dotAt(weights, x, at);
      const e = t - s;
      const energy = energyAt(x, at, weights.length);
      if (t * s < deadZone && energy > 0) addAt(weights, (alpha * e) / energy, x, at);
      return e;
    }),
  };
}
