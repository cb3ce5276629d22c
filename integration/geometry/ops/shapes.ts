/** Ops that move elements: cut, join, turn, pad, repeat. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import {
  axisOf,
  booleans,
  drawn,
  emptyShape,
  type Fill,
  integers,
  shape,
  size,
  smoothFill,
} from "../arbitraries.js";
import { add, constant, mul, one, zero } from "../dual.js";
import { at, atOrNone, type Grid, grid, sizeOf } from "../grid.js";
import { type GeometryCase, type GeometryOp, type Input, ofEmpty } from "../op.js";
import { axesOf } from "./reductions.js";

type DType = "float32" | "int32" | "bool";
const dtypes = fc.constantFrom<DType>("float32", "float32", "float32", "int32", "bool");

/** An input of any of the three types. */
const typed = (shape: readonly number[], { seed, ties }: Fill, dtype: DType, salt = 0): Input =>
  dtype === "float32"
    ? drawn(shape, { seed, ties }, -2, 2, salt)
    : dtype === "int32"
      ? integers(shape, seed, -9, 9, salt)
      : booleans(shape, seed + salt);

const withRank = <T>(least: number, most: number, attrs: (shape: number[]) => fc.Arbitrary<T>) =>
  fc.record({ shape: shape(least, most), fill: smoothFill, dtype: dtypes }).chain(({ shape, fill, dtype }) =>
    attrs(shape).map(
      (attrs): GeometryCase => ({
        inputs: [typed(shape, fill, dtype)],
        attrs: attrs as object as Record<string, unknown>,
      }),
    ),
  );

/** The element of `x` that `source` names for each index of the result. */
const moved = (
  x: Grid,
  shape: readonly number[],
  source: (index: readonly number[]) => readonly number[],
): Grid => grid(shape, (index) => at(x, ...source(index)), x.dtype);

const concat = (xs: readonly Grid[], axis: number): Grid => {
  const [along] = axesOf(xs[0]!.shape.length, axis) as [number];
  const shape = [...xs[0]!.shape];
  shape[along] = xs.reduce((n, x) => n + x.shape[along]!, 0);
  return grid(
    shape,
    (index) => {
      const own = [...index];
      for (const x of xs) {
        if (own[along]! < x.shape[along]!) return at(x, ...own);
        own[along]! -= x.shape[along]!;
      }
      throw new RangeError("concat: no part has this index");
    },
    xs[0]!.dtype,
  );
};

const slice = (x: Grid, begin: readonly number[], size: readonly number[]): Grid =>
  moved(x, size, (index) => index.map((i, axis) => i + begin[axis]!));

/** Parts of given sizes along an axis, one after the other. */
const split = (x: Grid, sizes: readonly number[], axis: number): Grid[] => {
  let begin = 0;
  return sizes.map((n) => {
    const from = x.shape.map((_, i) => (i === axis ? begin : 0));
    begin += n;
    return slice(
      x,
      from,
      x.shape.map((m, i) => (i === axis ? n : m)),
    );
  });
};

const reshape = (x: Grid, shape: readonly number[]): Grid => ({ ...x, shape: [...shape] });

