import type { Attack } from "../attack.js";
import { gradientAt, type Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectInteger, expectPositive } from "../expect-values.js";
import { margin } from "../losses/loss.js";
import { lossFor } from "../losses/loss-for.js";
import { adam } from "./adam.js";
import { isReached, searchConstant } from "./search-constant.js";

export interface CarliniWagnerOptions {
  /** Steps for each constant; 1000 unless given. */
  readonly steps?: number;
  /** Constants that are tried; 9 unless given. */
  readonly searches?: number;
  /** 0.01 unless given. */
  readonly learningRate?: number;
  /** The first constant; 0.001 unless given. */
  readonly initialConstant?: number;
  /** Whether a round ends when a tenth of the steps has not lowered the loss, as is usual. */
  readonly abortsEarly?: boolean;
}

/**
 * Carlini and Wagner's attack in L2: Adam on `‖x' - x‖² + c · max(κ - margin(x'), 0)`, where `x'` is a hyperbolic
 * tangent, so that it stays in its bounds, and c is searched for each sample. κ is the `confidence` of the run.
 *
 * Unlike in other programs, an image that a round ends with because its loss no longer falls counts as found.
 *
 * @see Carlini, Wagner 2017, §V.A, https://arxiv.org/abs/1608.04644
 */
export function carliniWagner(options: CarliniWagnerOptions = {}): Attack {
  const {
    steps = 1000,
    searches = 9,
    learningRate = 0.01,
    initialConstant = 1e-3,
    abortsEarly = true,
  } = options;
  expectInteger("carliniWagner: steps", steps, 1);
  expectInteger("carliniWagner: searches", searches, 1);
  expectPositive("carliniWagner: learningRate", learningRate);
  expectPositive("carliniWagner: initialConstant", initialConstant);
  return {
    name: "cw",
    norm: "l2",
    goal: "nearest",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const space = tanhSpace(sample);
      yield* searchConstant({ initial: initialConstant, searches }, (constant) =>
        optimize(sample, space, constant, { steps, learningRate, abortsEarly }),
      );
    },
  };
}

/** The box as a space without ends. */
interface TanhSpace {
  /** The image in it. */
  readonly origin: Float64Array;
  /** The image as it comes out: not quite the same at the ends of the box. */
  readonly image: Float32Array;
  readonly out: (w: Float64Array) => { readonly x: Float32Array; readonly slope: Float64Array };
}

function tanhSpace({ x, lower, upper }: Sample): TanhSpace {
  const center = Float64Array.from(lower, (low, i) => (low + upper[i]!) / 2);
  const half = Float64Array.from(lower, (low, i) => (upper[i]! - low) / 2);
  const origin = Float64Array.from(x, (value, i) =>
    // Drawn in by a millionth: a number at an end of the box has to be able to move.
    half[i] === 0 ? 0 : Math.atanh(((value - center[i]!) / half[i]!) * 0.999999),
  );
  const out = (w: Float64Array) => {
    const point = new Float32Array(w.length);
    const slope = new Float64Array(w.length);
    for (let i = 0; i < w.length; i++) {
      const t = Math.tanh(w[i]!);
      point[i] = half[i] === 0 ? x[i]! : Math.min(Math.max(center[i]! + half[i]! * t, lower[i]!), upper[i]!);
      slope[i] = half[i]! * (1 - t * t);
    }
    return { x: point, slope };
  };
  return { origin, image: out(origin).x, out };
}

function* optimize(
  sample: Sample,
  { origin, image, out }: TanhSpace,
  constant: number,
  {
    steps,
    learningRate,
    abortsEarly,
  }: { readonly steps: number; readonly learningRate: number; readonly abortsEarly: boolean },
): Steps<boolean> {
  const delta = new Float64Array(origin.length);
  const stepOf = adam(origin.length, learningRate);
  const raised = lossFor(sample, margin);
  let isFound = false;
  let lossAtLastCheck = Number.POSITIVE_INFINITY;
  for (let k = 0; k < steps; k++) {
    const { x, slope } = out(origin.map((value, i) => value + delta[i]!));
    const { loss: ahead, gradient, logits } = yield* gradientAt(x, raised);
    const short = sample.confidence - ahead;
    const isShort = short > 0;
    let loss = isShort ? constant * short : 0;
    const total = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) {
      const change = x[i]! - image[i]!;
      loss += change * change;
      total[i] = (2 * change - (isShort ? constant * gradient[i]! : 0)) * slope[i]!;
    }
    const step = stepOf(total);
    for (let i = 0; i < delta.length; i++) delta[i]! -= step[i]!;
    if (abortsEarly && k % Math.ceil(steps / 10) === 0) {
      // After this step's own image has been looked at, as it has been.
      if (!(loss <= 0.9999 * lossAtLastCheck)) {
        return isFound || isReached(logits, sample);
      }
      lossAtLastCheck = loss;
    }
    isFound ||= isReached(logits, sample);
  }
  return isFound;
}
