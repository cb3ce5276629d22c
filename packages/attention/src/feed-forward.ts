import { expectShape, ShapeError } from "@gradlab/core";
import {
  add,
  conv1d,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tidy,
} from "@tensorflow/tfjs-core";
import { type Activation, activationOf } from "./activation.js";
import { expectInteger } from "./expect-values.js";
import { type InitLinearOptions, initLinear, type LinearParams, linear } from "./linear.js";

/** Dense layers, one after the other, the same for every token. */
export interface FeedForwardParams {
  readonly layers: readonly LinearParams[];
}

/** The same layers as convolutions along the tokens. */
export interface ConvolutionParams {
  readonly layers: readonly ConvolutionLayer[];
}

export interface ConvolutionLayer {
  /** `[1, in, out]`. */
  readonly kernel: Tensor3D;
  /** `[out]`. */
  readonly bias?: Tensor1D;
}

export interface FeedForwardOptions {
  /** `"gelu"` unless given. */
  readonly activation?: Activation;
  /** Whether it stands after the last layer too; false unless given. */
  readonly activateLast?: boolean;
}

/**
 * Dense layers of the given sizes, before any training.
 *
 * @param sizes The width of the input, then that of the output of each layer: `[d, 4 * d, d]` of a transformer.
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when a size or an option is out of range.
 */
export function initFeedForward(
  sizes: readonly number[],
  { purpose = "feed-forward", ...options }: InitLinearOptions = {},
): FeedForwardParams {
  expectInteger("initFeedForward: sizes: length", sizes.length, 2);
  for (const size of sizes) expectInteger("initFeedForward: sizes", size, 1);
  return {
    layers: sizes.slice(1).map((outputs, i) => {
      return initLinear(sizes[i]!, outputs, { ...options, purpose: `${purpose}.layers.${i}` });
    }),
  };
}

/**
 * The same small network for every token: `activation(x · kernel + bias)` layer after layer.
 *
 * @param x `[..., tokens, width]`.
 * @returns `[..., tokens, width of the last layer]`; the caller disposes it.
 * @throws {ShapeError} when a layer does not fit what comes before it.
 * @see Vaswani et al. 2017, §3.3, https://arxiv.org/abs/1706.03762
 */
export function feedForward<T extends Tensor>(
  { layers }: FeedForwardParams,
  x: T,
  options: FeedForwardOptions = {},
): T {
  return run("feedForward", layers, x, options, linear) as T;
}

/**
 * The same network as convolutions with windows of one token. Outputs and gradients are those of `feedForward` with
 * `denseOf(params)`.
 *
 * @param x `[batch, tokens, width]`.
 * @returns `[batch, tokens, width of the last layer]`; the caller disposes it.
 * @throws {ShapeError} when a layer does not fit what comes before it.
 */
export function feedForwardByConvolution(
  { layers }: ConvolutionParams,
  x: Tensor3D,
  options: FeedForwardOptions = {},
): Tensor3D {
  const where = "feedForwardByConvolution";
  expectShape(`${where}: x`, x, [null, null, null]);
  return run(where, layers, x, options, (layer, given) => {
    expectShape(`${where}: kernel`, layer.kernel, [1, given.shape[2]!, null]);
    const y = conv1d(given as Tensor3D, layer.kernel, 1, "valid");
    return layer.bias === undefined ? y : add(y, layer.bias);
  }) as Tensor3D;
}

function run<Layer>(
  where: string,
  layers: readonly Layer[],
  x: Tensor,
  { activation = "gelu", activateLast = false }: FeedForwardOptions,
  apply: (layer: Layer, x: Tensor) => Tensor,
): Tensor {
  if (layers.length === 0) throw new ShapeError(`${where}: layers: expected at least one, got none`);
  const activate = activationOf(where, activation);
  return tidy(() => {
    let y = x;
    for (const [i, layer] of layers.entries()) {
      y = apply(layer, y);
      if (activateLast || i < layers.length - 1) y = activate(y);
    }
    return y;
  });
}

/** Dense layers as convolutions, `[in, out]` to `[1, in, out]`; differentiable. The caller disposes the result. */
export function convolutionOf({ layers }: FeedForwardParams): ConvolutionParams {
  return {
    layers: layers.map(({ kernel, bias }) => {
      const [inputs, outputs] = kernel.shape;
      return withBias(reshape(kernel, [1, inputs, outputs]) as Tensor3D, bias);
    }),
  };
}

/** Convolutions as dense layers, `[1, in, out]` to `[in, out]`; differentiable. The caller disposes the result. */
export function denseOf({ layers }: ConvolutionParams): FeedForwardParams {
  return {
    layers: layers.map(({ kernel, bias }) => {
      expectShape("denseOf: kernel", kernel, [1, null, null]);
      const [, inputs, outputs] = kernel.shape;
      return withBias(reshape(kernel, [inputs, outputs]) as Tensor2D, bias);
    }),
  };
}

function withBias<K extends Tensor>(kernel: K, bias: Tensor1D | undefined) {
  return bias === undefined ? { kernel } : { kernel, bias: bias.clone() as Tensor1D };
}
