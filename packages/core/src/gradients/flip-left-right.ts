import { type GradConfig, reverse, type Tensor } from "@tensorflow/tfjs-core";

/** The gradient of `image.flipLeftRight`: flipped back. tfjs-core has none. */
export const flipLeftRightGradient: GradConfig = {
  kernelName: "FlipLeftRight",
  gradFunc: (dy) => ({ image: () => reverse(dy as Tensor, 2) }),
};
