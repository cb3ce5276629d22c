import {
  type Attack,
  apgd,
  apgdTargeted,
  autoAttack,
  bim,
  boundaryAttack,
  carliniWagner,
  ddn,
  deepFool,
  elasticNet,
  fab,
  fgsm,
  hopSkipJump,
  jsma,
  miFgsm,
  type NormName,
  onePixel,
  pgd,
  pixelOptimization,
  sparseFool,
  spsa,
  square,
} from "@gradlab/attacks";
import { StudyError } from "../../declaration/study-error.js";
import type { AttackOptions } from "./attack-options.js";

type Chosen = Pick<AttackOptions, "attack" | "steps" | "restarts"> & {
  readonly norm?: AttackOptions["norm"];
};

/** The attack that the options name. */
export function makeAttack(chosen: Chosen): Attack {
  const { attack, steps, restarts } = chosen;
  const stepped = steps === undefined ? {} : { steps };
  const normed = { ...stepped, norm: chosen.norm ?? "linf", restarts } as const;
  switch (attack) {
    case "fgsm":
      return fgsm(normed);
    case "bim":
      return bim(normed);
    case "pgd":
      return pgd(normed);
    case "mi-fgsm":
      return miFgsm({ ...stepped, norm: among(chosen, ["linf", "l2"]) });
    case "apgd-ce":
      return apgd(normed);
    case "apgd-dlr":
      return apgd({ ...normed, loss: "dlr" });
    case "apgd-t":
      return apgdTargeted(normed);
    case "fab":
      return fab(normed);
    case "square":
      return square({ norm: normed.norm, restarts, ...(steps !== undefined && { queries: steps }) });
    case "autoattack":
      withoutSteps(chosen);
      return autoAttack({ norm: normed.norm });
    case "cw":
      among(chosen, ["l2"]);
      return carliniWagner(stepped);
    case "ead":
      among(chosen, ["l1"]);
      return elasticNet(stepped);
    case "ddn":
      among(chosen, ["l2"]);
      return ddn(stepped);
    case "deepfool":
      return deepFool({ ...stepped, norm: among(chosen, ["l2", "linf"]) });
    case "pixel-optimization":
      among(chosen, ["l2"]);
      return pixelOptimization(stepped);
    case "jsma":
      among(chosen, ["l0"]);
      withoutSteps(chosen);
      return jsma();
    case "sparsefool":
      among(chosen, ["l1"]);
      return sparseFool(stepped);
    case "one-pixel":
      among(chosen, ["l0"]);
      return onePixel(steps === undefined ? {} : { generations: steps });
    case "spsa":
      among(chosen, ["linf"]);
      return spsa(stepped);
    case "boundary":
      among(chosen, ["l2"]);
      return boundaryAttack(stepped);
    case "hopskipjump":
      return hopSkipJump({ ...stepped, norm: among(chosen, ["l2", "linf"]) });
  }
}

/** What has its steps fixed takes none. */
function withoutSteps({ attack, steps }: Chosen): void {
  if (steps === undefined) return;
  throw new StudyError("usage", `{steps}: expected none beside {attack} ${attack}, got ${steps}`);
}

/** The norm, which the attack has to know; the first of those that it does unless given. */
function among<N extends NormName>({ attack, norm }: Chosen, known: readonly N[]): N {
  const wanted = norm ?? known[0]!;
  if ((known as readonly NormName[]).includes(wanted)) return wanted as N;
  throw new StudyError("usage", `{norm}: expected ${known.join(" or ")} for ${attack}, got ${wanted}`);
}
