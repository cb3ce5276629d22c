import { type GradConfig, mul, neg, sub, type Tensor } from "@tensorflow/tfjs-core";
import { unbroadcast } from "./unbroadcast.js";

/**
 * The gradient of `(a - b)²`: `2 (a - b)` and its negative.
 *
 * Unlike tfjs-core, a broadcast input gets a gradient of its own shape; tfjs-core throws.
 */
export const squaredDifferenceGradient: GradConfig = {
  kernelName: "SquaredDifference",
  inputsToSave: ["a", "b"],
  gradFunc: (dy, saved) => {
    const [a, b] = saved as [Tensor, Tensor];
    const da = () => mul(dy as Tensor, mul(sub(a, b), 2));
    return {
      a: () => unbroadcast(da(), a.shape),
      b: () => unbroadcast(neg(da()), b.shape),
    };
  },
};
