import { engine, type GradConfig, type MaxPoolAttrs, type Tensor } from "@tensorflow/tfjs-core";
import { explicitPad, type Pad } from "./explicit-pad.js";

/**
 * The gradients of `maxPool` and `maxPoolWithArgmax`: each output's goes to the largest element of its window.
 *
 * Unlike tfjs-core, which forgets `dimRoundingMode`, takes a numeric padding wrong around windows that are not square,
 * and has no gradient for the second.
 */
export const maxPoolGradients: readonly GradConfig[] = ["MaxPool", "MaxPoolWithArgmax"].map((kernelName) => ({
  kernelName,
  inputsToSave: ["x"],
  outputsToSave: [true],
  gradFunc: (gradient, saved, attrs) => {
    const [x, y] = saved as [Tensor, Tensor];
    const dy = (Array.isArray(gradient) ? gradient[0] : gradient) as Tensor;
    const { filterSize, strides, dimRoundingMode, ...rest } = attrs as unknown as MaxPoolAttrs;
    const pad = explicitPad(rest.pad as Pad);
    return {
      x: () =>
        engine().runKernel(
          "MaxPoolGrad",
          { dy, input: x, output: y },
          { filterSize, strides, pad, ...(dimRoundingMode && { dimRoundingMode }) },
        ),
    };
  },
}));
