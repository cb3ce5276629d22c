import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { axisOf, drawn, emptyShape, fill, shape, smoothFill } from "../arbitraries.js";
import { add, constant, type Dual, max, min, mul, one, scale, sub, sum } from "../dual.js";
import { exp, log, square } from "../functions.js";
import { type Grid, grid, indices, sizeOf } from "../grid.js";
import { type GeometryCase, type GeometryOp, ofEmpty } from "../op.js";

/** The axes that an argument names: none named is all, negative ones count from the end. */
export const axesOf = (rank: number, axis: number | readonly number[] | null | undefined): number[] =>
  axis === null || axis === undefined
    ? Array.from({ length: rank }, (_, i) => i)
    : [axis].flat().map((a) => (a < 0 ? a + rank : a));

/** `f` of the elements along some axes, which go or stay as 1. */
export function reduce(
  x: Grid,
  axis: number | readonly number[] | null | undefined,
  keepDims: boolean,
  f: (elements: Dual[]) => Dual,
  dtype = x.dtype,
): Grid {
  const axes = axesOf(x.shape.length, axis);
  const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const groups = Array.from({ length: sizeOf(kept) }, (): Dual[] => []);
  let flat = 0;
  for (const index of indices(x.shape)) {
    let group = 0;
    for (const [i, n] of kept.entries()) group = group * n + (axes.includes(i) ? 0 : index[i]!);
    groups[group]!.push(x.data[flat++]!);
  }
  const shape = keepDims ? kept : kept.filter((_, i) => !axes.includes(i));
  return { shape, dtype, data: groups.map(f) };
}

export const mean = (xs: readonly Dual[]): Dual => scale(sum(xs), 1 / xs.length);
export const variance = (xs: readonly Dual[]): Dual => mean(xs.map((x) => square(sub(x, mean(xs)))));
/** `log Σ exp x`, shifted by the largest value so that nothing overflows. */
export const logSumExp = (xs: readonly Dual[]): Dual => {
  const shift = constant(Math.max(...xs.map(({ v }) => v)));
  return add(log(sum(xs.map((x) => exp(sub(x, shift))))), shift);
};

/** No axis, one axis or some axes, counted from either end; not the same one twice. */
const axes = (rank: number): fc.Arbitrary<number | number[] | null> =>
  rank === 0
    ? fc.constant(null)
    : fc.oneof(
        fc.constant(null),
        fc.nat(2 * rank - 1).map((pick) => axisOf(rank, pick)),
        fc
          .uniqueArray(fc.nat(2 * rank - 1), {
            minLength: 1,
            maxLength: rank,
            selector: (pick) => pick % rank,
          })
          .map((picks) => picks.map((pick) => axisOf(rank, pick))),
      );

const reductionCases = (low: number, high: number, ties: boolean, shapes = shape(0, 4)) =>
  fc
    .record({ shape: shapes, fill: ties ? fill : smoothFill })
    .chain(({ shape, fill }) =>
      fc
        .record({ axis: axes(shape.length), keepDims: fc.boolean() })
        .map((attrs): GeometryCase => ({ inputs: [drawn(shape, fill, low, high)], attrs })),
    );

const reductions: readonly {
  readonly name: string;
  readonly f: (xs: Dual[]) => Dual;
  readonly low?: number;
  readonly high?: number;
  readonly kinks?: true;
  readonly second?: true;
}[] = [
  { name: "sum", f: sum, second: true },
  { name: "mean", f: mean, second: true },
  { name: "max", f: (xs) => xs.reduce(max), kinks: true, second: true },
  { name: "min", f: (xs) => xs.reduce(min), kinks: true, second: true },
  { name: "prod", f: (xs) => xs.reduce(mul, one), low: -1.5, high: 1.5 },
  { name: "logSumExp", f: logSumExp, second: true },
];

// biome-ignore lint/suspicious/noExplicitAny: looked up by name
const tfjsOf = (name: string) => (tf as any)[name] as (...args: any[]) => tf.Tensor;

/** Along one axis, the sum or product of the elements up to each one. */
function cumulative(
  x: Grid,
  { axis, exclusive, reverse }: { axis: number; exclusive: boolean; reverse: boolean },
  start: Dual,
  f: (a: Dual, b: Dual) => Dual,
): Grid {
  const [along] = axesOf(x.shape.length, axis) as [number];
  const stride = sizeOf(x.shape.slice(along + 1));
  const n = x.shape[along] ?? 1;
  let flat = 0;
  return grid(x.shape, (index) => {
    const i = index[along] ?? 0;
    const first = flat++ - i * stride;
    let total = start;
    for (let j = 0; j < n; j++) {
      const counts = reverse ? (exclusive ? j > i : j >= i) : exclusive ? j < i : j <= i;
      if (counts) total = f(total, x.data[first + j * stride]!);
    }
    return total;
  });
}

const cumulativeCases = (low: number, high: number, ties: boolean, shapes = shape(1, 4)) =>
  fc
    .record({
      shape: shapes,
      pick: fc.nat(23),
      exclusive: fc.boolean(),
      reverse: fc.boolean(),
      fill: ties ? fill : smoothFill,
    })
    .map(
      ({ shape, pick, exclusive, reverse, fill }): GeometryCase => ({
        inputs: [drawn(shape, fill, low, high)],
        attrs: { axis: axisOf(shape.length, pick), exclusive, reverse },
      }),
    );

export const reductionOps: readonly GeometryOp[] = [
  ...reductions.flatMap(({ name, f, low = -2, high = 2, kinks, second }): GeometryOp[] => {
    const ties = kinks === true || name === "prod";
    const op: GeometryOp = {
      name,
      // A product of many elements leaves the range of 32 bits.
      cases: reductionCases(low, high, ties, name === "prod" ? shape(0, 3) : shape(0, 4)),
      tfjs: ([x], { axis, keepDims }) => tfjsOf(name)(x, axis ?? undefined, keepDims),
      definition: ([x], { axis, keepDims }) => reduce(x!, axis, keepDims, f),
      ...(kinks ? { kinks } : {}),
      ...(second ? { second } : {}),
    };
    // The largest of no elements is not defined, nor is their mean.
    if (name !== "sum" && name !== "prod") return [op];
    return [op, ofEmpty(op, reductionCases(low, high, ties, emptyShape(3)))];
  }),
  {
    name: "cumsum of empty tensors",
    cases: cumulativeCases(-2, 2, true, emptyShape(3)),
    tfjs: ([x], { axis, exclusive, reverse }) => tf.cumsum(x, axis, exclusive, reverse),
    definition: ([x], attrs) => cumulative(x!, attrs, constant(0), add),
  },
  {
    name: "cumsum",
    cases: cumulativeCases(-2, 2, true),
    tfjs: ([x], { axis, exclusive, reverse }) => tf.cumsum(x, axis, exclusive, reverse),
    definition: ([x], attrs) => cumulative(x!, attrs, constant(0), add),
  },
  {
    name: "cumprod",
    cases: cumulativeCases(-1.5, 1.5, true, shape(1, 3)),
    tfjs: ([x], { axis, exclusive, reverse }) => tf.cumprod(x, axis, exclusive, reverse),
    definition: ([x], attrs) => cumulative(x!, attrs, one, mul),
  },
];
