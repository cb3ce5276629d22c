import { expectNumbers } from "../expect-values.js";
import { correlate } from "./conv2d.js";
import { expectPlane, type Plane, sizeOf } from "./plane.js";
import { type ConvolutionOptions, planOf } from "./taps.js";
import type { Padding } from "./window.js";

/** The options of a convolution along one axis. */
export interface ConvolutionOptions1d extends Omit<ConvolutionOptions, "stride" | "dilation" | "padding"> {
  /** Default 1. */
  readonly stride?: number;
  /** Default 1. */
  readonly dilation?: number;
  /** A number for both ends, `[begin, end]`, or as for two axes; default 0. */
  readonly padding?: number | readonly [begin: number, end: number] | Extract<Padding, string>;
}

/**
 * Cross-correlation, the kernel laid on as it stands: `y[i][j] = Σ_a Σ_b k[a][b] x[i s + a d − p][j s + b d − p]`.
 *
 * @param x `[h][w]`.
 * @param kernel `[kh][kw]`.
 * @returns `[h'][w']`, `h' = ⌊(h + p_begin + p_end − (kh − 1) d − 1) / s⌋ + 1`.
 * @throws {TypeError | RangeError} when something is not a finite number, no window fits, or an option is out of range.
 */
export function crossCorrelate(x: Plane, kernel: Plane, options: ConvolutionOptions = {}): number[][] {
  return correlatePlane("crossCorrelate", x, kernel, options);
}

/**
 * Cross-correlation along one axis, `y[i] = Σ_a k[a] x[i s + a d − p]`: that of two planes of one row.
 *
 * @param x `[n]`.
 * @param kernel `[k]`.
 * @returns `[n']`.
 * @throws {TypeError | RangeError} as {@link crossCorrelate}.
 */
export function crossCorrelate1d(
  x: readonly number[],
  kernel: readonly number[],
  options: ConvolutionOptions1d = {},
): number[] {
  expectNumbers("crossCorrelate1d: x", x);
  expectNumbers("crossCorrelate1d: kernel", kernel);
  return correlatePlane("crossCorrelate1d", [x], [kernel], alongRow(options))[0]!;
}

export function correlatePlane(
  where: string,
  x: Plane,
  kernel: Plane,
  options: ConvolutionOptions,
): number[][] {
  expectPlane(`${where}: x`, x);
  expectPlane(`${where}: kernel`, kernel);
  const filters = [[kernel]];
  return correlate([x], filters, planOf(where, 1, sizeOf(x), filters, options))[0]!;
}

/** The options along one axis as those of a plane of one row. */
export function alongRow({
  stride = 1,
  dilation = 1,
  padding = 0,
  ...options
}: ConvolutionOptions1d): ConvolutionOptions {
  return {
    ...options,
    stride: [1, stride],
    dilation: [1, dilation],
    padding: typeof padding === "string" ? padding : [0, padding],
  };
}
