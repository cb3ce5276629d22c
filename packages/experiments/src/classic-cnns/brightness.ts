import type { Picture } from "@gradlab/studies";

/** Luma of ITU-R BT.601, 0 … 1, `[y][x]`. */
export function brightness({ width, height, data }: Picture): number[][] {
  return Array.from({ length: height }, (_, i) =>
    Array.from({ length: width }, (_, j) => {
      const at = 3 * (i * width + j);
      return (0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!) / 255;
    }),
  );
}
