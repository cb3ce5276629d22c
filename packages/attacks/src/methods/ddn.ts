import type { Attack } from "../attack.js";
import { predictionOf } from "../driver/judge.js";
import { gradientAt, logitsAt } from "../driver/query.js";
import { expectInteger, expectNumber, expectPositive } from "../expect-values.js";
import { lossFor } from "../losses/loss-for.js";
import { norms } from "../norms/norms.js";

export interface DdnOptions {
  /** 100 unless given. */
  readonly steps?: number;
  /** The first radius; 1 unless given. */
  readonly initialRadius?: number;
  /** By how much the radius grows or shrinks; 0.05 unless given. */
  readonly gamma?: number;
}

/**
 * Decoupled direction and norm, in L2: steps along the gradient of the cross-entropy, onto a sphere that shrinks while
 * the point is adversarial and grows while it is not.
 *
 * @see Rony et al. 2019, Algorithm 1, https://arxiv.org/abs/1811.09600
 */
export function ddn({ steps = 100, initialRadius = 1, gamma = 0.05 }: DdnOptions = {}): Attack {
  expectInteger("ddn: steps", steps, 1);
  expectPositive("ddn: initialRadius", initialRadius);
  expectNumber("ddn: gamma", gamma, "a number in (0, 1)", (x) => x > 0 && x < 1);
  return {
    name: "ddn",
    norm: "l2",
    goal: "nearest",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const { x: image, label, target, lower, upper } = sample;
      const raised = lossFor(sample);
      let delta = new Float64Array(image.length);
      let x = sample.start ?? image;
      if (sample.start !== null) delta = delta.map((_, i) => x[i]! - image[i]!);
      const farthest = norms.l2.size(image.map((value, i) => Math.max(value - lower[i]!, upper[i]! - value)));
      let radius = initialRadius;
      for (let k = 0; k < steps; k++) {
        const { gradient, logits } = yield* gradientAt(x, raised);
        const predicted = predictionOf(logits);
        const isAdversarial = target === null ? predicted !== label : predicted === target;
        // No further than the farthest corner of the box.
        radius = Math.min(radius * (isAdversarial ? 1 - gamma : 1 + gamma), farthest);
        const rate = 0.01 + (0.99 * (1 + Math.cos((Math.PI * k) / steps))) / 2;
        const direction = norms.l2.steepest(gradient);
        const ahead = delta.map((value, i) => value + rate * direction[i]!);
        const size = norms.l2.size(ahead);
        const scale = size > 0 ? radius / size : 0;
        x = image.map((value, i) => Math.min(Math.max(value + scale * ahead[i]!, lower[i]!), upper[i]!));
        delta = ahead.map((_, i) => x[i]! - image[i]!);
      }
      yield* logitsAt(x);
    },
  };
}
