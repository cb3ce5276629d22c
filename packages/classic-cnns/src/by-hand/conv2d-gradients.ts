import { extend } from "./pad.js";
import { expectVolume, type Filters, sizeOf, type Volume, zeros } from "./plane.js";
import { forEachTap, type LayerOptions, planOf, sidesOfPlan } from "./taps.js";
import { correlateBack } from "./transposed-conv2d.js";
import { outputSize } from "./window.js";

export interface Conv2dGradients {
  /** `[in][h][w]`, the transposed convolution of `dy`. */
  readonly x: number[][][];
  /** `[out][in / groups][kh][kw]`, the cross-correlation of the input with `dy`, whose taps lie a stride apart. */
  readonly filters: number[][][][];
  /** `[out]`, the sums of `dy`. */
  readonly bias: number[];
}

/**
 * The gradients of a loss by what went into `conv2d`, from its gradient by what came out. Two products as large as the
 * layer itself: the way back costs twice the way there.
 *
 * @param x `[in][h][w]`.
 * @param filters `[out][in / groups][kh][kw]`.
 * @param dy `[out][h'][w']`, the gradient of the loss by the output.
 * @throws {TypeError | RangeError} when something is not a finite number, sizes or channels do not fit together, or an
 *   option is out of range.
 */
export function conv2dGradients(
  x: Volume,
  filters: Filters,
  dy: Volume,
  options: LayerOptions = {},
): Conv2dGradients {
  expectVolume("conv2dGradients: x", x);
  const plan = planOf("conv2dGradients", x.length, sizeOf(x[0]!), filters, options);
  expectVolume("conv2dGradients: dy", dy, outputSize(plan.windows));
  if (dy.length !== filters.length) {
    throw new RangeError(`conv2dGradients: dy: expected ${filters.length} channels, got ${dy.length}`);
  }
  const padded = x.map((plane) => extend(plane, sidesOfPlan(plan), plan.paddingMode));
  const gradient = filters.map((filter) => filter.map((kernel) => zeros(sizeOf(kernel))));
  forEachTap(plan, (o, i, j, c, row, column, k, a, b) => {
    gradient[o]![k]![a]![b]! += padded[c]![row]![column]! * dy[o]![i]![j]!;
  });
  return {
    x: correlateBack(dy, filters, plan),
    filters: gradient,
    bias: dy.map((plane) => plane.flat().reduce((sum, value) => sum + value, 0)),
  };
}
