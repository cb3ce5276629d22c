import { type GradConfig, type Tensor, zeros } from "@tensorflow/tfjs-core";

/**
 * The gradient of `floorDiv`, a step function: zero.
 *
 * Unlike tfjs-core, which gives that of the division before it is rounded.
 */
export const floorDivGradient: GradConfig = {
  kernelName: "FloorDiv",
  inputsToSave: ["a", "b"],
  gradFunc: (_dy, saved) => {
    const [a, b] = saved as [Tensor, Tensor];
    return { a: () => zeros(a.shape), b: () => zeros(b.shape) };
  },
};
