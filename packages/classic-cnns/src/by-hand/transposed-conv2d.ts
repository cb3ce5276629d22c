import { fold } from "./pad.js";
import {
  expectFilters,
  expectVolume,
  type Filters,
  type Plane,
  type Size,
  sizeOf,
  type Volume,
  zeros,
} from "./plane.js";
import { type ConvolutionPlan, forEachTap, type LayerOptions, planOf, sidesOfPlan } from "./taps.js";
import { outputSize, perAxis, sidesOf } from "./window.js";

export interface TransposedConv2dOptions extends LayerOptions {
  /**
   * Height and width of the result; default the smallest, `(n − 1) s + (k − 1) d + 1 − p_begin − p_end`. With stride s,
   * up to s sizes shrink to the same one, so that the way back has a choice. Required with padding `"same"`.
   */
  readonly size?: Size;
}

/**
 * Transposed convolution, the adjoint of `conv2d` without bias: `⟨conv2d(x, w), y⟩ = ⟨x, transposedConv2d(y, w)⟩`.
 * Every input lays its multiple of the kernel on the output, stride apart, and where kernels overlap they add up. It
 * is the gradient of a convolution by its input, and enlarges where a convolution shrinks; no inverse.
 *
 * @param y `[out][h'][w']`.
 * @param filters `[out][in / groups][kh][kw]`, as for `conv2d`, so that `out` are the channels of `y`.
 * @param options Those of the convolution that is transposed.
 * @returns `[in][h][w]`.
 * @throws {TypeError | RangeError} when something is not a finite number, sizes or channels do not fit together, or an
 *   option is out of range.
 * @see Dumoulin, Visin 2016, A guide to convolution arithmetic for deep learning, §4, https://arxiv.org/abs/1603.07285
 */
export function transposedConv2d(
  y: Volume,
  filters: Filters,
  options: TransposedConv2dOptions = {},
): number[][][] {
  return transposeLayer("transposedConv2d", y, filters, options);
}

/**
 * Transposed convolution of one channel: `⟨crossCorrelate(x, k), y⟩ = ⟨x, transposedConvolve(y, k)⟩`.
 *
 * @param y `[h'][w']`.
 * @param kernel `[kh][kw]`.
 * @returns `[h][w]`, `h = (h' − 1) s + (kh − 1) d + 1 − p_begin − p_end` unless `size` says otherwise.
 * @throws {TypeError | RangeError} as {@link transposedConv2d}.
 */
export function transposedConvolve(
  y: Plane,
  kernel: Plane,
  options: Omit<TransposedConv2dOptions, "groups"> = {},
): number[][] {
  return transposeLayer("transposedConvolve", [y], [[kernel]], options)[0]!;
}

function transposeLayer(
  where: string,
  y: Volume,
  filters: Filters,
  { size, ...options }: TransposedConv2dOptions,
): number[][][] {
  expectVolume(`${where}: y`, y);
  expectFilters(`${where}: filters`, filters);
  if (y.length !== filters.length) {
    throw new RangeError(`${where}: y: expected ${filters.length} channels, one per filter, got ${y.length}`);
  }
  const from = sizeOf(y[0]!);
  const to =
    size === undefined
      ? smallestSize(where, from, sizeOf(filters[0]![0]!), options)
      : perAxis(`${where}: size`, size, 1);
  const channels = filters[0]!.length * (options.groups ?? 1);
  const plan = planOf(where, channels, to, filters, options);
  const expected = outputSize(plan.windows);
  if (from.join() !== expected.join()) {
    throw new RangeError(
      `${where}: size: expected one that the convolution brings to ${from.join("×")}, got ${to.join("×")}, which becomes ${expected.join("×")}`,
    );
  }
  return correlateBack(y, filters, plan);
}

function smallestSize(
  where: string,
  from: Size,
  kernel: Size,
  { stride = 1, dilation = 1, padding = 0 }: LayerOptions,
): Size {
  if (padding === "same") {
    throw new RangeError(`${where}: size: expected a height and width with padding "same", got undefined`);
  }
  const [strides, dilations] = [
    perAxis(`${where}: stride`, stride, 1),
    perAxis(`${where}: dilation`, dilation, 1),
  ];
  const along = (a: 0 | 1) => {
    const reach = (kernel[a] - 1) * dilations[a];
    const [begin, end] =
      padding === "full"
        ? [reach, reach]
        : sidesOf(`${where}: padding`, padding === "valid" ? 0 : padding, a);
    const length = (from[a] - 1) * strides[a] + reach + 1 - begin - end;
    if (length < 1) {
      throw new RangeError(`${where}: padding: expected to leave at least one row and column, got ${length}`);
    }
    return length;
  };
  return [along(0), along(1)];
}

/** The transpose of a plan's layer, for arguments that were checked. */
export function correlateBack(y: Volume, filters: Filters, plan: ConvolutionPlan): number[][][] {
  const [v, h] = plan.windows;
  const padded = Array.from({ length: plan.inputChannels }, () =>
    zeros([v.begin + v.inputs + v.end, h.begin + h.inputs + h.end]),
  );
  forEachTap(plan, (o, i, j, c, row, column, k, a, b) => {
    padded[c]![row]![column]! += filters[o]![k]![a]![b]! * y[o]![i]![j]!;
  });
  return padded.map((plane) => fold(plane, [v.inputs, h.inputs], sidesOfPlan(plan), plan.paddingMode));
}
