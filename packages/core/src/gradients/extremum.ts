import {
  cast,
  type GradConfig,
  greater,
  greaterEqual,
  less,
  lessEqual,
  mul,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { unbroadcast } from "./unbroadcast.js";

type Compare = (a: Tensor, b: Tensor) => Tensor;

/** The gradient goes to the input that was chosen; of equal ones to `a`. */
function extremumGradient(kernelName: string, takesA: Compare, takesB: Compare): GradConfig {
  return {
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [Tensor, Tensor];
      const share = (takes: Compare, shape: number[]) =>
        unbroadcast(mul(dy as Tensor, cast(takes(a, b), "float32")), shape);
      return { a: () => share(takesA, a.shape), b: () => share(takesB, b.shape) };
    },
  };
}

/**
 * The gradients of `maximum` and `minimum`.
 *
 * Unlike tfjs-core, a broadcast input (a scalar too) gets a gradient of its own shape; tfjs-core throws.
 */
export const extremumGradients: readonly GradConfig[] = [
  extremumGradient("Maximum", greaterEqual, less),
  extremumGradient("Minimum", lessEqual, greater),
];
