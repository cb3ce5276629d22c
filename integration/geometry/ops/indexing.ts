/** Ops that read or write where indices say. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { axisOf, drawn, emptyShape, fill, integers, shape, size, smoothFill } from "../arbitraries.js";
import { add, constant, type Dual, one, zero } from "../dual.js";
import { at, type Grid, grid, indices, range, sizeOf } from "../grid.js";
import type { GeometryCase, GeometryOp, Input } from "../op.js";
import { axesOf, reduce } from "./reductions.js";

/** Rows of indices into the first axes of a shape, one row for each index of `outer`. */
const places = (outer: readonly number[], into: readonly number[], seed: number): Input => {
  const columns = into.map((n, i) => integers(outer, seed, 0, n - 1, i + 3).values);
  const rows = sizeOf(outer);
  return {
    shape: [...outer, into.length],
    dtype: "int32",
    values: range(rows).flatMap((r) => columns.map((column) => column[r]!)),
  };
};

/** Rows of indices of which no two are the same. */
const differentPlaces = (count: number, into: readonly number[], seed: number): Input => {
  const all = [...indices(into)].length;
  const order = drawn([all], { seed, ties: false }).values.map((v, i) => ({ v, i }));
  order.sort((a, b) => a.v - b.v);
  const flat = order.slice(0, count).map(({ i }) => i);
  const rows = flat.map((f) => {
    let rest = f;
    const row = into.map((_, axis) => {
      const below = sizeOf(into.slice(axis + 1));
      const i = Math.floor(rest / below);
      rest %= below;
      return i;
    });
    return row;
  });
  return { shape: [rows.length, into.length], dtype: "int32", values: rows.flat() };
};

/** The row of `x` (its last axis) at an index. */
const row = (x: Grid, index: readonly number[]): number[] =>
  range(x.shape.at(-1)!).map((i) => at(x, ...index, i).v);

/** A tensor that `update` changes in place, row by row. */
function scattered(start: Grid, where: Grid, updates: Grid, update: (old: Dual, by: Dual) => Dual): Grid {
  const data = [...start.data];
  const depth = where.shape.at(-1)!;
  const inner = start.shape.slice(depth);
  for (const index of indices(where.shape.slice(0, -1))) {
    const outer = row(where, index);
    for (const rest of indices(inner)) {
      const flat = [...outer, ...rest].reduce((f, i, axis) => f * start.shape[axis]! + i, 0);
      data[flat] = update(data[flat]!, at(updates, ...index, ...rest));
    }
  }
  return { ...start, data };
}

const scatterCases = (different: boolean) =>
  fc
    .record({
      shape: shape(1, 4),
      depth: fc.nat(3),
      outer: fc.array(size(3), { minLength: 1, maxLength: different ? 1 : 2 }),
      seed: fc.nat(999),
      fill: smoothFill,
    })
    .map(({ shape, depth, outer, seed, fill }) => {
      const into = shape.slice(0, 1 + (depth % shape.length));
      const where = different
        ? differentPlaces(Math.min(outer[0]!, sizeOf(into)), into, seed)
        : places(outer, into, seed);
      const updates = drawn([...where.shape.slice(0, -1), ...shape.slice(into.length)], fill, -2, 2, 1);
      return { shape, where, updates, fill };
    });

interface GatherAttrs {
  readonly axis: number;
  readonly batchDims: number;
}

/** `y[p, i, q] = x[p, indices[batch of p, i], q]`. */
function gather(x: Grid, where: Grid, { axis, batchDims }: GatherAttrs): Grid {
  const [along] = axesOf(x.shape.length, axis) as [number];
  const own = where.shape.slice(batchDims);
  return grid(
    [...x.shape.slice(0, along), ...own, ...x.shape.slice(along + 1)],
    (index) => {
      const before = index.slice(0, along);
      const spot = index.slice(along, along + own.length);
      const after = index.slice(along + own.length);
      return at(x, ...before, at(where, ...before.slice(0, batchDims), ...spot).v, ...after);
    },
    x.dtype,
  );
}

const topk: GeometryOp = {
  name: "topk",
  cases: fc.record({ shape: shape(1, 3), k: fc.nat(4), fill: smoothFill }).map(
    ({ shape, k, fill }): GeometryCase => ({
      inputs: [drawn(shape, fill)],
      attrs: { k: 1 + (k % shape.at(-1)!) },
    }),
  ),
  tfjs: ([x], { k }) => {
    const { values, indices } = tf.topk(x, k, true);
    return [values, indices];
  },
  definition: ([x], { k }) => {
    const n = x!.shape.at(-1)!;
    const outer = x!.shape.slice(0, -1);
    // Of equal elements the first comes first.
    const order = (index: readonly number[]) =>
      range(n).sort((i, j) => at(x!, ...index, j).v - at(x!, ...index, i).v || i - j);
    return [
      grid([...outer, k], (index) => {
        const before = index.slice(0, -1);
        return at(x!, ...before, order(before)[index.at(-1)!]!);
      }),
      grid([...outer, k], (index) => constant(order(index.slice(0, -1))[index.at(-1)!]!), "int32"),
    ];
  },
};

