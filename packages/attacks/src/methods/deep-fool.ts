import type { Attack } from "../attack.js";
import { predictionOf } from "../driver/judge.js";
import { logitsAt } from "../driver/query.js";
import { expectAtLeast0, expectInteger } from "../expect-values.js";
import { difference, targetedMargin } from "../losses/loss.js";
import { rankedClasses } from "../losses/of-logits.js";
import { normNamed } from "../norms/norm-named.js";
import { norms } from "../norms/norms.js";
import { ontoHyperplane } from "../norms/onto-hyperplane.js";

export interface DeepFoolOptions {
  /** `"l2"` unless given. */
  readonly norm?: "l2" | "linf";
  /** 50 unless given. */
  readonly steps?: number;
  /** How many classes are looked at, the label among them, those with the largest logits; 10 unless given. */
  readonly candidates?: number;
  /** How far beyond the boundary, as a share of the way; 0.02 unless given. */
  readonly overshoot?: number;
  /**
   * Whether steps know the bounds (unless given): the nearest point of the boundary inside of them; or are clipped, as
   * in the paper and in other programs.
   */
  readonly knowsBounds?: boolean;
}

/**
 * DeepFool: the boundaries to other classes are taken for hyperplanes, and the point is brought onto the nearest one,
 * again and again.
 *
 * @see Moosavi-Dezfooli, Fawzi, Frossard 2016, Algorithm 2, https://arxiv.org/abs/1511.04599
 */
export function deepFool(options: DeepFoolOptions = {}): Attack {
  const { norm: name = "l2", steps = 50, candidates = 10, overshoot = 0.02, knowsBounds = true } = options;
  const norm = normNamed("deepFool", name, ["l2", "linf"]);
  expectInteger("deepFool: steps", steps, 1);
  expectInteger("deepFool: candidates", candidates, 2);
  expectAtLeast0("deepFool: overshoot", overshoot);
  return {
    name: "deepfool",
    norm: name,
    goal: "nearest",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const { x: image, label, target, lower, upper } = sample;
      const others = rankedClasses(sample.clean).filter((k) => k !== label);
      const aims = target === null ? others.slice(0, candidates - 1) : [target];
      // On the way to a target it is any other class that may be ahead, not the label alone.
      const behind = target === null ? difference : targetedMargin;
      const total = new Float64Array(image.length);
      let x = image;
      for (let k = 0; k < steps; k++) {
        const answers = yield aims.map((aim) => ({ x, loss: behind, target: aim }));
        const predicted = predictionOf(answers[0]!.logits);
        if (target === null ? predicted !== label : predicted === target) return;
        const distances = answers.map((each) => Math.abs(each.loss) / (norm.dualSize(each.gradient) + 1e-8));
        const nearest = distances.indexOf(Math.min(...distances));
        const { loss, gradient } = answers[nearest]!;
        if (knowsBounds) {
          let b = -loss;
          for (let i = 0; i < x.length; i++) b += gradient[i]! * x[i]!;
          const step = ontoHyperplane(name, x, gradient, b, sample);
          const size = norms[name].size(step);
          // A little further, so that rounding does not leave the point where it is.
          const longer = size > 0 ? 1 + 1e-4 / size : 1;
          for (let i = 0; i < x.length; i++) total[i]! += longer * step[i]!;
        } else {
          const far = distances[nearest]! + 1e-4;
          const size = norms.l2.size(gradient) + 1e-8;
          for (let i = 0; i < x.length; i++) {
            total[i]! += far * (name === "l2" ? gradient[i]! / size : Math.sign(gradient[i]!));
          }
        }
        x = image.map((value, i) =>
          Math.min(Math.max(value + (1 + overshoot) * total[i]!, lower[i]!), upper[i]!),
        );
      }
      yield* logitsAt(x);
    },
  };
}
