import { expectInteger } from "../expect-values.js";
import type { Size } from "./plane.js";
import { expectGroups } from "./taps.js";
import { outputSize, type PerAxis, perAxis, type WindowOptions, windowsOf } from "./window.js";

export interface ConvCostOptions extends WindowOptions {
  /** Height and width of the input. */
  readonly size: Size;
  readonly inputChannels: number;
  readonly outputChannels: number;
  /** Height and width of the kernel. */
  readonly kernel: PerAxis<number>;
  /** Default 1. */
  readonly groups?: number;
  /** Samples, default 1. */
  readonly batch?: number;
}

/** What one layer takes on the way there and on the way back. */
export interface ThereAndBack {
  readonly forward: number;
  readonly backward: number;
}

export interface ConvCost {
  readonly outputSize: Size;
  /** Numbers in the kernels, without bias. */
  readonly weights: number;
  /** Multiplications with an addition each, those with zeros of the padding included. */
  readonly macs: ThereAndBack;
  /** Numbers that are read or written, each once; times 4 in bytes of float32. */
  readonly memory: ThereAndBack;
}

/**
 * What a convolutional layer without bias costs. Forward, every output number takes `in / groups · kh · kw` MACs, and
 * backward twice as many: one for the gradient of the input, one for that of the weights. So twice the channels on both
 * sides cost 4 times as much, and b groups, blocks on the diagonal of the matrix of channels, 1 / b.
 *
 * Forward touches x, w and y; backward x, w and dy, and writes dx and dw.
 *
 * @throws {TypeError | RangeError} when an option is out of range, or no window fits.
 */
export function convCost({
  size,
  inputChannels,
  outputChannels,
  kernel,
  groups = 1,
  batch = 1,
  ...options
}: ConvCostOptions): ConvCost {
  expectInteger("convCost: inputChannels", inputChannels, 1);
  expectInteger("convCost: outputChannels", outputChannels, 1);
  expectGroups("convCost", groups, inputChannels, outputChannels);
  expectInteger("convCost: batch", batch, 1);
  const input = perAxis("convCost: size", size, 1);
  const taps = perAxis("convCost: kernel", kernel, 1);
  const output = outputSize(windowsOf("convCost", input, taps, options));
  const weights = outputChannels * (inputChannels / groups) * taps[0] * taps[1];
  const x = batch * inputChannels * input[0] * input[1];
  const y = batch * outputChannels * output[0] * output[1];
  const macs = batch * output[0] * output[1] * weights;
  return {
    outputSize: output,
    weights,
    macs: { forward: macs, backward: 2 * macs },
    memory: { forward: x + weights + y, backward: 2 * (x + weights) + y },
  };
}
