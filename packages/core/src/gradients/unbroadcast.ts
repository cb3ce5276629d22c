import { reshape, sum, type Tensor, zeros } from "@tensorflow/tfjs-core";

/**
 * Sums the gradient of a broadcast input over its copies, so that it has the input's shape again. Always a tensor of its
 * own: the tape disposes it when a second gradient of the same input is added, and `dy` may be that of another input.
 */
export function unbroadcast(gradient: Tensor, shape: number[]): Tensor {
  // No copy at all: the kernels of some backends read what lies behind an empty tensor.
  if (gradient.size === 0) return zeros(shape);
  const added = gradient.rank - shape.length;
  const axes = gradient.shape
    .map((_, i) => i)
    .filter((i) => i < added || shape[i - added] !== gradient.shape[i]);
  return axes.length === 0 && added === 0 ? gradient.clone() : reshape(sum(gradient, axes), shape);
}
