import { fillUniform } from "@gradlab/random";
import type { Tensor } from "@tensorflow/tfjs-core";
import { expectSizes, type InitKey, make } from "./random-tensor.js";

export interface UniformTensorOptions extends InitKey {
  /** Finite; -0.05 unless given. */
  readonly low?: number;
  /** Finite, greater than `low`; 0.05 unless given. It is never drawn. */
  readonly high?: number;
}

/**
 * Numbers of the uniform distribution on [low, high).
 *
 * @param shape Of any rank.
 * @returns float32; the caller disposes it.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 */
export function uniformTensor(shape: readonly number[], options: UniformTensorOptions): Tensor {
  expectSizes("uniformTensor", shape);
  const { low = -0.05, high = 0.05 } = options;
  return make(shape, options, (stream, values) => fillUniform(stream, values, low, high));
}
