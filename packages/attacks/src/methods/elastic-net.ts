import type { Attack } from "../attack.js";
import { gradientAt, logitsAt, type Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectAtLeast0, expectInteger, expectPositive } from "../expect-values.js";
import { margin } from "../losses/loss.js";
import { lossFor } from "../losses/loss-for.js";
import { isReached, searchConstant } from "./search-constant.js";

export interface ElasticNetOptions {
  /** Steps for each constant; 1000 unless given. */
  readonly steps?: number;
  /** Constants that are tried; 9 unless given. */
  readonly searches?: number;
  /** 0.01 unless given; it falls to 0 by a square root. */
  readonly learningRate?: number;
  /** The first constant; 0.001 unless given. */
  readonly initialConstant?: number;
  /** The weight β of the L1 norm; 0.001 unless given. */
  readonly beta?: number;
}

/**
 * Elastic-net attack in L1: shrinkage and momentum (FISTA) on `c · max(κ - margin(x'), 0) + ‖x' - x‖² + β ‖x' - x‖₁`,
 * with a search for c for each sample.
 *
 * @see Chen et al. 2018, Algorithm 1, https://arxiv.org/abs/1709.04114
 */
export function elasticNet(options: ElasticNetOptions = {}): Attack {
  const { steps = 1000, searches = 9, learningRate = 0.01, initialConstant = 1e-3, beta = 1e-3 } = options;
  expectInteger("elasticNet: steps", steps, 1);
  expectInteger("elasticNet: searches", searches, 1);
  expectPositive("elasticNet: learningRate", learningRate);
  expectPositive("elasticNet: initialConstant", initialConstant);
  expectAtLeast0("elasticNet: beta", beta);
  return {
    name: "ead",
    norm: "l1",
    goal: "nearest",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      yield* searchConstant({ initial: initialConstant, searches }, (constant) =>
        optimize(sample, constant, { steps, learningRate, beta }),
      );
    },
  };
}

function* optimize(
  sample: Sample,
  constant: number,
  {
    steps,
    learningRate,
    beta,
  }: { readonly steps: number; readonly learningRate: number; readonly beta: number },
): Steps<boolean> {
  const { x: image } = sample;
  const raised = lossFor(sample, margin);
  let x = image;
  let ahead = image;
  let isFound = false;
  for (let k = 0; k < steps; k++) {
    const { loss, gradient } = yield* gradientAt(ahead, raised);
    const rate = learningRate * Math.sqrt(1 - k / steps);
    const isShort = sample.confidence - loss > 0;
    const next = new Float32Array(image.length);
    for (let i = 0; i < image.length; i++) {
      const slope = 2 * (ahead[i]! - image[i]!) - (isShort ? constant * gradient[i]! : 0);
      next[i] = shrunk(ahead[i]! - rate * slope, image[i]!, beta, sample.lower[i]!, sample.upper[i]!);
    }
    isFound = isReached(yield* logitsAt(next), sample) || isFound;
    const before = x;
    x = next;
    ahead = x.map((value, i) => value + (k / (k + 3)) * (value - before[i]!));
  }
  return isFound;
}

/** A number drawn towards that of the image by β, and onto it where it is nearer than that. */
function shrunk(value: number, own: number, beta: number, lower: number, upper: number): number {
  const change = value - own;
  if (change > beta) return Math.min(value - beta, upper);
  if (change < -beta) return Math.max(value + beta, lower);
  return own;
}
