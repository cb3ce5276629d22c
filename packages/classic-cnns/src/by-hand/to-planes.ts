import type { Plane } from "./plane.js";

/** Each row, `[h w]`, as a plane of rows of `width` numbers. */
export function toPlanes(rows: Plane, width: number): number[][][] {
  return rows.map((row) =>
    Array.from({ length: row.length / width }, (_, y) => row.slice(y * width, (y + 1) * width)),
  );
}
