import { type Attack, fgsm, pgd } from "@gradlab/attacks";
import type { AttackOptions } from "./attack-options.js";

/** The attack that the options name. */
export function makeAttack({
  attack,
  norm,
  steps,
  restarts,
}: Pick<AttackOptions, "attack" | "norm" | "steps" | "restarts">): Attack {
  const stepped = steps === undefined ? {} : { steps };
  switch (attack) {
    case "fgsm":
      return fgsm({ norm });
    case "pgd":
      return pgd({ norm, restarts, ...stepped });
  }
}
