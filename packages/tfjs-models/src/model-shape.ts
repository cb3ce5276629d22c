/** Sizes along the dimensions of a tensor, without the batch; null for one that is not known. */
export type Shape = readonly (number | null)[];

/** How many numbers a tensor of this shape has. */
export function sizeOf(shape: Shape): number | null {
  return shape.reduce((product, size) => (product === null || size === null ? null : product * size), 1);
}

/** How many places a window has along an axis of `n`. */
export function alongWindow(
  n: number | null,
  { kernel, stride, dilation, valid }: { kernel: number; stride: number; dilation: number; valid: boolean },
): number | null {
  if (n === null) return null;
  return valid ? Math.floor((n - dilation * (kernel - 1) - 1) / stride) + 1 : Math.ceil(n / stride);
}
