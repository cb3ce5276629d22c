import { typeMismatch } from "../expect-argument.js";
import { expectOneOf } from "../expect-values.js";
import { expectPlane, type Plane, type Size, sizeOf, zeros } from "./plane.js";
import { type Padding, sidesOf } from "./window.js";

/**
 * What stands outside the input 1 2 3, going left: `"zero"` 0 0 0 · `"edge"` 1 1 1 · `"reflect"` 2 3 2 (mirrored
 * at the outermost number) · `"symmetric"` 1 2 3 (mirrored behind it) · `"circular"` 3 2 1 (from the other side).
 */
export type PaddingMode = "zero" | "edge" | "reflect" | "symmetric" | "circular";

const modes: readonly PaddingMode[] = ["zero", "edge", "reflect", "symmetric", "circular"];

/** `[begin, end]` along y and along x. */
type Sides = readonly [y: readonly [number, number], x: readonly [number, number]];

/**
 * A plane with a border around it: `y[i][j] = x[i − top][j − left]`, with the numbers of `mode` outside. Padding wider
 * than the plane goes on mirroring, or around, as NumPy does.
 *
 * @param plane `[h][w]`.
 * @param padding A number of rows and columns, or one entry per axis, each a number or `[begin, end]`; at least 0.
 * @returns `[top + h + bottom][left + w + right]`.
 * @throws {TypeError | RangeError} when the plane is not one of finite numbers, or an option is out of range.
 */
export function pad(plane: Plane, padding: Exclude<Padding, string>, mode: PaddingMode = "zero"): number[][] {
  expectPlane("pad: plane", plane);
  if (typeof padding === "string") {
    throw typeMismatch("pad: padding", "a number or one entry per axis", padding);
  }
  expectPaddingMode("pad: mode", mode);
  return extend(plane, [sidesOf("pad: padding", padding, 0), sidesOf("pad: padding", padding, 1)], mode);
}

export function expectPaddingMode(where: string, mode: PaddingMode): void {
  expectOneOf(where, mode, modes);
}

export function extend(plane: Plane, sides: Sides, mode: PaddingMode): number[][] {
  const [rows, columns] = sourcesOf(sizeOf(plane), sides, mode);
  return rows.map((y) => columns.map((x) => (y === null || x === null ? 0 : plane[y]![x]!)));
}

/** The adjoint of `extend`: every number of the border is added to the one it was copied from. */
export function fold(padded: Plane, size: Size, sides: Sides, mode: PaddingMode): number[][] {
  const [rows, columns] = sourcesOf(size, sides, mode);
  const plane = zeros(size);
  for (const [i, y] of rows.entries()) {
    for (const [j, x] of columns.entries()) {
      if (y !== null && x !== null) plane[y]![x]! += padded[i]![j]!;
    }
  }
  return plane;
}

/** Where each row and each column of the padded plane comes from; null for a zero. */
function sourcesOf(
  size: Size,
  sides: Sides,
  mode: PaddingMode,
): readonly [rows: (number | null)[], columns: (number | null)[]] {
  const along = (a: 0 | 1) => {
    const [begin, end] = sides[a];
    return Array.from({ length: begin + size[a] + end }, (_, i) => source(i - begin, size[a], mode));
  };
  return [along(0), along(1)];
}

function source(i: number, n: number, mode: PaddingMode): number | null {
  if (i >= 0 && i < n) return i;
  switch (mode) {
    case "zero":
      return null;
    case "edge":
      return i < 0 ? 0 : n - 1;
    case "circular":
      return modulo(i, n);
    case "symmetric": {
      const at = modulo(i, 2 * n);
      return Math.min(at, 2 * n - 1 - at);
    }
    case "reflect": {
      if (n === 1) return 0;
      const at = modulo(i, 2 * n - 2);
      return Math.min(at, 2 * n - 2 - at);
    }
  }
}

function modulo(i: number, n: number): number {
  return ((i % n) + n) % n;
}
