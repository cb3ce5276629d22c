import type { LayerCall } from "@gradlab/receptive-field";
import { slice, type Tensor4D } from "@tensorflow/tfjs-core";

/** tfjs-core's explicit padding of a `[batch, h, w, channels]` tensor. */
export type ExplicitPadding = [[0, 0], [number, number], [number, number], [0, 0]];

/**
 * What a window layer reads, with explicit padding for it: crops what its windows never reach before they begin, and
 * leaves units at the end alone (rounding down drops them too). Explicit, because tfjs-core's numeric padding is wrong
 * for windows that are not square.
 */
export function windowInput(
  x: Tensor4D,
  { padding, kernel, stride, dilation, outputSize }: LayerCall,
): { x: Tensor4D; pad: ExplicitPadding } {
  const [batch, , , channels] = x.shape;
  const begins = padding.map(([begin]) => Math.max(0, -begin));
  const sizes = padding.map(([begin, end], axis) => {
    const n = x.shape[axis + 1]! - begins[axis]!;
    const extent = dilation[axis]! * (kernel[axis]! - 1) + 1;
    const fits = Math.floor((n + Math.max(0, begin) + Math.max(0, end) - extent) / stride[axis]!) + 1;
    return fits === outputSize[axis] ? n : n + Math.min(0, end);
  });
  const whole = begins.every((n) => n === 0) && sizes.every((n, axis) => n === x.shape[axis + 1]);
  const [top, bottom] = padding[0]!.map((n) => Math.max(0, n)) as [number, number];
  const [left, right] = padding[1]!.map((n) => Math.max(0, n)) as [number, number];
  return {
    x: whole ? x : slice(x, [0, ...begins, 0], [batch, ...sizes, channels]),
    pad: [[0, 0], [top, bottom], [left, right], [0, 0]], // biome-ignore format: pairs
  };
}
