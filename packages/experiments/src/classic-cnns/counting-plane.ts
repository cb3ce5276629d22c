import type { Plane } from "@gradlab/classic-cnns/by-hand";

/** first, first + 1, … row by row. */
export function countingPlane(height: number, width: number, first = 0): number[][] {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => first + y * width + x),
  );
}

/** Every number raised. */
export function plus(plane: Plane, value: number): number[][] {
  return plane.map((row) => row.map((one) => one + value));
}
