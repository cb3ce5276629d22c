import { type GradConfig, greater, mul, type Tensor, where, zerosLike } from "@tensorflow/tfjs-core";
import { unbroadcast } from "./unbroadcast.js";

/**
 * The gradient of `prelu(x, alpha)`: that of `x` where it is positive, of `alpha x` elsewhere.
 *
 * Unlike tfjs-core, `alpha` may have more axes than `x`; tfjs-core throws.
 */
export const preluGradient: GradConfig = {
  kernelName: "Prelu",
  inputsToSave: ["x", "alpha"],
  gradFunc: (gradient, saved) => {
    const [x, alpha] = saved as [Tensor, Tensor];
    const dy = gradient as Tensor;
    const positive = () => greater(x, 0);
    return {
      x: () => unbroadcast(where(positive(), dy, mul(dy, alpha)), x.shape),
      alpha: () => unbroadcast(where(positive(), zerosLike(dy), mul(dy, x)), alpha.shape),
    };
  },
};
