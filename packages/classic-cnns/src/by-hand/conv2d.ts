import { expectNumbers } from "../expect-values.js";
import { extend } from "./pad.js";
import { expectVolume, type Filters, sizeOf, type Volume, zeros } from "./plane.js";
import { type ConvolutionPlan, forEachTap, type LayerOptions, planOf, sidesOfPlan } from "./taps.js";
import { outputSize } from "./window.js";

export interface Conv2dOptions extends LayerOptions {
  /** One number per output channel, added everywhere; default none. */
  readonly bias?: readonly number[];
}

/**
 * A convolutional layer, as every framework means it: the cross-correlation of each input channel with its kernel,
 * summed over channels, `y[o][i][j] = b[o] + Σ_c Σ_a Σ_b w[o][c][a][b] x[c][i s + a d − p][j s + b d − p]`.
 *
 * @param x `[in][h][w]`.
 * @param filters `[out][in / groups][kh][kw]`.
 * @returns `[out][h'][w']`, `h' = ⌊(h + p_begin + p_end − (kh − 1) d − 1) / s⌋ + 1`.
 * @throws {TypeError | RangeError} when something is not a finite number, sizes or channels do not fit together, or an
 *   option is out of range.
 */
export function conv2d(x: Volume, filters: Filters, options: Conv2dOptions = {}): number[][][] {
  expectVolume("conv2d: x", x);
  const { bias, ...layer } = options;
  const plan = planOf("conv2d", x.length, sizeOf(x[0]!), filters, layer);
  if (bias !== undefined) expectNumbers("conv2d: bias", bias, filters.length);
  return correlate(x, filters, plan, bias);
}

/** The layer of a plan, for arguments that were checked. */
export function correlate(
  x: Volume,
  filters: Filters,
  plan: ConvolutionPlan,
  bias?: readonly number[],
): number[][][] {
  const padded = x.map((plane) => extend(plane, sidesOfPlan(plan), plan.paddingMode));
  const y = filters.map(() => zeros(outputSize(plan.windows)));
  forEachTap(plan, (o, i, j, c, row, column, k, a, b) => {
    y[o]![i]![j]! += filters[o]![k]![a]![b]! * padded[c]![row]![column]!;
  });
  return bias === undefined
    ? y
    : y.map((plane, o) => plane.map((row) => row.map((value) => value + bias[o]!)));
}
