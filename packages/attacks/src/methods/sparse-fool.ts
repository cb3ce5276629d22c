import type { Attack } from "../attack.js";
import { predictionOf } from "../driver/judge.js";
import { type Answer, gradientAt, logitsAt, type Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectAtLeast0, expectInteger, expectPositive } from "../expect-values.js";
import { difference } from "../losses/loss.js";
import { rankedClasses } from "../losses/of-logits.js";
import { norms } from "../norms/norm.js";
import { clamp } from "../norms/single-precision.js";

export interface SparseFoolOptions {
  /** 10 unless given. */
  readonly steps?: number;
  /** How far beyond the boundary the plane is laid; 3 unless given. */
  readonly lambda?: number;
  /** 0.02 unless given. */
  readonly overshoot?: number;
  /** Steps of the search for the boundary in each step; 50 unless given. */
  readonly innerSteps?: number;
}

/**
 * SparseFool: the boundary that DeepFool finds is taken for a plane, and reached by moving as few numbers as the bounds
 * allow, those first that count most.
 *
 * @see Modas, Moosavi-Dezfooli, Frossard 2019, Algorithms 1 and 2, https://arxiv.org/abs/1811.02248
 */
export function sparseFool(options: SparseFoolOptions = {}): Attack {
  const { steps = 10, lambda = 3, overshoot = 0.02, innerSteps = 50 } = options;
  expectInteger("sparseFool: steps", steps, 1);
  expectInteger("sparseFool: innerSteps", innerSteps, 1);
  expectPositive("sparseFool: lambda", lambda);
  expectAtLeast0("sparseFool: overshoot", overshoot);
  return {
    name: "sparsefool",
    norm: "l1",
    goal: "nearest",
    needs: "gradients",
    targeting: "untargeted",
    *run(sample) {
      const { x: image, label, lower, upper } = sample;
      const inBox = (value: number, i: number) => clamp(value, lower[i]!, upper[i]!);
      let x = image;
      for (let k = 0; k < steps; k++) {
        const beyond = yield* boundaryFrom(sample, x, { innerSteps, overshoot });
        if (beyond === null) return;
        const { point, other } = beyond;
        const { gradient } = yield* gradientAt(point, difference, { target: other });
        const size = norms.l2.size(gradient) + 1e-30;
        const normal = Float64Array.from(gradient, (value) => value / size);
        const far = point.map((value, i) => inBox(x[i]! + lambda * (value - x[i]!), i));
        const sparse = reachPlane(x, normal, far, sample);
        const next = x.map((value, i) => inBox(value + (1 + overshoot) * (sparse[i]! - value), i));
        const predicted = predictionOf(yield* logitsAt(next));
        x = next;
        if (predicted !== label) return;
      }
    },
  };
}

/** DeepFool from a point on: where it leaves the label, and for which class; null where it does not. */
function* boundaryFrom(
  { label, clean, lower, upper }: Sample,
  start: Float32Array,
  { innerSteps, overshoot }: { readonly innerSteps: number; readonly overshoot: number },
): Steps<{ readonly point: Float32Array; readonly other: number } | null> {
  const aims = rankedClasses(clean)
    .filter((k) => k !== label)
    .slice(0, 9);
  const total = new Float64Array(start.length);
  let x = start;
  for (let k = 0; k < innerSteps; k++) {
    const answers: readonly Answer[] = yield aims.map((target) => ({ x, loss: difference, target }));
    const predicted = predictionOf(answers[0]!.logits);
    if (predicted !== label) return { point: x, other: predicted };
    const distances = answers.map(({ loss, gradient }) => Math.abs(loss) / (norms.l2.size(gradient) + 1e-8));
    const nearest = distances.indexOf(Math.min(...distances));
    const { gradient } = answers[nearest]!;
    const far = distances[nearest]! + 1e-4;
    const size = norms.l2.size(gradient) + 1e-8;
    for (let i = 0; i < start.length; i++) total[i]! += (far * gradient[i]!) / size;
    x = start.map((value, i) => clamp(value + (1 + overshoot) * total[i]!, lower[i]!, upper[i]!));
  }
  return null;
}

/** The plane through `far` with this normal, reached from x by moving one number after the other as far as it can go. */
function reachPlane(
  x: Float32Array,
  normal: Float64Array,
  far: Float32Array,
  { lower, upper }: Sample,
): Float64Array {
  const result = Float64Array.from(x);
  let missing = 0;
  for (let i = 0; i < x.length; i++) missing += normal[i]! * (far[i]! - x[i]!);
  // A little beyond it.
  missing += Math.sign(missing) * 1e-3;
  const order = Array.from(x.keys()).sort((a, b) => Math.abs(normal[b]!) - Math.abs(normal[a]!) || a - b);
  for (const i of order) {
    if (missing === 0 || normal[i] === 0) break;
    const wanted = result[i]! + missing / normal[i]!;
    const reached = clamp(wanted, lower[i]!, upper[i]!);
    missing -= normal[i]! * (reached - result[i]!);
    result[i] = reached;
    if (reached === wanted) break;
  }
  return result;
}
