import type { Tensor } from "@tensorflow/tfjs-core";
import { expectSizes, type InitKey, normalAround } from "./random-tensor.js";

export interface NormalTensorOptions extends InitKey {
  /** Finite; 0 unless given. */
  readonly mean?: number;
  /** Standard deviation, finite, at least 0; 1 unless given. */
  readonly std?: number;
}

/**
 * Numbers of the normal distribution. With the defaults N(0, 1) this is what PyTorch gives an `Embedding`.
 *
 * @param shape Of any rank.
 * @returns float32; the caller disposes it.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 */
export function normalTensor(shape: readonly number[], options: NormalTensorOptions): Tensor {
  expectSizes("normalTensor", shape);
  const { mean = 0, std = 1 } = options;
  return normalAround(shape, options, mean, std);
}
