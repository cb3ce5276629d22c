import { add, div, mul, sqrt, square, sub, type Tensor } from "@tensorflow/tfjs-core";
import { runFused } from "../fused/run-fused.js";
import type { ConfigOf } from "./optimizer-config.js";
import type { UpdateRule } from "./update-rule.js";

/**
 * Adam: `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, then `w - η m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)` and
 * `v̂ = v / (1 - β₂ᵗ)`. The corrections are computed in double precision.
 *
 * @see Kingma and Ba 2015, algorithm 1, https://arxiv.org/abs/1412.6980
 */
export const adam = ({
  beta1,
  beta2,
  epsilon,
}: Pick<ConfigOf<"adam">, "beta1" | "beta2" | "epsilon">): UpdateRule => ({
  slots: { firstMoment: 0, secondMoment: 0 },
  step: (value, gradient, slots, { learningRate, count }) => {
    const firstMoment = add(mul(slots.firstMoment!, beta1), mul(gradient, 1 - beta1));
    const secondMoment = add(mul(slots.secondMoment!, beta2), mul(square(gradient), 1 - beta2));
    const root = mul(sqrt(secondMoment), 1 / Math.sqrt(1 - beta2 ** count));
    const direction = div(firstMoment, add(root, epsilon));
    return {
      value: sub(value, mul(direction, learningRate / (1 - beta1 ** count))),
      slots: { firstMoment, secondMoment },
    };
  },
  fused: (value, gradient, slots, move) => {
    const { firstMoment, secondMoment } = slots as { firstMoment: Tensor; secondMoment: Tensor };
    const outputs = runFused(
      "GradlabAdam",
      { value, gradient, firstMoment, secondMoment },
      { ...move, beta1, beta2, epsilon },
    );
    if (outputs === null) return null;
    const [next, first, second] = outputs as [Tensor, Tensor, Tensor];
    return { value: next, slots: { firstMoment: first, secondMoment: second } };
  },
});
