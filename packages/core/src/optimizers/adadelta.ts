import { add, div, mul, sqrt, square, sub } from "@tensorflow/tfjs-core";
import type { ConfigOf } from "./optimizer-config.js";
import type { UpdateRule } from "./update-rule.js";

/**
 * Adadelta: `s ← ρ s + (1 - ρ) g²`, `Δ = g √(u + ε) / √(s + ε)`, `u ← ρ u + (1 - ρ) Δ²`, then `w - η Δ` (η is 1 in the
 * paper).
 *
 * @see Zeiler 2012, algorithm 1, https://arxiv.org/abs/1212.5701
 */
export const adadelta = ({ rho, epsilon }: ConfigOf<"adadelta">): UpdateRule => ({
  slots: { squares: 0, updates: 0 },
  step: (value, gradient, slots, { learningRate }) => {
    const squares = add(mul(slots.squares!, rho), mul(square(gradient), 1 - rho));
    const ratio = div(sqrt(add(slots.updates!, epsilon)), sqrt(add(squares, epsilon)));
    const delta = mul(ratio, gradient);
    const updates = add(mul(slots.updates!, rho), mul(square(delta), 1 - rho));
    return { value: sub(value, mul(delta, learningRate)), slots: { squares, updates } };
  },
});
