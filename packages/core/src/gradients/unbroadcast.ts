import { broadcast_util, reshape, sum, type Tensor } from "@tensorflow/tfjs-core";

/** Sums the gradient of a broadcast input over its copies, so that it has the input's shape again. */
export function unbroadcast(gradient: Tensor, shape: number[]): Tensor {
  const axes = broadcast_util.getReductionAxes(shape, gradient.shape);
  return axes.length === 0 && gradient.rank === shape.length ? gradient : reshape(sum(gradient, axes), shape);
}
