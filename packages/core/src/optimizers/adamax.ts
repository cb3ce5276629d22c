import { abs, add, div, maximum, mul, sub } from "@tensorflow/tfjs-core";
import type { ConfigOf } from "./optimizer-config.js";
import type { UpdateRule } from "./update-rule.js";

/**
 * Adamax: `m ← β₁ m + (1 - β₁) g`, `u ← max(β₂ u, |g| + ε)`, then `w - η / (1 - β₁ᵗ) · m / u`.
 *
 * Unlike the paper, with ε, as in PyTorch: a gradient that has always been 0 moves nothing.
 *
 * @see Kingma and Ba 2015, algorithm 2, https://arxiv.org/abs/1412.6980
 */
export const adamax = ({ beta1, beta2, epsilon }: ConfigOf<"adamax">): UpdateRule => ({
  slots: { firstMoment: 0, infinityNorm: 0 },
  step: (value, gradient, slots, { learningRate, count }) => {
    const firstMoment = add(mul(slots.firstMoment!, beta1), mul(gradient, 1 - beta1));
    const infinityNorm = maximum(mul(slots.infinityNorm!, beta2), add(abs(gradient), epsilon));
    return {
      value: sub(value, mul(div(firstMoment, infinityNorm), learningRate / (1 - beta1 ** count))),
      slots: { firstMoment, infinityNorm },
    };
  },
});
