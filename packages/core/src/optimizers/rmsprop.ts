import { add, div, maximum, mul, sqrt, square, sub } from "@tensorflow/tfjs-core";
import type { ConfigOf } from "./optimizer-config.js";
import type { UpdateRule } from "./update-rule.js";

/**
 * RMSProp: `s ← α s + (1 - α) g²`, then `w - η g / (√s + ε)`; centered with `√max(s - ḡ², 0)` for `√s`, where `ḡ` is the
 * running mean of `g`; with momentum `b ← μ b + g / (√s + ε)`, `w - η b`.
 *
 * The maximum is for a difference that rounding has made negative, which for large steady gradients it does.
 *
 * @see Tieleman and Hinton 2012; Graves 2013, equations 38 to 41 (centered), https://arxiv.org/abs/1308.0850
 */
export const rmsprop = ({ decay, momentum, epsilon, centered }: ConfigOf<"rmsprop">): UpdateRule => ({
  slots: {
    meanSquare: 0,
    ...(centered && { meanGradient: 0 }),
    ...(momentum > 0 && { momentum: 0 }),
  },
  step: (value, gradient, slots, { learningRate }) => {
    const meanSquare = add(mul(slots.meanSquare!, decay), mul(square(gradient), 1 - decay));
    const meanGradient = centered && add(mul(slots.meanGradient!, decay), mul(gradient, 1 - decay));
    const variance = meanGradient ? maximum(sub(meanSquare, square(meanGradient)), 0) : meanSquare;
    const scaled = div(gradient, add(sqrt(variance), epsilon));
    const direction = momentum > 0 ? add(mul(slots.momentum!, momentum), scaled) : scaled;
    return {
      value: sub(value, mul(direction, learningRate)),
      slots: {
        meanSquare,
        ...(meanGradient && { meanGradient }),
        ...(momentum > 0 && { momentum: direction }),
      },
    };
  },
});
