import type { Tensor } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "../expect-argument.js";
import { expectPositive } from "../expect-values.js";
import { type Fans, fansOf } from "./fans.js";
import { expectSizes, type InitKey, normalAround, uniformWithin } from "./random-tensor.js";

export interface HeOptions extends InitKey, Partial<Fans> {
  /** A factor for the nonlinearity, greater than 0; √2, which is right for ReLU, unless given. */
  readonly gain?: number;
  /** Keep the variance of the activations (`"fanIn"`, the default) or of the gradients. */
  readonly mode?: "fanIn" | "fanOut";
}

/**
 * He (Kaiming) initialization, normal: N(0, std²) with `std = gain / √fan`.
 *
 * @param shape `[in, out]` or `[..window, in, out]`, see `fans`; any shape when both fans are given.
 * @returns float32; the caller disposes it.
 * @throws {ShapeError} when the fans of the shape are not defined.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 * @see He, Zhang, Ren, Sun 2015, §2.2, https://arxiv.org/abs/1502.01852
 */
export function heNormal(shape: readonly number[], options: HeOptions): Tensor {
  return normalAround(shape, options, 0, heStd("heNormal", shape, options));
}

/**
 * He (Kaiming) initialization, uniform: U(-a, a) with `a = gain · √(3 / fan)`.
 *
 * @param shape `[in, out]` or `[..window, in, out]`, see `fans`; any shape when both fans are given.
 * @returns float32; the caller disposes it.
 * @throws {ShapeError} when the fans of the shape are not defined.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 * @see He, Zhang, Ren, Sun 2015, §2.2, https://arxiv.org/abs/1502.01852
 */
export function heUniform(shape: readonly number[], options: HeOptions): Tensor {
  return uniformWithin(shape, options, Math.sqrt(3) * heStd("heUniform", shape, options));
}

function heStd(where: string, shape: readonly number[], options: HeOptions): number {
  expectSizes(where, shape);
  const { gain = Math.SQRT2, mode = "fanIn" } = options;
  expectPositive(`${where}: gain`, gain);
  if (mode !== "fanIn" && mode !== "fanOut") {
    throw rangeMismatch(`${where}: mode`, `"fanIn" or "fanOut"`, mode);
  }
  return gain / Math.sqrt(fansOf(where, shape, options)[mode]);
}
