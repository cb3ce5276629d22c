import type { Attack } from "../attack.js";
import { gradientAt, logitsAt } from "../driver/query.js";
import { expectAtLeast0, expectInteger, expectNumber } from "../expect-values.js";
import type { Loss } from "../losses/loss.js";
import { lossFor } from "../losses/loss-for.js";
import { moved } from "../norms/moved.js";
import { normNamed } from "../norms/norm-named.js";
import { norms } from "../norms/norms.js";

export interface MiFgsmOptions {
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2";
  /** 10 unless given. */
  readonly steps?: number;
  /** The size of a step as a share of ε; 1 / steps unless given. */
  readonly relativeStep?: number;
  /** How much of the sum of gradients each step keeps; 1 unless given. */
  readonly decay?: number;
  /** What is raised, the cross-entropy unless given. */
  readonly loss?: Loss;
}

/**
 * Momentum iterative FGSM: `g ← μ g + ∇ / mean|∇|`, then a step along g. What it finds transfers well to other models.
 *
 * Needs `epsilon`. Unlike the paper, gradients are divided by their mean and not by their sum, as in all programs: the
 * steps are the same.
 *
 * @see Dong et al. 2018, Algorithm 1, https://arxiv.org/abs/1710.06081
 */
export function miFgsm(options: MiFgsmOptions = {}): Attack {
  const { norm: name = "linf", steps = 10, decay = 1, loss } = options;
  const { relativeStep = 1 / steps } = options;
  const norm = normNamed("miFgsm", name, ["linf", "l2"]);
  expectInteger("miFgsm: steps", steps, 1);
  expectAtLeast0("miFgsm: decay", decay);
  expectNumber("miFgsm: relativeStep", relativeStep, "a number in [0, 1]", (x) => x >= 0 && x <= 1);
  return {
    name: "mi-fgsm",
    norm: name,
    goal: "within",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const raised = lossFor(sample, loss);
      const { length } = sample.x;
      let x = sample.start ?? sample.x;
      let sum = new Float64Array(length);
      for (let k = 0; k < steps; k++) {
        const { gradient } = yield* gradientAt(x, raised);
        // A zero gradient adds nothing, where a bare division would add NaN.
        const mean = Math.max(norms.l1.size(gradient) / length, 1e-12);
        sum = sum.map((value, i) => decay * value + gradient[i]! / mean);
        x = norm.project(moved(x, relativeStep * sample.epsilon, norm.steepest(sum)), sample, sample.epsilon);
      }
      yield* logitsAt(x);
    },
  };
}
