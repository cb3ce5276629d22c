import { clipByValue, mul, type Tensor } from "@tensorflow/tfjs-core";
import type { Move, Moved, UpdateRule } from "./update-rule.js";

/** One tensor and its slots after an update; called in a `tidy`. */
export function moveTensor(
  rule: UpdateRule,
  value: Tensor,
  gradient: Tensor,
  slots: Readonly<Record<string, Tensor>>,
  move: Move,
): Moved {
  const fused = rule.fused?.(value, gradient, slots, move) ?? null;
  if (fused !== null) return fused;
  const { scale, maxValue, decay, learningRate } = move;
  const scaled = scale === 1 ? gradient : mul(gradient, scale);
  const clipped = maxValue < Number.POSITIVE_INFINITY ? clipByValue(scaled, -maxValue, maxValue) : scaled;
  const decayed = decay === 0 ? value : mul(value, 1 - learningRate * decay);
  return rule.step(decayed, clipped, slots, move);
}
