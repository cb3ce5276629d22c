import type { Attack } from "../attack.js";
import { typeMismatch } from "../expect-argument.js";
import { apgd, apgdTargeted } from "./apgd.js";
import { fab } from "./fab.js";
import { square } from "./square.js";

/**
 * Attacks one after the other, each on the samples that are still standing after those before it.
 *
 * @param attacks Of one norm. Those that look for the nearest image count what they find within ε.
 * @throws {TypeError | RangeError} when there is none, or norms differ.
 */
export function ensemble(name: string, attacks: readonly Attack[]): Attack {
  const [first] = attacks;
  if (first === undefined) throw typeMismatch("ensemble: attacks", "at least one attack", attacks);
  const other = attacks.find(({ norm }) => norm !== first.norm);
  if (other !== undefined) {
    throw new RangeError(`ensemble: attacks: expected one norm, got ${first.norm} and ${other.norm}`);
  }
  const needs = (["gradients", "scores", "decisions"] as const).find((kind) =>
    attacks.some((each) => each.needs === kind),
  )!;
  const targeting = (["untargeted", "targeted"] as const).find((kind) =>
    attacks.some((each) => each.targeting === kind),
  );
  return {
    name,
    norm: first.norm,
    goal: "within",
    needs,
    targeting: targeting ?? "both",
    *run(sample) {
      for (const attack of attacks) {
        if (sample.passed(attack.name)) continue;
        sample.enter(attack.name);
        yield* attack.run(sample);
      }
    },
  };
}

export interface AutoAttackOptions {
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2" | "l1";
  /**
   * `"standard"` (unless given): APGD with cross-entropy, APGD on targets, FAB on targets, Square. `"plus"` adds APGD
   * with the difference of logits ratio and untargeted FAB, with restarts. `"rand"`, for classifiers that draw random
   * numbers: both APGDs, whose gradients `withTransformation` averages.
   */
  readonly version?: "standard" | "plus" | "rand";
  /** Of each part, where less than its full budget shall do; 1 unless given. */
  readonly budget?: number;
}

/**
 * AutoAttack: the ensemble that robustness is reported by, without a parameter to tune.
 *
 * Needs `epsilon`; only samples that are still standing are attacked by the next part.
 *
 * @see Croce, Hein 2020, §5, https://arxiv.org/abs/2003.01690
 */
export function autoAttack({
  norm = "linf",
  version = "standard",
  budget = 1,
}: AutoAttackOptions = {}): Attack {
  if (!(budget > 0 && budget <= 1)) {
    throw new RangeError(`autoAttack: budget: expected a number in (0, 1], got ${String(budget)}`);
  }
  const isL1 = norm === "l1";
  const steps = Math.max(10, Math.round(100 * budget));
  const targets = Math.max(1, Math.round((isL1 ? 5 : 9) * budget));
  const queries = Math.max(50, Math.round(5000 * budget));
  const restarts = isL1 ? 4 : 0;
  const aimed = apgdTargeted({ norm, steps, targets });
  const boundary = { norm, steps, targets: Math.max(1, Math.round(9 * budget)) };
  switch (version) {
    case "standard":
      return ensemble("autoattack", [
        apgd({ norm, steps, restarts }),
        aimed,
        fab(boundary),
        square({ norm, queries }),
      ]);
    case "plus":
      return ensemble("autoattack-plus", [
        apgd({ norm, steps, restarts: 4 }),
        apgd({ norm, loss: "dlr", steps, restarts: 4 }),
        fab({ norm, steps, restarts: 4, targets: "nearest" }),
        square({ norm, queries }),
        aimed,
        fab(boundary),
      ]);
    case "rand":
      return ensemble("autoattack-rand", [apgd({ norm, steps }), apgd({ norm, loss: "dlr", steps })]);
    default:
      throw new RangeError(
        `autoAttack: version: expected "standard", "plus" or "rand", got ${String(version)}`,
      );
  }
}
