import { expectNumbers } from "../expect-values.js";
import { alongRow, type ConvolutionOptions1d, correlatePlane } from "./cross-correlate.js";
import { expectPlane, type Plane } from "./plane.js";
import type { ConvolutionOptions } from "./taps.js";

/**
 * Convolution as mathematics means it: cross-correlation with the kernel turned around in both directions. With
 * padding `"full"`, `y[i][j] = Σ_a Σ_b k[a][b] x[i − a][j − b]`, and then `convolve(x, k) = convolve(k, x)`. What
 * networks call a convolution is the cross-correlation.
 *
 * @param x `[h][w]`.
 * @param kernel `[kh][kw]`.
 * @returns As `crossCorrelate`; `[h + kh − 1][w + kw − 1]` with padding `"full"`.
 * @throws {TypeError | RangeError} when something is not a finite number, no window fits, or an option is out of range.
 */
export function convolve(x: Plane, kernel: Plane, options: ConvolutionOptions = {}): number[][] {
  expectPlane("convolve: kernel", kernel);
  return correlatePlane("convolve", x, turn(kernel), options);
}

/**
 * Convolution along one axis; with padding `"full"`, `y[i] = Σ_a k[a] x[i − a]`, the product of two polynomials.
 *
 * @param x `[n]`.
 * @param kernel `[k]`.
 * @returns `[n']`; `[n + k − 1]` with padding `"full"`.
 * @throws {TypeError | RangeError} as {@link convolve}.
 */
export function convolve1d(
  x: readonly number[],
  kernel: readonly number[],
  options: ConvolutionOptions1d = {},
): number[] {
  expectNumbers("convolve1d: x", x);
  expectNumbers("convolve1d: kernel", kernel);
  return correlatePlane("convolve1d", [x], turn([kernel]), alongRow(options))[0]!;
}

/** The kernel by half a turn. */
function turn(kernel: Plane): number[][] {
  return kernel.map((row) => row.toReversed()).toReversed();
}