export const indexingOps: readonly GeometryOp[] = [
  {
    name: "gather",
    cases: fc
      .record({
        shape: shape(1, 4),
        pick: fc.nat(23),
        batch: fc.nat(2),
        own: shape(0, 2),
        seed: fc.nat(999),
        fill: smoothFill,
      })
      .map(({ shape, pick, batch, own, seed, fill }): GeometryCase => {
        const axis = axisOf(shape.length, pick);
        const along = axis < 0 ? axis + shape.length : axis;
        const batchDims = Math.min(batch, along);
        return {
          inputs: [
            drawn(shape, fill),
            integers([...shape.slice(0, batchDims), ...own], seed, 0, shape[along]! - 1),
          ],
          attrs: { axis, batchDims },
        };
      }),
    tfjs: ([x, where], { axis, batchDims }) => tf.gather(x, where, axis, batchDims),
    definition: ([x, where], attrs) => gather(x!, where!, attrs),
    second: true,
    leavesOut: ["indices outside the axis (cpu: 'the index value … is not in [0, …]')"],
  },
  {
    name: "gather of no indices",
    cases: fc.record({ shape: shape(1, 3), pick: fc.nat(23), fill: smoothFill, own: emptyShape(2) }).map(
      ({ shape, pick, fill, own }): GeometryCase => ({
        inputs: [drawn(shape, fill), { shape: own, dtype: "int32", values: [] }],
        attrs: { axis: axisOf(shape.length, pick), batchDims: 0 },
      }),
    ),
    tfjs: ([x, where], { axis, batchDims }) => tf.gather(x, where, axis, batchDims),
    definition: ([x, where], attrs) => gather(x!, where!, attrs),
  },
  {
    name: "gatherND",
    cases: fc
      .record({
        shape: shape(1, 4),
        depth: fc.nat(3),
        outer: shape(1, 2),
        seed: fc.nat(999),
        fill: smoothFill,
      })
      .map(
        ({ shape, depth, outer, seed, fill }): GeometryCase => ({
          inputs: [drawn(shape, fill), places(outer, shape.slice(0, 1 + (depth % shape.length)), seed)],
          attrs: {},
        }),
      ),
    tfjs: ([x, where]) => tf.gatherND(x, where),
    definition: ([x, where]) => {
      const outer = where!.shape.slice(0, -1);
      return grid([...outer, ...x!.shape.slice(where!.shape.at(-1)!)], (index) =>
        at(x!, ...row(where!, index.slice(0, outer.length)), ...index.slice(outer.length)),
      );
    },
  },
  {
    name: "scatterND",
    cases: scatterCases(false).map(
      ({ shape, where, updates }): GeometryCase => ({ inputs: [where, updates], attrs: { shape } }),
    ),
    tfjs: ([where, updates], { shape }) => tf.scatterND(where, updates, shape),
    definition: ([where, updates], { shape }) =>
      scattered(
        grid(shape, () => zero),
        where!,
        updates!,
        add,
      ),
  },
  {
    name: "tensorScatterUpdate",
    cases: scatterCases(true).map(
      ({ shape, where, updates, fill }): GeometryCase => ({
        inputs: [drawn(shape, fill), where, updates],
        attrs: {},
      }),
    ),
    tfjs: ([x, where, updates]) => tf.tensorScatterUpdate(x, where, updates),
    definition: ([x, where, updates]) => scattered(x!, where!, updates!, (_, by) => by),
    leavesOut: ["an index twice: which update stays is not defined"],
  },
  {
    name: "sparseToDense",
    cases: fc
      .record({
        shape: shape(1, 4),
        count: size(5),
        seed: fc.nat(999),
        fill: smoothFill,
        default: fc.constantFrom(0, 1.5),
      })
      .map(({ shape, count, seed, fill, default: rest }): GeometryCase => {
        const where = differentPlaces(Math.min(count, sizeOf(shape)), shape, seed);
        return {
          inputs: [where, drawn([where.shape[0]!], fill), { shape: [], values: [rest] }],
          attrs: { shape },
        };
      }),
    tfjs: ([where, values, rest], { shape }) => tf.sparseToDense(where, values, shape, rest),
    definition: ([where, values, rest], { shape }) =>
      scattered(
        grid(shape, () => at(rest!)),
        where!,
        values!,
        (_, by) => by,
      ),
    leavesOut: ["an index twice"],
  },
  {
    name: "unsortedSegmentSum",
    cases: fc
      .record({
        shape: shape(1, 4),
        rank: fc.constant(1),
        segments: size(5),
        seed: fc.nat(999),
        fill: smoothFill,
      })
      .map(
        ({ shape, rank, segments, seed, fill }): GeometryCase => ({
          inputs: [drawn(shape, fill), integers(shape.slice(0, rank), seed, 0, segments - 1)],
          attrs: { segments },
        }),
      ),
    tfjs: ([x, ids], { segments }) => tf.unsortedSegmentSum(x, ids, segments),
    definition: ([x, ids], { segments }) =>
      grid([segments, ...x!.shape.slice(1)], ([s, ...rest]) =>
        range(x!.shape[0]!)
          .filter((i) => at(ids!, i).v === s)
          .reduce((sum, i) => add(sum, at(x!, i, ...rest)), zero),
      ),
    leavesOut: ["segment ids that are negative or too large"],
  },
  {
    name: "oneHot",
    cases: fc
      .record({
        shape: shape(0, 3),
        depth: fc.integer({ min: 2, max: 6 }),
        seed: fc.nat(999),
        on: fc.constantFrom(1, 3),
        off: fc.constantFrom(0, -1),
      })
      .map(
        ({ shape, depth, seed, on, off }): GeometryCase => ({
          inputs: [integers(shape, seed, 0, depth)],
          attrs: { depth, on, off },
        }),
      ),
    tfjs: ([x], { depth, on, off }) => tf.oneHot(x, depth, on, off),
    definition: ([x], { depth, on, off }) =>
      grid(
        [...x!.shape, depth],
        (index) => constant(at(x!, ...index.slice(0, -1)).v === index.at(-1) ? on : off),
        "int32",
      ),
    noGradient: "of integers",
    leavesOut: ["a depth of 1 ('depth must be >=2')"],
  },
  topk,
  {
    ...topk,
    name: "topk of equal elements",
    cases: fc.record({ shape: shape(1, 3), k: fc.nat(4), seed: fc.nat(999) }).map(
      ({ shape, k, seed }): GeometryCase => ({
        inputs: [drawn(shape, { seed, ties: true })],
        attrs: { k: 1 + (k % shape.at(-1)!) },
      }),
    ),
    noGradient:
      "the k-th of equal elements is neither convex nor concave: both sides say nothing about slopes between",
  },
  ...(["argMax", "argMin"] as const).map(
    (name): GeometryOp => ({
      name,
      cases: fc.record({ shape: shape(1, 4), pick: fc.nat(23), fill }).map(
        ({ shape, pick, fill }): GeometryCase => ({
          inputs: [drawn(shape, fill)],
          attrs: { axis: axisOf(shape.length, pick) },
        }),
      ),
      tfjs: ([x], { axis }) => (name === "argMax" ? tf.argMax(x, axis) : tf.argMin(x, axis)),
      definition: ([x], { axis }) =>
        reduce(
          x!,
          axis,
          false,
          (xs) => {
            const values = xs.map(({ v }) => v);
            const best = name === "argMax" ? Math.max(...values) : Math.min(...values);
            return constant(values.indexOf(best));
          },
          "int32",
        ),
      noGradient: "an index",
    }),
  ),
  {
    name: "denseBincount",
    cases: fc
      .record({
        rows: fc.constantFrom(0, 1, 2, 3),
        n: size(8),
        bins: size(6),
        seed: fc.nat(999),
        fill: smoothFill,
        weighted: fc.boolean(),
        binary: fc.boolean(),
      })
      .map(({ rows, n, bins, seed, fill, weighted, binary }): GeometryCase => {
        const own = rows === 0 ? [n] : [rows, n];
        return {
          inputs: [integers(own, seed, 0, bins), ...(weighted ? [drawn(own, fill)] : [])],
          attrs: { bins, binary: binary && !weighted },
        };
      }),
    tfjs: ([x, weights], { bins, binary }) => tf.denseBincount(x, weights ?? tf.tensor1d([]), bins, binary),
    definition: ([x, weights], { bins, binary }) => {
      const outer = x!.shape.slice(0, -1);
      return grid([...outer, bins], (index) => {
        const before = index.slice(0, -1);
        const members = range(x!.shape.at(-1)!).filter((i) => at(x!, ...before, i).v === index.at(-1));
        if (binary) return members.length > 0 ? one : zero;
        return members.reduce((sum, i) => add(sum, weights ? at(weights, ...before, i) : one), zero);
      });
    },
    leavesOut: ["weights with a binary output, whose weights TensorFlow ignores and tfjs does not"],
  },
  {
    name: "bincount",
    cases: fc
      .record({ n: size(8), bins: size(6), seed: fc.nat(999), fill: smoothFill, weighted: fc.boolean() })
      .map(
        ({ n, bins, seed, fill, weighted }): GeometryCase => ({
          inputs: [integers([n], seed, 0, bins), ...(weighted ? [drawn([n], fill)] : [])],
          attrs: { bins },
        }),
      ),
    tfjs: ([x, weights], { bins }) => tf.bincount(x, weights ?? tf.tensor1d([]), bins),
    definition: ([x, weights], { bins }) =>
      grid([bins], ([bin]) =>
        range(x!.shape[0]!)
          .filter((i) => at(x!, i).v === bin)
          .reduce((sum, i) => add(sum, weights ? at(weights, i) : one), zero),
      ),
  },
];
