import { clipByValue, mul, type Tensor } from "@tensorflow/tfjs-core";
import type { Moment, Moved, UpdateRule } from "./update-rule.js";

/** An update of one tensor with what the loop does to its gradient before and to its value. */
export interface Move extends Moment {
  /** Multiplies the gradient. */
  readonly scale: number;
  /** Bounds every element of the scaled gradient; null does not. */
  readonly maxValue: number | null;
  /** Decoupled weight decay: the value becomes `(1 - learningRate · decay)` of itself before the step. */
  readonly decay: number;
}

/** One tensor and its slots after an update; called in a `tidy`. */
export function moveTensor(
  rule: UpdateRule,
  value: Tensor,
  gradient: Tensor,
  slots: Readonly<Record<string, Tensor>>,
  move: Move,
): Moved {
  const { scale, maxValue, decay, learningRate } = move;
  const scaled = scale === 1 ? gradient : mul(gradient, scale);
  const clipped = maxValue === null ? scaled : clipByValue(scaled, -maxValue, maxValue);
  const decayed = decay === 0 ? value : mul(value, 1 - learningRate * decay);
  return rule.step(decayed, clipped, slots, move);
}
