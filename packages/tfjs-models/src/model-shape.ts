import { conversionRefusal } from "./json-fields.js";

/** Sizes along the dimensions of a tensor, without the batch; null for one that is not known. */
export type Shape = readonly (number | null)[];

/** How many numbers a tensor of this shape has. */
export function sizeOf(shape: Shape): number | null {
  return shape.reduce((product, size) => (product === null || size === null ? null : product * size), 1);
}

/** More numbers than a tensor of a network has: half a gigabyte of float32. */
const mostNumbers = 2 ** 27;

/** Refuses an output that is too large to be made, as far as its sizes are known. */
export function expectSize(where: string, output: Shape | null): void {
  const known = (output ?? []).reduce<number>((product, size) => product * (size ?? 1), 1);
  if (known <= mostNumbers) return;
  throw conversionRefusal(
    where,
    `an output of at most ${mostNumbers} numbers`,
    `${output!.map((n) => n ?? "?").join("x")}`,
  );
}

/** The sizes along the axes of positions, cut to size: one for each axis, or one for all. */
export function sizeAlong(axes: Shape, size: readonly number[] | undefined, caller: string): Shape {
  if (size === undefined) return axes;
  if (size.length === axes.length) return size;
  if (size.length === 1) return axes.map(() => size[0]!);
  throw conversionRefusal(`${caller}: options.size`, `${axes.length} sizes`, `${size.length}`);
}

/** How many places a window has along an axis of `n`. */
export function alongWindow(
  n: number | null,
  { kernel, stride, dilation, valid }: { kernel: number; stride: number; dilation: number; valid: boolean },
): number | null {
  if (n === null) return null;
  return valid ? Math.floor((n - dilation * (kernel - 1) - 1) / stride) + 1 : Math.ceil(n / stride);
}
