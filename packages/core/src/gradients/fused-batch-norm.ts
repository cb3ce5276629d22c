import {
  add,
  type FusedBatchNormAttrs,
  type GradConfig,
  mul,
  neg,
  rsqrt,
  sub,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { unbroadcast } from "./unbroadcast.js";

/**
 * The gradient of `batchNorm`, `y = (x - mean) r scale + offset` with `r = 1 / √(variance + ε)`:
 * `dx = dy scale r`, `dmean = -Σ dx`, `dvariance = -½ Σ dx (x - mean) r²`, `dscale = Σ dy (x - mean) r`,
 * `doffset = Σ dy`, each summed over the copies that broadcasting made.
 *
 * Unlike tfjs-core, `scale` and `offset` may be missing (`repairEngine` puts ones and zeros in their places), and the
 * moments may have any shape that broadcasts.
 */
export const fusedBatchNormGradient: GradConfig = {
  kernelName: "FusedBatchNorm",
  inputsToSave: ["x", "mean", "variance", "scale", "offset"],
  gradFunc: (gradient, saved, attrs) => {
    const [x, mean, variance, scale, offset] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const dy = gradient as Tensor;
    const { varianceEpsilon } = attrs as unknown as FusedBatchNormAttrs;
    const r = () => rsqrt(add(variance, varianceEpsilon));
    const dx = () => mul(dy, mul(r(), scale));
    const normalized = () => mul(sub(x, mean), r());
    return {
      x: dx,
      mean: () => neg(unbroadcast(dx(), mean.shape)),
      variance: () => mul(unbroadcast(mul(mul(dx(), normalized()), r()), variance.shape), -0.5),
      scale: () => unbroadcast(mul(dy, normalized()), scale.shape),
      offset: () => unbroadcast(dy, offset.shape),
    };
  },
};
