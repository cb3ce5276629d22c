import { expectPlane, type Plane, type Size, sizeOf } from "./plane.js";
import { type PerAxis, perAxis, type WindowOptions, windowsOf } from "./window.js";

export interface PoolOptions extends Omit<WindowOptions, "dilation"> {
  /** Height and width of the window. */
  readonly window: PerAxis<number>;
  /** Default the window, so that windows tile the plane. */
  readonly stride?: PerAxis<number>;
}

export interface AveragePoolOptions extends PoolOptions {
  /** Whether the zeros of the padding are averaged too, as PyTorch does by default and tfjs never; default true. */
  readonly countPadding?: boolean;
}

/**
 * The largest number of each window; padding never wins. A volume is pooled channel by channel:
 * `x.map((plane) => maxPool(plane, options))`.
 *
 * @param x `[h][w]`.
 * @returns `[h'][w']`, `h' = ⌊(h + p_begin + p_end − window) / stride⌋ + 1`.
 * @throws {TypeError | RangeError} when something is not a finite number, no window fits, a window could lie in the
 *   padding alone, or an option is out of range.
 */
export function maxPool(x: Plane, options: PoolOptions): number[][] {
  return pool("maxPool", x, options, largest);
}

/**
 * The smallest number of each window, by way of the largest: `min(x) = −max(−x)`.
 *
 * @param x `[h][w]`.
 * @returns `[h'][w']`, as {@link maxPool}.
 * @throws {TypeError | RangeError} as {@link maxPool}.
 */
export function minPool(x: Plane, options: PoolOptions): number[][] {
  expectPlane("minPool: x", x);
  return negative(pool("minPool", negative(x), options, largest));
}

/**
 * The mean of each window; without padding the cross-correlation with {@link averageKernel} at the same stride.
 *
 * @param x `[h][w]`.
 * @returns `[h'][w']`, as {@link maxPool}.
 * @throws {TypeError | RangeError} as {@link maxPool}.
 */
export function averagePool(x: Plane, { countPadding = true, ...options }: AveragePoolOptions): number[][] {
  return pool("averagePool", x, options, (numbers, area) => {
    const sum = numbers.reduce((total, value) => total + value, 0);
    return sum / (countPadding ? area : numbers.length);
  });
}

/**
 * The kernel that makes a convolution an average pooling: `1 / (h w)` everywhere.
 *
 * @param window Height and width.
 * @returns `[h][w]`.
 * @throws {TypeError | RangeError} when the window is not one or two integers, at least 1.
 */
export function averageKernel(window: PerAxis<number>): number[][] {
  const [height, width] = perAxis("averageKernel: window", window, 1);
  return Array.from({ length: height }, () => new Array<number>(width).fill(1 / (height * width)));
}

function pool(
  where: string,
  x: Plane,
  { window, stride = window, ...options }: PoolOptions,
  reduce: (numbers: readonly number[], area: number) => number,
): number[][] {
  expectPlane(`${where}: x`, x);
  const size = perAxis(`${where}: window`, window, 1);
  const windows = windowsOf(where, sizeOf(x), size, { ...options, stride });
  for (const { begin, end, kernel } of windows) {
    if (Math.max(begin, end) >= kernel) {
      throw new RangeError(
        `${where}: padding: expected less than the window's ${kernel}, got ${Math.max(begin, end)}`,
      );
    }
  }
  const [v, h] = windows;
  return Array.from({ length: v.outputs }, (_, i) =>
    Array.from({ length: h.outputs }, (_, j) =>
      reduce(inside(x, [i * v.stride - v.begin, j * h.stride - h.begin], size), size[0] * size[1]),
    ),
  );
}

/** The numbers of a window that lie on the plane. */
function inside(x: Plane, [top, left]: Size, [height, width]: Size): number[] {
  return x.slice(Math.max(top, 0), top + height).flatMap((row) => row.slice(Math.max(left, 0), left + width));
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

function negative(x: Plane): number[][] {
  return x.map((row) => row.map((value) => -value));
}
