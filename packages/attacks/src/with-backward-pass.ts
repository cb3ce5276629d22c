import { customGrad, grad, mul, sum, type Tensor, tidy } from "@tensorflow/tfjs-core";

/**
 * A function without a useful gradient, with the gradient of another one in its place: backward pass differentiable
 * approximation.
 *
 * @param forward Computes: rounding, quantization, a decoder, anything from `[n, ...]` to `[n, ...]`. Called in a `tidy`.
 * @param backward What it is taken for by the gradient: the identity unless given, which needs equal shapes.
 * @returns A function to be put before the classifier.
 * @see Athalye, Carlini, Wagner 2018, §4.1, https://arxiv.org/abs/1802.00420
 */
export function withBackwardPass(
  forward: (x: Tensor) => Tensor,
  backward?: (x: Tensor) => Tensor,
): (x: Tensor) => Tensor {
  const op = customGrad((x, save) => {
    const input = x as Tensor;
    (save as (tensors: Tensor[]) => void)([input]);
    return {
      value: tidy(() => forward(input)),
      gradFunc: (dy, saved) => {
        if (backward === undefined) return dy;
        return grad((z) => sum(mul(backward(z), dy)))(saved[0]!);
      },
    };
  });
  return (x) => op(x);
}
