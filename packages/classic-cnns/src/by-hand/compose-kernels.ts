import { convolve } from "./convolve.js";
import { expectPlane, type Plane } from "./plane.js";

/**
 * The one kernel that does the work of two in turn, their convolution with padding `"full"`:
 * `crossCorrelate(crossCorrelate(x, a), b) = crossCorrelate(x, composeKernels(a, b))`, for the `"valid"` outputs of
 * both. Two 3x3 see 5x5; without something between them that is not linear, two layers are one.
 *
 * @param a `[h1][w1]`.
 * @param b `[h2][w2]`.
 * @returns `[h1 + h2 − 1][w1 + w2 − 1]`.
 * @throws {TypeError | RangeError} when a kernel is not one of finite numbers.
 */
export function composeKernels(a: Plane, b: Plane): number[][] {
  expectPlane("composeKernels: a", a);
  expectPlane("composeKernels: b", b);
  return convolve(a, b, { padding: "full" });
}
