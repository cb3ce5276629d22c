import type { Attack } from "../attack.js";
import { gradientAt, logitsAt, type Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectInteger, expectNumber } from "../expect-values.js";
import type { Loss } from "../losses/loss.js";
import { lossFor } from "../losses/loss-for.js";
import { climber } from "../norms/climber.js";
import { moved } from "../norms/moved.js";
import type { Norm, NormName } from "../norms/norm.js";
import { normNamed } from "../norms/norm-named.js";

export interface PgdOptions {
  /** `"linf"` unless given. */
  readonly norm?: Exclude<NormName, "l0">;
  /** 40 unless given. */
  readonly steps?: number;
  /** The size of a step as a share of ε: 1/30 for L∞, 1/40 for the others, unless given. */
  readonly relativeStep?: number;
  /** Starts at random points of the ball after the first one; 0 unless given. */
  readonly restarts?: number;
  /** Whether the first start is random too, as is usual. */
  readonly randomStart?: boolean;
  /** What is raised, the cross-entropy unless given. */
  readonly loss?: Loss;
}

/**
 * Projected gradient descent: `x ← Π(x + α d)`, where `d` is the direction of size 1 that raises the loss the most and Π
 * the projection onto ball and bounds.
 *
 * Needs `epsilon`. Steps of L1 go along the one number (or those) with the largest gradient.
 *
 * @see Madry et al. 2018, §2.1, https://arxiv.org/abs/1706.06083
 */
export function pgd(options: PgdOptions = {}): Attack {
  const { norm: name = "linf", steps = 40, restarts = 0, randomStart = true, loss } = options;
  const { relativeStep = name === "linf" ? 1 / 30 : 1 / 40 } = options;
  const norm = normNamed("pgd", name);
  expectInteger("pgd: steps", steps, 0);
  expectInteger("pgd: restarts", restarts, 0);
  expectNumber("pgd: relativeStep", relativeStep, "a number in [0, 1]", (x) => x >= 0 && x <= 1);
  return {
    name: "pgd",
    norm: name,
    goal: "within",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const draws = sample.draws("pgd start");
      for (let start = 0; start <= restarts; start++) {
        const isRandom = start > 0 || randomStart;
        const given = start === 0 ? sample.start : null;
        const first =
          given ??
          (isRandom
            ? moved(sample.x, 1, norm.randomInBall(draws, sample.x.length, sample.epsilon))
            : sample.x);
        yield* climb(sample, norm, norm.project(first, sample, sample.epsilon), {
          steps,
          step: relativeStep * sample.epsilon,
          loss: lossFor(sample, loss),
        });
      }
    },
  };
}

/** The steps from one start. */
function* climb(
  sample: Sample,
  norm: Norm,
  start: Float32Array,
  { steps, step, loss }: { readonly steps: number; readonly step: number; readonly loss: Loss },
): Steps {
  const next = climber(norm, sample, sample.epsilon);
  let x = start;
  for (let k = 0; k < steps; k++) {
    const { gradient } = yield* gradientAt(x, loss);
    x = next(x, step, gradient);
  }
  yield* logitsAt(x);
}
