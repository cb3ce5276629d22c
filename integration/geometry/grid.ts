import type { DataType } from "@tensorflow/tfjs-core";
import { type Dual, zero } from "./dual.js";

/** A tensor of dual numbers, last axis fastest. */
export interface Grid {
  readonly shape: readonly number[];
  readonly dtype: DataType;
  readonly data: readonly Dual[];
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The indices of a shape in order. They are one array that changes: copy what is kept. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const index = shape.map(() => 0);
  for (let left = sizeOf(shape); left > 0; left--) {
    yield index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** The tensor whose element at each index is `element(index)`. */
export function grid(
  shape: readonly number[],
  element: (index: readonly number[]) => Dual,
  dtype: DataType = "float32",
): Grid {
  const data: Dual[] = [];
  for (const index of indices(shape)) data.push(element(index));
  return { shape: [...shape], dtype, data };
}

/** The element at an index; undefined outside. */
function element(x: Grid, index: readonly number[]): Dual | undefined {
  let flat = 0;
  for (let axis = 0; axis < x.shape.length; axis++) {
    const i = index[axis]!;
    if (i < 0 || i >= x.shape[axis]!) return undefined;
    flat = flat * x.shape[axis]! + i;
  }
  return x.data[flat];
}

/** The element at an index. */
export function at(x: Grid, ...index: number[]): Dual {
  const found = element(x, index);
  if (found === undefined)
    throw new RangeError(`at: index: expected one within [${x.shape}], got [${index}]`);
  return found;
}

/** The element at an index, 0 outside: what a padded tensor holds. */
export const atOrZero = (x: Grid, ...index: number[]): Dual => element(x, index) ?? zero;

/** The element at an index, undefined outside. */
export const atOrNone = (x: Grid, ...index: number[]): Dual | undefined => element(x, index);

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
