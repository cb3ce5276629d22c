import { add, div, mul, sqrt, square, sub } from "@tensorflow/tfjs-core";
import type { ConfigOf } from "./optimizer-config.js";
import type { UpdateRule } from "./update-rule.js";

/**
 * Adagrad: `s ← s + g²`, then `w - η g / (√s + ε)`.
 *
 * @see Duchi, Hazan, Singer 2011, https://jmlr.org/papers/v12/duchi11a.html
 */
export const adagrad = ({ initialAccumulator, epsilon }: ConfigOf<"adagrad">): UpdateRule => ({
  slots: { squares: initialAccumulator },
  step: (value, gradient, slots, { learningRate }) => {
    const squares = add(slots.squares!, square(gradient));
    const direction = div(gradient, add(sqrt(squares), epsilon));
    return { value: sub(value, mul(direction, learningRate)), slots: { squares } };
  },
});
