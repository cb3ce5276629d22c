import type { Attack } from "../attack.js";
import { marginOf } from "../driver/judge.js";
import { logitsAt, logitsAtAll } from "../driver/query.js";
import { expectInteger, expectPositive } from "../expect-values.js";
import { norms } from "../norms/norm.js";
import { adam } from "./adam.js";

export interface SpsaOptions {
  /** 100 unless given. */
  readonly steps?: number;
  /** Random directions in each step, each looked at from both sides; 64 unless given. */
  readonly directions?: number;
  /** How far a direction is looked along, as a share of the bounds; 0.01 unless given. */
  readonly delta?: number;
  /** Of Adam, as a share of the bounds; 0.01 unless given. */
  readonly learningRate?: number;
}

/**
 * Simultaneous perturbation: the gradient of the margin from differences along random signs, and Adam on it. Needs the
 * scores alone.
 *
 * Needs `epsilon`, in L∞.
 *
 * @see Uesato et al. 2018, Algorithm 1, https://arxiv.org/abs/1802.05666
 */
export function spsa(options: SpsaOptions = {}): Attack {
  const { steps = 100, directions = 64, delta = 0.01, learningRate = 0.01 } = options;
  expectInteger("spsa: steps", steps, 1);
  expectInteger("spsa: directions", directions, 1);
  expectPositive("spsa: delta", delta);
  expectPositive("spsa: learningRate", learningRate);
  const { linf } = norms;
  return {
    name: "spsa",
    norm: "linf",
    goal: "within",
    needs: "scores",
    targeting: "both",
    *run(sample) {
      const draws = sample.draws("spsa");
      const { length } = sample.x;
      const range = linf.size(sample.upper.map((value, i) => value - sample.lower[i]!));
      const stepOf = adam(length, learningRate * range);
      let x = linf.project(sample.start ?? sample.x, sample, sample.epsilon);
      for (let k = 0; k < steps; k++) {
        const signs = Array.from({ length: directions }, () =>
          draws.uniform(length, -1, 1).map((value) => (value < 0 ? -1 : 1)),
        );
        const points = signs.flatMap((way) =>
          [1, -1].map((side) => x.map((value, i) => value + side * delta * range * way[i]!)),
        );
        const logits = yield* logitsAtAll(points);
        const gradient = new Float64Array(length);
        for (const [d, way] of signs.entries()) {
          const slope = marginOf(logits[2 * d]!, sample) - marginOf(logits[2 * d + 1]!, sample);
          for (let i = 0; i < length; i++) gradient[i]! -= (slope * way[i]!) / (2 * delta * directions);
        }
        const step = stepOf(gradient);
        x = linf.project(
          x.map((value, i) => value - step[i]!),
          sample,
          sample.epsilon,
        );
        yield* logitsAt(x);
      }
    },
  };
}
