/**
 * Zeros of the padding, and zeros for outputs that are not there, take part in the fast products of a convolution. A zero
 * times infinity or NaN is NaN, where the definition has no term at all: then the products of single taps are taken, which
 * know only what is there.
 */
import { type BackendWasm, floats, release, sizeOf, type TensorInfo } from "../heap.js";
import type { SlidingWindow } from "../window.js";
import { allFinite } from "./all-finite.js";

/** Whether a tap of some output lies outside of the image. */
export const isPadded = ({ image, output, taps, stride, dilation, before }: SlidingWindow): boolean =>
  ([0, 1, 2] as const).some((axis) => {
    const last = (output[axis] - 1) * stride[axis] + (taps[axis] - 1) * dilation[axis] - before[axis];
    return before[axis] > 0 || last >= image[axis];
  });

/**
 * Whether zeros met something that is not finite among the numbers that they were multiplied by. Looks at the smaller of
 * these numbers and the result, which would show it; what decides are the numbers alone, so that a sample of a batch does
 * not decide for another.
 */
export function isSpoiled(backend: BackendWasm, factors: TensorInfo, result: TensorInfo): boolean {
  if (sizeOf(result.shape) < sizeOf(factors.shape) && allFinite(backend, result)) return false;
  return !allFinite(backend, factors);
}

/** `fast`, unless zeros that it multiplied `factors` by have spoiled it: then `exact()`. */
export function unlessSpoiled(
  backend: BackendWasm,
  factors: TensorInfo,
  fast: TensorInfo,
  exact: () => TensorInfo,
): TensorInfo {
  if (!isSpoiled(backend, factors, fast)) return fast;
  release(backend, fast);
  return exact();
}

/**
 * `fast` with the elements of `exact()` in the place of those that are not finite: each element by itself, so that none
 * depends on another one. XNNPACK's kernels for single channels make -Infinity of NaN.
 */
export function mendNonFinite(backend: BackendWasm, fast: TensorInfo, exact: () => TensorInfo): TensorInfo {
  if (allFinite(backend, fast)) return fast;
  const right = exact();
  const [to, from] = [floats(backend, fast), floats(backend, right)];
  for (let i = 0; i < to.length; i++) if (!Number.isFinite(to[i])) to[i] = from[i]!;
  release(backend, right);
  return fast;
}