const movingOps: readonly GeometryOp[] = [
  {
    name: "concat",
    cases: fc
      .record({
        shape: shape(1, 4),
        pick: fc.nat(23),
        parts: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
        fill: smoothFill,
        dtype: dtypes,
      })
      .map(({ shape, pick, parts, fill, dtype }): GeometryCase => {
        const axis = axisOf(shape.length, pick);
        const along = axis < 0 ? axis + shape.length : axis;
        return {
          inputs: parts.map((n, i) =>
            typed(
              shape.map((m, j) => (j === along ? n : m)),
              fill,
              dtype,
              i,
            ),
          ),
          attrs: { axis },
        };
      }),
    tfjs: (xs, { axis }) => tf.concat(xs, axis),
    definition: (xs, { axis }) => concat(xs, axis),
  },
  {
    name: "stack",
    cases: fc
      .record({ shape: shape(0, 3), pick: fc.nat(23), count: size(4), fill: smoothFill, dtype: dtypes })
      .map(
        ({ shape, pick, count, fill, dtype }): GeometryCase => ({
          inputs: Array.from({ length: count }, (_, i) => typed(shape, fill, dtype, i)),
          attrs: { axis: axisOf(shape.length + 1, pick) },
        }),
      ),
    tfjs: (xs, { axis }) => tf.stack(xs, axis),
    definition: (xs, { axis }) => {
      const [along] = axesOf(xs[0]!.shape.length + 1, axis) as [number];
      return concat(
        xs.map((x) => reshape(x, [...x.shape.slice(0, along), 1, ...x.shape.slice(along)])),
        along,
      );
    },
  },
  {
    name: "unstack",
    cases: withRank(1, 4, (shape) => fc.nat(23).map((pick) => ({ axis: axisOf(shape.length, pick) }))),
    tfjs: ([x], { axis }) => tf.unstack(x, axis),
    definition: ([x], { axis }) => {
      const [along] = axesOf(x!.shape.length, axis) as [number];
      const rest = x!.shape.filter((_, i) => i !== along);
      return split(x!, Array<number>(x!.shape[along]!).fill(1), along).map((part) => reshape(part, rest));
    },
  },
  {
    name: "split",
    cases: fc
      .record({
        shape: shape(1, 4),
        pick: fc.nat(23),
        parts: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
        how: fc.constantFrom("sizes", "count", "rest"),
        fill: smoothFill,
        dtype: dtypes,
      })
      .map(({ shape, pick, parts, how, fill, dtype }): GeometryCase => {
        const axis = axisOf(shape.length, pick);
        const along = axis < 0 ? axis + shape.length : axis;
        const sizes = how === "count" ? parts.map(() => 1 + (parts[0]! % 2)) : parts;
        const full = shape.map((n, i) => (i === along ? sizes.reduce((a, b) => a + b, 0) : n));
        const asked =
          how === "count" ? sizes.length : how === "rest" ? sizes.map((n, i) => (i === 0 ? -1 : n)) : sizes;
        return { inputs: [typed(full, fill, dtype)], attrs: { asked, sizes, axis } };
      }),
    tfjs: ([x], { asked, axis }) => tf.split(x, asked, axis),
    definition: ([x], { sizes, axis }) => split(x!, sizes, axesOf(x!.shape.length, axis)[0]!),
  },
  {
    name: "slice",
    cases: withRank(1, 5, (shape) =>
      fc.tuple(...shape.map((n) => fc.tuple(fc.nat(n), fc.nat(n)))).map((ends) => ({
        begin: ends.map(([a, b]) => Math.min(a, b)),
        size: ends.map(([a, b]) => Math.abs(a - b)),
        // -1 is all the rest.
        asked: ends.map(([a, b], i) =>
          Math.max(a, b) === shape[i]! && a > b && a - b > 0 ? -1 : Math.abs(a - b),
        ),
      })),
    ),
    tfjs: ([x], { begin, asked }) => tf.slice(x, begin, asked),
    definition: ([x], { begin, size }) => slice(x!, begin, size),
  },
  {
    name: "stridedSlice",
    cases: withRank(1, 4, (shape) =>
      fc
        .tuple(
          fc.tuple(
            ...shape.map(() =>
              fc.record({
                begin: fc.integer({ min: -6, max: 6 }),
                end: fc.integer({ min: -6, max: 6 }),
                stride: fc.constantFrom(1, 1, 2, 3, -1, -2),
                beginMask: fc.boolean(),
                endMask: fc.boolean(),
                shrink: fc.constantFrom(false, false, false, true),
              }),
            ),
          ),
        )
        .map(([axes]) => {
          // An index that goes must be inside; it takes one element.
          const fixed = axes.map((a, i) =>
            a.shrink
              ? { ...a, begin: ((a.begin % shape[i]!) + shape[i]!) % shape[i]!, stride: 1, beginMask: false }
              : a,
          );
          const bits = (on: boolean[]) => on.reduce((sum, bit, i) => sum + (bit ? 2 ** i : 0), 0);
          return {
            begin: fixed.map(({ begin }) => begin),
            end: fixed.map(({ begin, end, shrink }) => (shrink ? begin + 1 : end)),
            strides: fixed.map(({ stride }) => stride),
            beginMask: bits(fixed.map(({ beginMask }) => beginMask)),
            endMask: bits(fixed.map(({ endMask, shrink }) => endMask && !shrink)),
            shrinkAxisMask: bits(fixed.map(({ shrink }) => shrink)),
          };
        }),
    ),
    tfjs: ([x], { begin, end, strides, beginMask, endMask, shrinkAxisMask }) =>
      tf.stridedSlice(x, begin, end, strides, beginMask, endMask, 0, 0, shrinkAxisMask),
    definition: ([x], { begin, end, strides, beginMask, endMask, shrinkAxisMask }) => {
      const chosen = x!.shape.map((n, axis) =>
        strided(n, begin[axis], end[axis], strides[axis], {
          fromEdge: (beginMask >> axis) % 2 === 1,
          toEdge: (endMask >> axis) % 2 === 1,
        }),
      );
      const y = moved(
        x!,
        chosen.map((list) => list.length),
        (index) => index.map((i, axis) => chosen[axis]![i]!),
      );
      return reshape(
        y,
        y.shape.filter((_, axis) => (shrinkAxisMask >> axis) % 2 === 0),
      );
    },
  },
  {
    name: "stridedSlice with an ellipsis or a new axis",
    cases: fc
      .record({
        shape: shape(2, 4),
        fill: smoothFill,
        stride: fc.constantFrom(1, 2, -1),
        at: fc.nat(2),
        kind: fc.constantFrom("ellipsis", "new axis"),
      })
      .map(({ shape, fill, stride, at, kind }): GeometryCase => {
        // One axis of its own before or after the special one; the others are taken whole.
        const own = at % 2;
        const begin = own === 0 ? [stride < 0 ? -1 : 0, 0] : [0, stride < 0 ? -1 : 0];
        const end = own === 0 ? [stride < 0 ? -99 : 99, 0] : [0, stride < 0 ? -99 : 99];
        const strides = own === 0 ? [stride, 1] : [1, stride];
        const mask = own === 0 ? 2 : 1;
        return {
          inputs: [drawn(shape, fill)],
          attrs: { begin, end, strides, own, kind, mask },
        };
      }),
    tfjs: ([x], { begin, end, strides, kind, mask }) =>
      kind === "ellipsis"
        ? tf.stridedSlice(x, begin, end, strides, 0, 0, mask, 0, 0)
        : tf.stridedSlice(x, begin, end, strides, 0, 0, 0, mask, 0),
    definition: ([x], { begin, end, strides, own, kind }) => {
      const rank = x!.shape.length;
      const axis = own === 0 ? 0 : kind === "ellipsis" ? rank - 1 : 0;
      const list = strided(x!.shape[axis]!, begin[own], end[own], strides[own], {});
      const y = moved(
        x!,
        x!.shape.map((n, i) => (i === axis ? list.length : n)),
        (index) => index.map((i, j) => (j === axis ? list[i]! : i)),
      );
      if (kind === "ellipsis") return y;
      return reshape(y, own === 0 ? [y.shape[0]!, 1, ...y.shape.slice(1)] : [1, ...y.shape]);
    },
  },
  {
    name: "reverse",
    cases: withRank(0, 5, (shape) =>
      fc.oneof(
        fc.constant({ axis: null }),
        fc
          .uniqueArray(fc.nat(Math.max(0, 2 * shape.length - 1)), {
            maxLength: shape.length,
            selector: (pick) => pick % Math.max(1, shape.length),
          })
          .map((picks) => ({
            axis: shape.length === 0 ? null : picks.map((pick) => axisOf(shape.length, pick)),
          })),
      ),
    ),
    tfjs: ([x], { axis }) => tf.reverse(x, axis ?? undefined),
    definition: ([x], { axis }) => {
      const axes = axesOf(x!.shape.length, axis);
      return moved(x!, x!.shape, (index) =>
        index.map((i, j) => (axes.includes(j) ? x!.shape[j]! - 1 - i : i)),
      );
    },
  },
  {
    name: "transpose",
    cases: withRank(0, 5, (shape) =>
      fc.oneof(
        fc.constant({ perm: null }),
        fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }).map((perm) => ({ perm })),
      ),
    ),
    tfjs: ([x], { perm }) => tf.transpose(x, perm ?? undefined),
    definition: ([x], { perm }) => {
      const axes: number[] = perm ?? [...x!.shape.keys()].reverse();
      return moved(
        x!,
        axes.map((axis) => x!.shape[axis]!),
        (index) => x!.shape.map((_, j) => index[axes.indexOf(j)]!),
      );
    },
  },
  {
    name: "reshape",
    cases: withRank(0, 4, (shape) =>
      fc
        .constantFrom<number[][]>([-1], [sizeOf(shape), 1], [1, -1], [...shape].reverse(), [...shape, 1])
        .map((to) => ({ to })),
    ),
    tfjs: ([x], { to }) => tf.reshape(x, to),
    definition: ([x], { to }) =>
      reshape(
        x!,
        (to as number[]).map((n, _, all) =>
          n === -1 ? sizeOf(x!.shape) / all.reduce((a, b) => a * (b === -1 ? 1 : b), 1) : n,
        ),
      ),
  },
  {
    name: "expandDims",
    cases: withRank(0, 4, (shape) => fc.nat(23).map((pick) => ({ axis: axisOf(shape.length + 1, pick) }))),
    tfjs: ([x], { axis }) => tf.expandDims(x, axis),
    definition: ([x], { axis }) => {
      const [along] = axesOf(x!.shape.length + 1, axis) as [number];
      return reshape(x!, [...x!.shape.slice(0, along), 1, ...x!.shape.slice(along)]);
    },
  },
  {
    name: "squeeze",
    cases: withRank(0, 5, () => fc.constant({})),
    tfjs: ([x]) => tf.squeeze(x),
    definition: ([x]) =>
      reshape(
        x!,
        x!.shape.filter((n) => n !== 1),
      ),
  },
  {
    name: "tile",
    cases: withRank(1, 4, (shape) =>
      fc
        .array(fc.constantFrom(1, 1, 2, 3), { minLength: shape.length, maxLength: shape.length })
        .map((reps) => ({ reps })),
    ),
    tfjs: ([x], { reps }) => tf.tile(x, reps),
    definition: ([x], { reps }) =>
      moved(
        x!,
        x!.shape.map((n, i) => n * reps[i]),
        (index) => index.map((i, axis) => i % x!.shape[axis]!),
      ),
  },
  {
    name: "broadcastTo",
    cases: fc
      .record({
        full: shape(0, 4),
        ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        lack: fc.nat(4),
        fill: smoothFill,
      })
      .map(
        ({ full, ones, lack, fill }): GeometryCase => ({
          inputs: [drawn(full.map((n, i) => (ones[i] ? 1 : n)).slice(lack), fill)],
          attrs: { shape: full },
        }),
      ),
    tfjs: ([x], { shape }) => tf.broadcastTo(x, shape),
    definition: ([x], { shape }) =>
      moved(x!, shape, (index) =>
        x!.shape.map((n, axis) => (n === 1 ? 0 : index[index.length - x!.shape.length + axis]!)),
      ),
  },
  {
    name: "pad",
    cases: withRank(1, 5, (shape) =>
      fc
        .tuple(
          fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: shape.length, maxLength: shape.length }),
          fc.constantFrom(0, 0, 1),
        )
        .map(([paddings, value]) => ({ paddings: paddings.map((p) => [...p]), value })),
    ),
    tfjs: ([x], { paddings, value }) => tf.pad(x, paddings, value),
    definition: ([x], { paddings, value }) =>
      grid(
        x!.shape.map((n, i) => n + paddings[i][0] + paddings[i][1]),
        (index) => atOrNone(x!, ...index.map((i, axis) => i - paddings[axis][0])) ?? constant(value),
        x!.dtype,
      ),
    leavesOut: ["scalars ('pad(scalar) is not defined')"],
  },
  {
    name: "mirrorPad",
    cases: fc
      .record({
        shape: shape(1, 5),
        mode: fc.constantFrom("reflect", "symmetric"),
        raw: fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 5, maxLength: 5 }),
        fill: smoothFill,
      })
      .map(({ shape, mode, raw, fill }): GeometryCase => {
        const most = (n: number) => (mode === "reflect" ? n - 1 : n);
        return {
          inputs: [drawn(shape, fill)],
          attrs: { mode, paddings: shape.map((n, i) => raw[i]!.map((p) => Math.min(p, most(n)))) },
        };
      }),
    tfjs: ([x], { paddings, mode }) => tf.mirrorPad(x, paddings, mode),
    definition: ([x], { paddings, mode }) => {
      const edge = mode === "reflect" ? 0 : 1;
      const mirrored = (i: number, n: number) => (i < 0 ? -i - edge : i >= n ? 2 * n - 2 - i + edge : i);
      return moved(
        x!,
        x!.shape.map((n, i) => n + paddings[i][0] + paddings[i][1]),
        (index) => index.map((i, axis) => mirrored(i - paddings[axis][0], x!.shape[axis]!)),
      );
    },
    leavesOut: ["margins wider than the tensor ('Padding in dimension … cannot be greater than …')"],
  },
  {
    name: "spaceToBatchND",
    cases: fc
      .record({
        batch: size(3),
        blocks: fc.array(size(3), { minLength: 1, maxLength: 2 }),
        counts: fc.tuple(size(3), size(3)),
        margins: fc.tuple(fc.nat(2), fc.nat(2)),
        rest: shape(0, 2),
        fill: smoothFill,
      })
      .map(({ batch, blocks, counts, margins, rest, fill }): GeometryCase => {
        const paddings = blocks.map((b, i) => {
          const total = counts[i]! * b;
          const before = Math.min(margins[i]!, total - 1);
          const after = Math.min(margins[1 - i]!, total - 1 - before);
          return [before, after];
        });
        const spatial = blocks.map((b, i) => counts[i]! * b - paddings[i]![0]! - paddings[i]![1]!);
        return { inputs: [drawn([batch, ...spatial, ...rest], fill)], attrs: { blocks, paddings } };
      }),
    tfjs: ([x], { blocks, paddings }) => tf.spaceToBatchND(x, blocks, paddings),
    definition: ([x], { blocks, paddings }) => {
      const [batch] = x!.shape as [number];
      const m = blocks.length;
      const spatial = x!.shape
        .slice(1, 1 + m)
        .map((n, i) => (n + paddings[i][0] + paddings[i][1]) / blocks[i]);
      // The batch of the result is made of the offsets in a block, then of the batch.
      return grid([batch * sizeOf(blocks), ...spatial, ...x!.shape.slice(1 + m)], ([b, ...index]) => {
        let offset = Math.floor(b! / batch);
        const source = [...index];
        for (let i = m - 1; i >= 0; i--) {
          source[i] = source[i]! * blocks[i] + (offset % blocks[i]) - paddings[i][0];
          offset = Math.floor(offset / blocks[i]);
        }
        return atOrNone(x!, b! % batch, ...source) ?? zero;
      });
    },
  },
  {
    name: "batchToSpaceND",
    cases: fc
      .record({
        batch: size(3),
        blocks: fc.array(size(3), { minLength: 1, maxLength: 2 }),
        counts: fc.tuple(size(3), size(3)),
        cut: fc.tuple(fc.nat(3), fc.nat(3)),
        rest: shape(0, 2),
        fill: smoothFill,
      })
      .map(({ batch, blocks, counts, cut, rest, fill }): GeometryCase => {
        const crops = blocks.map((b, i) => {
          const total = counts[i]! * b;
          const before = Math.min(cut[i]!, total - 1);
          return [before, Math.min(cut[1 - i]!, total - 1 - before)];
        });
        const spatial = blocks.map((_, i) => counts[i]!);
        return {
          inputs: [drawn([batch * sizeOf(blocks), ...spatial, ...rest], fill)],
          attrs: { blocks, crops },
        };
      }),
    tfjs: ([x], { blocks, crops }) => tf.batchToSpaceND(x, blocks, crops),
    definition: ([x], { blocks, crops }) => {
      const m = blocks.length;
      const batch = x!.shape[0]! / sizeOf(blocks);
      const spatial = x!.shape.slice(1, 1 + m).map((n, i) => n * blocks[i] - crops[i][0] - crops[i][1]);
      return grid([batch, ...spatial, ...x!.shape.slice(1 + m)], ([b, ...index]) => {
        let offset = 0;
        const source = [...index];
        for (let i = 0; i < m; i++) {
          const place = index[i]! + crops[i][0];
          offset = offset * blocks[i] + (place % blocks[i]);
          source[i] = Math.floor(place / blocks[i]);
        }
        return at(x!, offset * batch + b!, ...source);
      });
    },
  },
  {
    name: "depthToSpace",
    cases: fc
      .record({
        batch: size(3),
        height: size(3),
        width: size(3),
        block: fc.constantFrom(2, 3),
        depth: size(3),
        fill: smoothFill,
        format: fc.constantFrom("NHWC", "NCHW"),
      })
      .map(({ batch, height, width, block, depth, fill, format }): GeometryCase => {
        const channels = depth * block ** 2;
        return {
          inputs: [
            drawn(
              format === "NHWC" ? [batch, height, width, channels] : [batch, channels, height, width],
              fill,
            ),
          ],
          attrs: { block, format },
        };
      }),
    tfjs: ([x], { block, format }) => tf.depthToSpace(x, block, format),
    definition: ([x], { block, format }) => {
      const last = format === "NHWC";
      const [batch] = x!.shape as [number];
      const [height, width, channels] = (
        last ? x!.shape.slice(1) : [x!.shape[2], x!.shape[3], x!.shape[1]]
      ) as [number, number, number];
      const depth = channels / block ** 2;
      const element = (b: number, i: number, j: number, c: number) => {
        const from = (i % block) * block * depth + (j % block) * depth + c;
        const [p, q] = [Math.floor(i / block), Math.floor(j / block)];
        return last ? at(x!, b, p, q, from) : at(x!, b, from, p, q);
      };
      return last
        ? grid([batch, height * block, width * block, depth], ([b, i, j, c]) => element(b!, i!, j!, c!))
        : grid([batch, depth, height * block, width * block], ([b, c, i, j]) => element(b!, i!, j!, c!));
    },
    leavesOut: ["a block of 1 ('blockSize should be > 1')"],
  },
  {
    name: "cast",
    cases: fc
      .record({
        shape: shape(0, 3),
        from: dtypes,
        to: dtypes,
        seed: fc.nat(999),
      })
      .map(({ shape, from, to, seed }): GeometryCase => {
        const x = typed(shape, { seed, ties: false }, from);
        const values =
          from === "float32"
            ? x.values.map((v, i) => [v * 3, 0, 256, 0.5, -0.5, v][(i + seed) % 6]!)
            : x.values;
        return { inputs: [{ ...x, values }], attrs: { to } };
      }),
    tfjs: ([x], { to }) => tf.cast(x, to),
    definition: ([x], { to }) => ({
      shape: x!.shape,
      dtype: to,
      data: x!.data.map((v) =>
        to === "float32" ? v : constant(to === "int32" ? Math.trunc(v.v) + 0 : Number(v.v !== 0)),
      ),
    }),
    noGradient: "see the cast times its input",
  },
  {
    name: "cast times its input",
    cases: fc
      .record({ shape: shape(0, 3), to: dtypes, fill: smoothFill })
      .map(({ shape, to, fill }): GeometryCase => ({ inputs: [drawn(shape, fill, -3, 3)], attrs: { to } })),
    tfjs: ([x], { to }) => tf.mul(tf.cast(x, to), x),
    definition: ([x], { to }) => ({
      ...x!,
      data: x!.data.map((v) =>
        to === "float32" ? mul(v, v) : mul(constant(to === "int32" ? Math.trunc(v.v) : Number(v.v !== 0)), v),
      ),
    }),
  },
  {
    name: "addN",
    cases: fc.record({ shape: shape(0, 4), count: fc.integer({ min: 1, max: 12 }), fill: smoothFill }).map(
      ({ shape, count, fill }): GeometryCase => ({
        inputs: Array.from({ length: count }, (_, i) => drawn(shape, fill, -2, 2, i)),
        attrs: {},
      }),
    ),
    tfjs: (xs) => tf.addN(xs),
    definition: (xs) => ({
      ...xs[0]!,
      data: xs[0]!.data.map((_, i) => xs.reduce((sum, x) => add(sum, x.data[i]!), zero)),
    }),
  },
  {
    name: "diag",
    cases: fc
      .record({ shape: shape(1, 3).filter((s) => sizeOf(s) <= 12), fill: smoothFill })
      .map(({ shape, fill }): GeometryCase => ({ inputs: [drawn(shape, fill)], attrs: {} })),
    tfjs: ([x]) => tf.diag(x),
    definition: ([x]) => {
      const n = x!.shape.length;
      return grid([...x!.shape, ...x!.shape], (index) =>
        index.slice(0, n).every((i, axis) => i === index[n + axis]) ? at(x!, ...index.slice(0, n)) : zero,
      );
    },
  },
  {
    name: "linalg.bandPart",
    cases: fc
      .record({
        shape: shape(2, 4),
        lower: fc.integer({ min: -1, max: 4 }),
        upper: fc.integer({ min: -1, max: 4 }),
        fill: smoothFill,
      })
      .map(
        ({ shape, lower, upper, fill }): GeometryCase => ({
          inputs: [drawn(shape, fill)],
          attrs: { lower: Math.min(lower, shape.at(-2)!), upper: Math.min(upper, shape.at(-1)!) },
        }),
      ),
    tfjs: ([x], { lower, upper }) => tf.linalg.bandPart(x, lower, upper),
    definition: ([x], { lower, upper }) =>
      grid(x!.shape, (index) => {
        const [i, j] = index.slice(-2) as [number, number];
        const kept = (lower < 0 || i - j <= lower) && (upper < 0 || j - i <= upper);
        return kept ? at(x!, ...index) : zero;
      }),
    leavesOut: [
      "more diagonals than rows or columns ('numLower … must not be greater than the number of rows')",
    ],
  },
  {
    name: "onesLike and zerosLike times the input",
    cases: fc
      .record({ shape: shape(0, 3), fill: smoothFill })
      .map(({ shape, fill }): GeometryCase => ({ inputs: [drawn(shape, fill)], attrs: {} })),
    tfjs: ([x]) => tf.add(tf.mul(tf.onesLike(x), x), tf.mul(tf.zerosLike(x), x)),
    definition: ([x]) => ({ ...x!, data: x!.data.map((v) => mul(one, v)) }),
  },
];

