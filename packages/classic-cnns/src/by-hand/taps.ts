import { expectInteger } from "../expect-values.js";
import { expectPaddingMode, type PaddingMode } from "./pad.js";
import { expectFilters, type Filters, type Size, sizeOf } from "./plane.js";
import { type WindowOptions, type Windows, windowsOf } from "./window.js";

export interface ConvolutionOptions extends WindowOptions {
  /** What stands in the padding, default `"zero"`. */
  readonly paddingMode?: PaddingMode;
}

export interface LayerOptions extends ConvolutionOptions {
  /**
   * Blocks that channels are split into, default 1: filters of one block see the input channels of that block alone.
   * As many groups as input channels make a depthwise convolution.
   */
  readonly groups?: number;
}

/** A convolution with everything settled but its numbers. */
export interface ConvolutionPlan {
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly groups: number;
  readonly windows: Windows;
  readonly paddingMode: PaddingMode;
}

export function planOf(
  where: string,
  inputChannels: number,
  input: Size,
  filters: Filters,
  { groups = 1, paddingMode = "zero", ...options }: LayerOptions,
): ConvolutionPlan {
  expectFilters(`${where}: filters`, filters);
  expectPaddingMode(`${where}: paddingMode`, paddingMode);
  expectGroups(where, groups, inputChannels, filters.length);
  const [outputChannels, perGroup] = [filters.length, filters[0]!.length];
  if (perGroup * groups !== inputChannels) {
    throw new RangeError(
      `${where}: filters: expected ${inputChannels / groups} kernels per filter, for ${inputChannels} channels in ${groups} groups, got ${perGroup}`,
    );
  }
  const windows = windowsOf(where, input, sizeOf(filters[0]![0]!), options);
  return { inputChannels, outputChannels, groups, windows, paddingMode };
}

/** Groups that divide the channels of both sides. */
export function expectGroups(where: string, groups: number, inputs: number, outputs: number): void {
  expectInteger(`${where}: groups`, groups, 1);
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw new RangeError(
      `${where}: groups: expected a divisor of ${inputs} input and ${outputs} output channels, got ${groups}`,
    );
  }
}

/** The padding of a plan, `[begin, end]` along y and along x. */
export function sidesOfPlan({ windows: [y, x] }: ConvolutionPlan) {
  return [[y.begin, y.end] as const, [x.begin, x.end] as const] as const;
}

/** Output `[o][i][j]` and padded input `[c][y][x]` meet in the weight `[o][k][a][b]`; `c` is `k`'th of its group. */
type VisitTap = (
  o: number,
  i: number,
  j: number,
  c: number,
  y: number,
  x: number,
  k: number,
  a: number,
  b: number,
) => void;

/**
 * The idea of this folder. A convolution is a list of triples (output, input, weight): what stands at two of the
 * three, multiplied, is added to the third. Onto the output it is the layer; onto the input its transpose, the
 * gradient of the input; onto the weight the gradient of the weights. One visit is one multiplication of each.
 */
export function forEachTap(
  { inputChannels, outputChannels, groups, windows: [v, h] }: ConvolutionPlan,
  visit: VisitTap,
): void {
  const [inputsPerGroup, outputsPerGroup] = [inputChannels / groups, outputChannels / groups];
  for (let o = 0; o < outputChannels; o++) {
    const firstInput = Math.floor(o / outputsPerGroup) * inputsPerGroup;
    for (let i = 0; i < v.outputs; i++) {
      for (let j = 0; j < h.outputs; j++) {
        for (let k = 0; k < inputsPerGroup; k++) {
          for (let a = 0; a < v.kernel; a++) {
            for (let b = 0; b < h.kernel; b++) {
              const [y, x] = [i * v.stride + a * v.dilation, j * h.stride + b * h.dilation];
              visit(o, i, j, firstInput + k, y, x, k, a, b);
            }
          }
        }
      }
    }
  }
}
