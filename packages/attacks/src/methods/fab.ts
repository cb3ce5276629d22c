import type { Attack } from "../attack.js";
import { predictionOf } from "../driver/judge.js";
import { type Answer, gradientAt, logitsAt, type Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectInteger } from "../expect-values.js";
import { difference, targetedMargin } from "../losses/loss.js";
import { rankedClasses } from "../losses/of-logits.js";
import { boxed } from "../norms/boxed.js";
import { moved } from "../norms/moved.js";
import { distanceOf, type Norm } from "../norms/norm.js";
import { normNamed } from "../norms/norm-named.js";
import { ontoHyperplane } from "../norms/onto-hyperplane.js";

export interface FabOptions {
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2" | "l1";
  /** 100 unless given. */
  readonly steps?: number;
  /** Random starts after the first one, which is the image itself; 0 unless given. */
  readonly restarts?: number;
  /**
   * How many classes to aim at one after the other, those with the largest logits first, 9 unless given; or `"nearest"`:
   * in each step at the one whose boundary is nearest, at the price of a gradient for every class.
   */
  readonly targets?: number | "nearest";
}

/** The greatest share of the way back to the image, how far beyond the boundary, how far back once across. */
const constants = { alphaMax: 0.1, eta: 1.05, beta: 0.9 } as const;

/** How far a random start lies, where no ε is given. */
const usualRadius = { linf: 0.3, l2: 1, l1: 5 } as const;

/**
 * Fast adaptive boundary: the boundary is taken for a hyperplane, the point is brought onto it, and drawn towards the
 * image at the same time, so that the distance becomes smaller and smaller.
 *
 * @see Croce, Hein 2020, Algorithm 1, https://arxiv.org/abs/1907.02044
 */
export function fab({
  norm: name = "linf",
  steps = 100,
  restarts = 0,
  targets = 9,
}: FabOptions = {}): Attack {
  const norm = normNamed("fab", name);
  expectInteger("fab: steps", steps, 1);
  expectInteger("fab: restarts", restarts, 0);
  if (targets !== "nearest") expectInteger("fab: targets", targets, 1);
  return {
    name: targets === "nearest" ? "fab" : "fab-t",
    norm: name,
    goal: "nearest",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const { target, label, clean } = sample;
      const others = rankedClasses(clean).filter((k) => k !== label);
      const rounds: (readonly number[])[] =
        target !== null
          ? [[target]]
          : targets === "nearest"
            ? [others]
            : others.slice(0, targets).map((k) => [k]);
      for (const aims of rounds) {
        for (let start = 0; start <= restarts; start++) {
          const first =
            start === 0
              ? (sample.start ?? sample.x)
              : randomStart(sample, norm, name, targets === "nearest" ? "fab start" : "fab-t start");
          yield* approach(sample, norm, name, first, aims, steps);
        }
      }
    },
  };
}

function* approach(
  sample: Sample,
  norm: Norm,
  name: keyof typeof usualRadius,
  start: Float32Array,
  aims: readonly number[],
  steps: number,
): Steps {
  const { alphaMax, eta, beta } = constants;
  const { x: image, label, target } = sample;
  let x = start;
  for (let k = 0; k < steps; k++) {
    // On the way to a target it is any other class that may be ahead, not the label alone.
    const { loss, gradient } =
      target === null ? yield* nearestBoundary(x, norm, aims) : yield* gradientAt(x, targetedMargin);
    let b = -loss;
    for (let i = 0; i < x.length; i++) b += gradient[i]! * x[i]!;
    const fromPoint = ontoHyperplane(name, x, gradient, b, sample);
    const fromImage = ontoHyperplane(name, image, gradient, b, sample);
    const [a1, a2] = [Math.max(norm.size(fromPoint), 1e-8), Math.max(norm.size(fromImage), 1e-8)];
    const alpha = Math.min(a1 / (a1 + a2), alphaMax);
    const [ahead, drawn] = [moved(x, eta, fromPoint), moved(image, eta, fromImage)];
    x = boxed(
      ahead.map((value, i) => value * (1 - alpha) + drawn[i]! * alpha),
      sample,
    );
    const predicted = predictionOf(yield* logitsAt(x));
    const isAdversarial = target === null ? predicted !== label : predicted === target;
    if (isAdversarial) {
      x = boxed(
        Float64Array.from(x, (value, i) => image[i]! + beta * (value - image[i]!)),
        sample,
      );
    }
  }
}

/** The difference of logits to the class whose boundary is nearest, as far as gradients tell. */
function* nearestBoundary(x: Float32Array, norm: Norm, aims: readonly number[]): Steps<Answer> {
  if (aims.length === 1) return yield* gradientAt(x, difference, { target: aims[0]! });
  const answers = yield aims.map((target) => ({ x, loss: difference, target }));
  const distances = answers.map(({ loss, gradient }) => Math.abs(loss) / (1e-12 + norm.dualSize(gradient)));
  return answers[distances.indexOf(Math.min(...distances))]!;
}

/** Half way to the best image so far, or half of ε away, in a random direction. */
function randomStart(
  sample: Sample,
  norm: Norm,
  name: keyof typeof usualRadius,
  purpose: string,
): Float32Array {
  const draws = sample.draws(purpose);
  const { length } = sample.x;
  const direction = name === "linf" ? draws.uniform(length, -1, 1) : draws.normal(length);
  const radius = Number.isFinite(sample.epsilon) ? sample.epsilon : usualRadius[name];
  const found = sample.found();
  const far = Math.min(found === null ? radius : distanceOf(norm, found.x, sample.x), radius);
  return boxed(moved(sample.x, (0.5 * far) / (norm.size(direction) + 1e-12), direction), sample);
}
