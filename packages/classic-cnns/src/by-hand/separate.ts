import { expectFinite, rangeMismatch } from "../expect-argument.js";
import { expectNumbers } from "../expect-values.js";
import { correlatePlane } from "./cross-correlate.js";
import { expectPlane, type Plane } from "./plane.js";
import type { ConvolutionOptions } from "./taps.js";

/** A kernel of rank 1, `k[a][b] = column[a] · row[b]`. */
export interface SeparableKernel {
  /** `[kh]`, applied along y. */
  readonly column: readonly number[];
  /** `[kw]`, applied along x. */
  readonly row: readonly number[];
}

/**
 * A kernel as a column times a row, if there are such: exactly when it has rank 1 (or is zero).
 *
 * The row is that of the largest entry, and the column says how much of it the other rows are.
 *
 * @param kernel `[kh][kw]`.
 * @param tolerance The largest difference allowed, as a share of the largest entry; default 1e-12, a few thousand
 *   roundings.
 * @returns null when no column and row come that close.
 * @throws {TypeError | RangeError} when the kernel is not one of finite numbers, or the tolerance is below 0.
 */
export function separate(kernel: Plane, tolerance = 1e-12): SeparableKernel | null {
  expectPlane("separate: kernel", kernel);
  expectFinite("separate: tolerance", tolerance);
  if (tolerance < 0) throw rangeMismatch("separate: tolerance", "a number, at least 0", tolerance);
  const sizes = kernel.flat().map(Math.abs);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  if (largest === 0) return { column: kernel.map(() => 0), row: kernel[0]!.map(() => 0) };
  const at = sizes.indexOf(largest);
  const row = [...kernel[Math.floor(at / kernel[0]!.length)]!];
  const b = at % row.length;
  const column = kernel.map((taps) => taps[b]! / row[b]!);
  const isProduct = kernel.every((taps, i) =>
    taps.every((tap, j) => Math.abs(tap - column[i]! * row[j]!) <= tolerance * largest),
  );
  return isProduct ? { column, row } : null;
}

/**
 * Cross-correlation with a separable kernel in two passes, `kh + kw` multiplications per number instead of `kh · kw`:
 * down the columns, then along the rows.
 *
 * @param x `[h][w]`.
 * @returns `[h'][w']`, what `crossCorrelate` with the whole kernel gives, up to rounding.
 * @throws {TypeError | RangeError} as `crossCorrelate`.
 */
export function crossCorrelateSeparably(
  x: Plane,
  { column, row }: SeparableKernel,
  options: ConvolutionOptions = {},
): number[][] {
  const where = "crossCorrelateSeparably";
  expectNumbers(`${where}: column`, column);
  expectNumbers(`${where}: row`, row);
  const { stride = 1, dilation = 1, padding = 0, ...rest } = options;
  const only = <T, R>(value: T | readonly [T, T], a: 0 | 1, neutral: R): [T | R, T | R] => {
    const own = Array.isArray(value) ? (value as readonly [T, T])[a] : (value as T);
    return a === 0 ? [own, neutral] : [neutral, own];
  };
  const pass = (plane: Plane, kernel: Plane, a: 0 | 1) =>
    correlatePlane(where, plane, kernel, {
      ...rest,
      stride: only(stride, a, 1),
      dilation: only(dilation, a, 1),
      // Words fit as they stand: along an axis with one tap and stride 1 they add nothing.
      padding: typeof padding === "string" ? padding : only(padding, a, 0),
    });
  const upright = column.map((tap) => [tap]); // [kh][1]
  const between = pass(x, upright, 0); // [h'][w]
  return pass(between, [row], 1);
}
