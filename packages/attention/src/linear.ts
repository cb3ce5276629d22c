import { expectShape, ShapeError, xavierUniform } from "@gradlab/core";
import {
  add,
  matMul,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { expectInteger } from "./expect-values.js";

/** A dense layer. */
export interface LinearParams {
  /** `[in, out]`. */
  readonly kernel: Tensor2D;
  /** `[out]`; none where the layer has none. */
  readonly bias?: Tensor1D;
}

export interface InitLinearOptions {
  /** An integer of at least 0; 0 is a seed. */
  readonly seed?: number;
  /** Names the layer: layers of one seed and other names have other numbers. */
  readonly purpose?: string;
  /** True unless given. */
  readonly bias?: boolean;
}

/**
 * A dense layer before any training: Xavier-uniform, biases 0.
 *
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 */
export function initLinear(
  inputs: number,
  outputs: number,
  { seed = 0, purpose = "linear", bias = true }: InitLinearOptions = {},
): LinearParams {
  expectInteger("initLinear: inputs", inputs, 1);
  expectInteger("initLinear: outputs", outputs, 1);
  expectInteger("initLinear: seed", seed, 0);
  const kernel = xavierUniform([inputs, outputs], { seed, purpose: `${purpose}.kernel` }) as Tensor2D;
  return bias ? { kernel, bias: zeros([outputs]) as Tensor1D } : { kernel };
}

/**
 * `x · kernel + bias` on the last axis.
 *
 * @param x `[..., in]`.
 * @returns `[..., out]`; the caller disposes it.
 * @throws {ShapeError} when the layer does not fit `x`, or the bias the kernel.
 */
export function linear<T extends Tensor>({ kernel, bias }: LinearParams, x: T): T {
  const inputs = x.shape.at(-1);
  if (inputs === undefined || kernel.rank !== 2 || kernel.shape[0] !== inputs) {
    throw new ShapeError(`linear: x: expected [..., ${kernel.shape[0]}], got [${x.shape.join(", ")}]`);
  }
  const outputs = kernel.shape[1];
  if (bias !== undefined) expectShape("linear: bias", bias, [outputs]);
  return tidy(() => {
    const rows = reshape(x, [x.size / inputs, inputs]) as Tensor2D; // one matrix product for all
    const y = matMul(rows, kernel);
    return reshape(bias === undefined ? y : add(y, bias), [...x.shape.slice(0, -1), outputs]);
  }) as T;
}
