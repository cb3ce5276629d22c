import { matMul } from "./mat-mul.js";
import { expectPaddingMode, extend, fold } from "./pad.js";
import {
  expectPlane,
  expectVolume,
  type Filters,
  type Plane,
  type Size,
  sizeOf,
  type Volume,
  zeros,
} from "./plane.js";
import { type ConvolutionOptions, type LayerOptions, planOf } from "./taps.js";
import { toPlanes } from "./to-planes.js";
import { type PerAxis, perAxis, type Windows, windowsOf } from "./window.js";

export interface Im2colOptions extends ConvolutionOptions {
  /** Height and width of the kernel. */
  readonly kernel: PerAxis<number>;
}

/**
 * Every window of a volume as a column: row `(c · kh + a) · kw + b` holds what tap `(a, b)` on channel `c` sees, in
 * the order of the outputs. A number is copied as often as windows read it; then one matrix product is the layer.
 *
 * @param x `[in][h][w]`.
 * @returns `[in · kh · kw][h' · w']`.
 * @throws {TypeError | RangeError} when something is not a finite number, no window fits, or an option is out of range.
 */
export function im2col(x: Volume, { kernel, paddingMode = "zero", ...options }: Im2colOptions): number[][] {
  expectVolume("im2col: x", x);
  expectPaddingMode("im2col: paddingMode", paddingMode);
  const windows = windowsOf("im2col", sizeOf(x[0]!), perAxis("im2col: kernel", kernel, 1), options);
  const sides = sidesOfWindows(windows);
  return x.flatMap((plane) => {
    const padded = extend(plane, sides, paddingMode);
    return tapsOf(windows).map((reads) => reads.map(([y, x]) => padded[y]![x]!));
  });
}

/**
 * The adjoint of `im2col`: every column goes back to its window, and where windows overlap they add up,
 * `⟨im2col(x), m⟩ = ⟨x, col2im(m)⟩`. `col2im(im2col(x))` is `x` times the number of windows that read each number.
 *
 * @param columns `[in · kh · kw][h' · w']`.
 * @param size Height and width of the result.
 * @param options Those of `im2col`.
 * @returns `[in][h][w]`.
 * @throws {TypeError | RangeError} when something is not a finite number, the columns are not those of such a volume,
 *   or an option is out of range.
 */
export function col2im(
  columns: Plane,
  size: Size,
  { kernel, paddingMode = "zero", ...options }: Im2colOptions,
): number[][][] {
  expectPaddingMode("col2im: paddingMode", paddingMode);
  const [height, width] = perAxis("col2im: size", size, 1);
  const windows = windowsOf("col2im", [height, width], perAxis("col2im: kernel", kernel, 1), options);
  const [v, h] = windows;
  const taps = v.kernel * h.kernel;
  expectPlane("col2im: columns", columns, [columns.length, v.outputs * h.outputs]);
  if (columns.length % taps !== 0) {
    throw new RangeError(`col2im: columns: expected a multiple of ${taps} rows, got ${columns.length}`);
  }
  return Array.from({ length: columns.length / taps }, (_, c) => {
    const padded = zeros([v.begin + height + v.end, h.begin + width + h.end]);
    for (const [tap, reads] of tapsOf(windows).entries()) {
      for (const [i, [y, x]] of reads.entries()) padded[y]![x]! += columns[c * taps + tap]![i]!;
    }
    return fold(padded, [height, width], sidesOfWindows(windows), paddingMode);
  });
}

/**
 * `conv2d` as a product of two matrices per group, `[out][in · kh · kw]` times `im2col(x)`.
 *
 * @param x `[in][h][w]`.
 * @param filters `[out][in / groups][kh][kw]`.
 * @returns `[out][h'][w']`.
 * @throws {TypeError | RangeError} as `conv2d`.
 */
export function conv2dByMatMul(x: Volume, filters: Filters, options: LayerOptions = {}): number[][][] {
  expectVolume("conv2dByMatMul: x", x);
  const { groups, windows } = planOf("conv2dByMatMul", x.length, sizeOf(x[0]!), filters, options);
  const [, across] = windows;
  const { groups: _, ...rest } = options;
  const blockOf = <T>(list: readonly T[], g: number) =>
    list.slice((g * list.length) / groups, ((g + 1) * list.length) / groups);
  return Array.from({ length: groups }, (_, g) => {
    const weights = blockOf(filters, g).map((filter) => filter.flat(2)); // [out / groups][in / groups · kh · kw]
    const columns = im2col(blockOf(x, g), { ...rest, kernel: sizeOf(filters[0]![0]!) });
    return toPlanes(matMul(weights, columns), across.outputs);
  }).flat();
}

function sidesOfWindows([y, x]: Windows) {
  return [[y.begin, y.end] as const, [x.begin, x.end] as const] as const;
}

/** For every tap, the positions of the padded input that it reads, output by output. */
function tapsOf([v, h]: Windows): (readonly [y: number, x: number])[][] {
  return Array.from({ length: v.kernel * h.kernel }, (_, tap) => {
    const [a, b] = [Math.floor(tap / h.kernel), tap % h.kernel];
    return Array.from({ length: v.outputs * h.outputs }, (_, output) => {
      const [i, j] = [Math.floor(output / h.outputs), output % h.outputs];
      return [i * v.stride + a * v.dilation, j * h.stride + b * h.dilation] as const;
    });
  });
}
