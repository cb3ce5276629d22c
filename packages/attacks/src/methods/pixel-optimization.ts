import type { Attack } from "../attack.js";
import { gradientAt, logitsAt } from "../driver/query.js";
import { expectAtLeast0, expectInteger, expectPositive } from "../expect-values.js";
import { targetedCrossEntropy } from "../losses/loss.js";
import { adam } from "./adam.js";

export interface PixelOptimizationOptions {
  /** 1000 unless given. */
  readonly steps?: number;
  /** 0.01 unless given. */
  readonly learningRate?: number;
  /** The weight α of the L1 norm of the image; 1e-5 unless given. */
  readonly alpha?: number;
}

/**
 * The classic targeted attack: Adam on the pixels themselves, of `α ‖x‖₁ + CE(logits(x), target)`, clipped to the bounds
 * after each step, until the target is what the classifier sees.
 *
 * @see Szegedy et al. 2014, §4.1 (with L-BFGS in place of Adam), https://arxiv.org/abs/1312.6199
 */
export function pixelOptimization(options: PixelOptimizationOptions = {}): Attack {
  const { steps = 1000, learningRate = 0.01, alpha = 1e-5 } = options;
  expectInteger("pixelOptimization: steps", steps, 1);
  expectPositive("pixelOptimization: learningRate", learningRate);
  expectAtLeast0("pixelOptimization: alpha", alpha);
  return {
    name: "pixel-optimization",
    norm: "l2",
    goal: "nearest",
    needs: "gradients",
    targeting: "targeted",
    *run(sample) {
      const { lower, upper } = sample;
      const stepOf = adam(sample.x.length, learningRate);
      let x = sample.start ?? sample.x;
      for (let k = 0; k < steps; k++) {
        const { gradient } = yield* gradientAt(x, targetedCrossEntropy);
        if (sample.found() !== null) return;
        const step = stepOf(gradient.map((value, i) => alpha * Math.sign(x[i]!) - value));
        x = x.map((value, i) => Math.min(Math.max(value - step[i]!, lower[i]!), upper[i]!));
      }
      yield* logitsAt(x);
    },
  };
}
