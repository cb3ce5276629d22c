import { engine, type GradConfig, less, mul, type Tensor, where, zerosLike } from "@tensorflow/tfjs-core";

/** The gradient of the gradient of `elu`, `dy` where y ≥ 0 and `dy (y + 1)` elsewhere. tfjs-core has none. */
export const eluGradGradient: GradConfig = {
  kernelName: "EluGrad",
  inputsToSave: ["dy", "y"],
  gradFunc: (gradient, saved) => {
    const [dy, y] = saved as [Tensor, Tensor];
    const ddx = gradient as Tensor;
    return {
      dy: () => engine().runKernel("EluGrad", { dy: ddx, y }) as Tensor,
      y: () => where(less(y, 0), mul(ddx, dy), zerosLike(dy)),
    };
  },
};
