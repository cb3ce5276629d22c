import type { Tensor } from "@tensorflow/tfjs-core";
import { type Fans, fansOf } from "./fans.js";
import { expectSizes, type InitKey, uniformWithin } from "./random-tensor.js";

export interface TorchUniformOptions extends InitKey, Partial<Pick<Fans, "fanIn">> {}

/**
 * What PyTorch gives its layers: U(-a, a) with `a = 1 / √fanIn`.
 *
 * For the weights of `Linear` and `Conv` the fan is that of the shape. Their bias takes the fan of the weight, and
 * everything in an `LSTM` or `GRU` the number of hidden units: give it as `fanIn`. (`Embedding` is N(0, 1):
 * `normalTensor`.)
 *
 * @param shape `[in, out]` or `[..window, in, out]`, see `fans`; any shape when `fanIn` is given.
 * @returns float32; the caller disposes it.
 * @throws {ShapeError} when the fans of the shape are not defined.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html and `torch.nn.LSTM`, "Variables"
 */
export function torchUniform(shape: readonly number[], options: TorchUniformOptions): Tensor {
  expectSizes("torchUniform", shape);
  const { fanIn: given } = options;
  const { fanIn } = fansOf("torchUniform", shape, given === undefined ? {} : { fanIn: given, fanOut: 1 });
  return uniformWithin(shape, options, 1 / Math.sqrt(fanIn));
}
