import type { Tensor } from "@tensorflow/tfjs-core";
import { expectPositive } from "../expect-values.js";
import { type Fans, fansOf } from "./fans.js";
import { expectSizes, type InitKey, normalAround, uniformWithin } from "./random-tensor.js";

export interface XavierOptions extends InitKey, Partial<Fans> {
  /** A factor for the nonlinearity (5/3 for tanh is usual), greater than 0; 1 unless given. */
  readonly gain?: number;
}

/**
 * Xavier (Glorot) initialization, normal: N(0, std²) with `std = gain · √(2 / (fanIn + fanOut))`.
 *
 * @param shape `[in, out]` or `[..window, in, out]`, see `fans`; any shape when both fans are given.
 * @returns float32; the caller disposes it.
 * @throws {ShapeError} when the fans of the shape are not defined.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 * @see Glorot and Bengio 2010, §4.2.1, https://proceedings.mlr.press/v9/glorot10a.html
 */
export function xavierNormal(shape: readonly number[], options: XavierOptions): Tensor {
  return normalAround(shape, options, 0, xavierStd("xavierNormal", shape, options));
}

/**
 * Xavier (Glorot) initialization, uniform: U(-a, a) with `a = gain · √(6 / (fanIn + fanOut))`.
 *
 * @param shape `[in, out]` or `[..window, in, out]`, see `fans`; any shape when both fans are given.
 * @returns float32; the caller disposes it.
 * @throws {ShapeError} when the fans of the shape are not defined.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 * @see Glorot and Bengio 2010, equation 16, https://proceedings.mlr.press/v9/glorot10a.html
 */
export function xavierUniform(shape: readonly number[], options: XavierOptions): Tensor {
  return uniformWithin(shape, options, Math.sqrt(3) * xavierStd("xavierUniform", shape, options));
}

function xavierStd(where: string, shape: readonly number[], options: XavierOptions): number {
  expectSizes(where, shape);
  const { gain = 1 } = options;
  expectPositive(`${where}: gain`, gain);
  const { fanIn, fanOut } = fansOf(where, shape, options);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}
