import { type CastAttrs, type GradConfig, type Tensor, zeros } from "@tensorflow/tfjs-core";

/**
 * The gradient of `cast`: that of the identity between floating-point numbers. Integers and booleans are steps, whose
 * gradient is zero.
 *
 * Unlike tfjs-core, which passes the gradient through a cast to integers as if nothing had been rounded.
 */
export const castGradient: GradConfig = {
  kernelName: "Cast",
  gradFunc: (gradient, _saved, attrs) => {
    const dy = gradient as Tensor;
    const { dtype } = attrs as unknown as CastAttrs;
    const steps = dtype !== "float32" && dtype !== "complex64";
    return { x: () => (steps ? zeros(dy.shape) : dy.clone()) };
  },
};
