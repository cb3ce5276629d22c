import type { Attack } from "../attack.js";
import { gradientAt, logitsAt } from "../driver/query.js";
import type { Loss } from "../losses/loss.js";
import { lossFor } from "../losses/loss-for.js";
import { moved } from "../norms/moved.js";
import type { NormName } from "../norms/norm.js";
import { normNamed } from "../norms/norm-named.js";

export interface FgsmOptions {
  /** `"linf"` unless given. */
  readonly norm?: Exclude<NormName, "l0">;
  /** What is raised, the cross-entropy unless given. */
  readonly loss?: Loss;
}

/**
 * The fast gradient sign method, and its kin in the other norms: one step of size ε along the direction that raises the
 * loss the most.
 *
 * Needs `epsilon`.
 *
 * @see Goodfellow, Shlens, Szegedy 2015, §4, https://arxiv.org/abs/1412.6572
 */
export function fgsm({ norm: name = "linf", loss }: FgsmOptions = {}): Attack {
  const norm = normNamed("fgsm", name);
  return {
    name: "fgsm",
    norm: name,
    goal: "within",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const { gradient } = yield* gradientAt(sample.start ?? sample.x, lossFor(sample, loss));
      const point = moved(sample.start ?? sample.x, sample.epsilon, norm.steepest(gradient));
      yield* logitsAt(norm.project(point, sample, sample.epsilon));
    },
  };
}