/** The indices that `begin:end:stride` takes of an axis, as Python does. */
function strided(
  n: number,
  begin: number,
  end: number,
  stride: number,
  { fromEdge = false, toEdge = false }: { fromEdge?: boolean; toEdge?: boolean },
): number[] {
  const [low, high] = stride > 0 ? [0, n] : [-1, n - 1];
  const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + n : i, low), high);
  const first = fromEdge ? (stride > 0 ? 0 : n - 1) : clamp(begin);
  const last = toEdge ? (stride > 0 ? n : -1) : clamp(end);
  const taken: number[] = [];
  for (let i = first; stride > 0 ? i < last : i > last; i += stride) taken.push(i);
  return taken;
}

const emptyCases = (attrs: (shape: number[]) => Record<string, unknown>) =>
  emptyShape(3).map((shape): GeometryCase => ({ inputs: [{ shape, values: [] }], attrs: attrs(shape) }));

const named = (name: string) => movingOps.find((op) => op.name === name)!;

/** The same ops of tensors without elements. */
const emptyOps: readonly GeometryOp[] = [
  { ...named("transpose"), cases: emptyCases(() => ({ perm: null })) },
  { ...named("reverse"), cases: emptyCases(() => ({ axis: [0] })) },
  { ...named("reshape"), cases: emptyCases((shape) => ({ to: [...shape].reverse() })) },
  { ...named("tile"), cases: emptyCases((shape) => ({ reps: shape.map((_, i) => i + 1) })) },
  { ...named("pad"), cases: emptyCases((shape) => ({ paddings: shape.map((_, i) => [i, 1]), value: 0 })) },
  {
    ...named("slice"),
    cases: emptyCases((shape) => ({ begin: shape.map(() => 0), size: shape, asked: shape })),
  },
  { ...named("concat"), cases: emptyCases(() => ({ axis: 0 })) },
  { ...named("expandDims"), cases: emptyCases(() => ({ axis: 0 })) },
].map((op) => ofEmpty(op, op.cases));

export const shapeOps: readonly GeometryOp[] = [...movingOps, ...emptyOps];
