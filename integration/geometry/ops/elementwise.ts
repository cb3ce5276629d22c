import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { broadcastShapes, drawn, emptyShape, fill, shape, smoothFill } from "../arbitraries.js";
import { add, apply, constant, type Dual, div, max, min, mul, scale, sub, zero } from "../dual.js";
import { clip, leakyRelu, sideOf, square, unaryFunctions } from "../functions.js";
import { type Grid, grid } from "../grid.js";
import { type GeometryCase, type GeometryOp, type Input, ofEmpty } from "../op.js";

/** `f` of every element. */
export const each = (x: Grid, f: (x: Dual) => Dual, dtype = x.dtype): Grid => ({
  shape: x.shape,
  dtype,
  data: x.data.map(f),
});

/** The shape that two shapes broadcast to: aligned at the last axis, 1 spreads. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    return m === 1 ? n : m;
  });
}

/** The element that stands at `index` of a broadcast result. */
export function spread(x: Grid, index: readonly number[]): Dual {
  let flat = 0;
  for (const [axis, n] of x.shape.entries())
    flat = flat * n + (n === 1 ? 0 : index[index.length - x.shape.length + axis]!);
  return x.data[flat]!;
}

/** `f` of every pair of elements. */
export const pairs = (a: Grid, b: Grid, f: (a: Dual, b: Dual) => Dual, dtype = a.dtype): Grid =>
  grid(broadcastShape(a.shape, b.shape), (index) => f(spread(a, index), spread(b, index)), dtype);

/** NaN, the infinities and both zeros in the place of some elements; only values are compared then. */
const withSpecial = (input: Input, seed: number): Input => {
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];
  return {
    ...input,
    values: input.values.map((v, i) => ((i * 7 + seed) % 3 === 0 ? special[(i + seed) % 5]! : v)),
  };
};

const finite = ({ inputs }: GeometryCase) => inputs.every(({ values }) => values.every(Number.isFinite));

// biome-ignore lint/suspicious/noExplicitAny: looked up by name
const tfjsOf = (name: string) => (tf as any)[name] as (...args: any[]) => tf.Tensor;

const unary: GeometryOp[] = Object.entries(unaryFunctions).flatMap(
  ([name, { f, low = -2, high = 2, kinks, special, second }]): GeometryOp[] => {
    const op: GeometryOp = {
      name,
      cases: fc
        .record({ shape: shape(0, 4), fill: kinks ? fill : smoothFill })
        .map(({ shape, fill }): GeometryCase => ({ inputs: [drawn(shape, fill, low, high)], attrs: {} })),
      tfjs: ([x]) => tfjsOf(name)(x),
      definition: ([x]) => each(x!, f),
      ...(kinks ? { kinks } : {}),
      ...(second ? { second } : {}),
    };
    const empty = ofEmpty(
      op,
      emptyShape(3).map((shape): GeometryCase => ({ inputs: [{ shape, values: [] }], attrs: {} })),
    );
    if (!special) return [op, empty];
    return [
      op,
      empty,
      {
        name: `${name} of NaN and infinities`,
        cases: fc
          .record({ shape: shape(0, 3), fill, seed: fc.nat(99) })
          .map(
            ({ shape, fill, seed }): GeometryCase => ({
              inputs: [withSpecial(drawn(shape, fill, low, high), seed)],
              attrs: {},
            }),
          )
          .filter((c) => !finite(c)),
        tfjs: op.tfjs,
        definition: op.definition,
        noGradient: "the slope at NaN and infinities is not compared",
      },
    ];
  },
);

const truncated = (f: (a: number, b: number) => number) => (a: Dual, b: Dual) => constant(f(a.v, b.v));

/** `a^b` with both slopes; that of the exponent is 0 where the base is not positive, as in TensorFlow. */
function pow(a: Dual, b: Dual): Dual {
  const value = a.v ** b.v;
  const ofBase = apply(a, value, b.v === 0 ? 0 : b.v * a.v ** (b.v - 1), b.v * (b.v - 1) * a.v ** (b.v - 2));
  if (a.v <= 0) return ofBase;
  // exp(b · log a)
  const exponent = mul(b, apply(a, Math.log(a.v), 1 / a.v, -1 / a.v ** 2));
  return apply(exponent, value, value, value);
}

/** The angle of the point `(b, a)`. */
function atan2(a: Dual, b: Dual): Dual {
  const r2 = a.v ** 2 + b.v ** 2;
  const angle = Math.atan2(a.v, b.v);
  const slope = (da: number, db: number) => (b.v * da - a.v * db) / r2;
  return {
    v: angle,
    d: slope(a.d, b.d),
    e: slope(a.e, b.e),
    de: 0,
    m: Math.abs(angle) + 1,
    n: (Math.abs(b.v) * a.n + Math.abs(a.v) * b.n) / r2,
    k: 0,
  };
}

/** `a - b·floor(a / b)`: the sign of the divisor. */
function mod(a: Dual, b: Dual): Dual {
  return sub(a, scale(b, Math.floor(a.v / b.v)));
}

interface BinaryFunction {
  readonly name: string;
  readonly f: (a: Dual, b: Dual) => Dual;
  readonly a?: readonly [number, number];
  readonly b?: readonly [number, number];
  readonly kinks?: true;
  readonly second?: true;
  readonly dtype?: "bool";
}

const binaryFunctions: readonly BinaryFunction[] = [
  { name: "add", f: add, second: true },
  { name: "sub", f: sub, second: true },
  { name: "mul", f: mul, second: true },
  { name: "div", f: div, b: [0.5, 3], second: true },
  { name: "divNoNan", f: div, b: [0.5, 3] },
  { name: "squaredDifference", f: (a, b) => square(sub(a, b)), second: true },
  { name: "maximum", f: max, kinks: true, second: true },
  { name: "minimum", f: min, kinks: true, second: true },
  { name: "pow", f: pow, a: [0.25, 3] },
  { name: "atan2", f: atan2, a: [0.25, 2], b: [0.25, 2] },
  {
    name: "prelu",
    f: (x, alpha) => (Number.isNaN(x.v) ? x : sideOf(x) < 0 ? mul(x, alpha) : x),
    kinks: true,
  },
];

const binaryCases = (
  a: readonly [number, number],
  b: readonly [number, number],
  kinks?: true,
  shapes = broadcastShapes(4),
) =>
  fc.record({ shapes, fill: kinks ? fill : smoothFill }).map(
    ({ shapes, fill }): GeometryCase => ({
      inputs: [drawn(shapes[0], fill, ...a), drawn(shapes[1], fill, ...b, 1)],
      attrs: {},
    }),
  );

const binary: GeometryOp[] = binaryFunctions.flatMap(
  ({ name, f, a = [-2, 2], b = [-2, 2], kinks, second }) => {
    const op: GeometryOp = {
      name,
      cases: binaryCases(a, b, kinks),
      tfjs: ([x, y]) => tfjsOf(name)(x, y),
      definition: ([x, y]) => pairs(x!, y!, f),
      ...(kinks ? { kinks } : {}),
      ...(second ? { second } : {}),
    };
    const empty = binaryCases(a, b, kinks, broadcastShapes(3, emptyShape(3)));
    return [op, ofEmpty(op, empty)];
  },
);

/** Quotients of either sign that are not near whole numbers, where values jump. */
const quotients = fc
  .record({ shapes: broadcastShapes(4), fill: smoothFill })
  .map(({ shapes: [a, b], fill }): GeometryCase => {
    const divisor = drawn(b, fill, 0.5, 2, 1);
    return {
      inputs: [
        drawn(a, fill, -4, 4),
        { ...divisor, values: divisor.values.map((v, i) => ((i + fill.seed) % 2 ? v : -v)) },
      ],
      attrs: {},
    };
  })
  .filter(({ inputs: [a, b] }) =>
    a!.values.every((x) => b!.values.every((y) => Math.abs(x / y - Math.round(x / y)) > 1e-3)),
  );

const quotientOps: GeometryOp[] = [
  {
    name: "mod",
    cases: quotients,
    tfjs: ([x, y]) => tf.mod(x, y),
    definition: ([x, y]) => pairs(x!, y!, mod),
  },
  {
    name: "floorDiv",
    cases: quotients,
    // The type of the result differs between backends: int32 on cpu, that of the inputs on wasm.
    tfjs: ([x, y]) => tf.cast(tf.floorDiv(x, y), "float32"),
    definition: ([x, y]) =>
      pairs(
        x!,
        y!,
        truncated((a, b) => Math.floor(a / b)),
      ),
  },
  {
    name: "divNoNan by zeros",
    cases: binaryCases([-2, 2], [-1, 1], true).filter(({ inputs }) => inputs[1]!.values.includes(0)),
    tfjs: ([x, y]) => tf.divNoNan(x, y),
    definition: ([x, y]) => pairs(x!, y!, (a, b) => (b.v === 0 ? zero : div(a, b))),
    noGradient: "the slope at a divisor of 0",
  },
  {
    name: "pow of negative numbers",
    cases: fc
      .record({ shape: shape(0, 4), fill: smoothFill, exponent: fc.constantFrom(0, 1, 2, 3, -1, -2) })
      .map(
        ({ shape, fill, exponent }): GeometryCase => ({
          inputs: [drawn(shape, fill, -2, -0.25), { shape: [], values: [exponent] }],
          attrs: {},
        }),
      ),
    tfjs: ([x, y]) => tf.pow(x, y),
    definition: ([x, y]) => pairs(x!, y!, pow),
    wrt: [0],
  },
];

const comparisons: GeometryOp[] = (
  [
    ["greater", (c) => c > 0],
    ["greaterEqual", (c) => c >= 0],
    ["less", (c) => c < 0],
    ["lessEqual", (c) => c <= 0],
    ["equal", (c) => c === 0],
    ["notEqual", (c) => c !== 0],
  ] as [string, (c: number) => boolean][]
).map(([name, holds]) => ({
  name,
  cases: binaryCases([-2, 2], [-2, 2], true),
  tfjs: ([x, y]) => tfjsOf(name)(x, y),
  definition: ([x, y]) => pairs(x!, y!, (a, b) => constant(Number(holds(a.v - b.v))), "bool"),
  noGradient: "true or false",
}));

export const elementwise: readonly GeometryOp[] = [
  ...unary,
  ...binary,
  ...quotientOps,
  ...comparisons,
  {
    name: "leakyRelu",
    cases: fc
      .record({ shape: shape(0, 4), fill, alpha: fc.constantFrom(0.2, 0, 0.5, 1.5) })
      .map(({ shape, fill, alpha }): GeometryCase => ({ inputs: [drawn(shape, fill)], attrs: { alpha } })),
    tfjs: ([x], { alpha }) => tf.leakyRelu(x, alpha),
    definition: ([x], { alpha }) => each(x!, leakyRelu(alpha)),
    kinks: true,
    second: true,
  },
  {
    name: "step",
    cases: fc
      .record({ shape: shape(0, 4), fill: smoothFill, alpha: fc.constantFrom(0, 0.5) })
      .map(({ shape, fill, alpha }): GeometryCase => ({ inputs: [drawn(shape, fill)], attrs: { alpha } })),
    tfjs: ([x], { alpha }) => tf.step(x, alpha),
    definition: ([x], { alpha }) => each(x!, ({ v }) => constant(v > 0 ? 1 : alpha)),
  },
  {
    name: "clipByValue",
    cases: fc
      .record({
        shape: shape(0, 4),
        fill,
        low: fc.constantFrom(-1, 0, -3, 1),
        width: fc.constantFrom(1, 0.5, 4),
      })
      .map(
        ({ shape, fill, low, width }): GeometryCase => ({
          inputs: [drawn(shape, fill)],
          attrs: { low, high: low + width },
        }),
      ),
    tfjs: ([x], { low, high }) => tf.clipByValue(x, low, high),
    definition: ([x], { low, high }) => each(x!, clip(low, high)),
    kinks: true,
    leavesOut: ["two bounds that are the same: tfjs returns a constant that no gradient reaches"],
  },
  {
    name: "where",
    cases: fc
      .record({ shapes: broadcastShapes(3), fill, seed: fc.nat(999), lack: fc.nat(3) })
      .map(({ shapes: [a, b], fill, seed, lack }): GeometryCase => {
        const condition = drawn(broadcastShape(a, b).slice(lack), { seed, ties: true });
        return {
          inputs: [
            { ...condition, dtype: "bool", values: condition.values.map((v) => Number(v > 0)) },
            drawn(a, fill),
            drawn(b, fill, -2, 2, 1),
          ],
          attrs: {},
        };
      }),
    tfjs: ([c, a, b]) => tf.where(c, a, b),
    definition: ([c, a, b]) =>
      grid(broadcastShape(c!.shape, broadcastShape(a!.shape, b!.shape)), (index) =>
        spread(c!, index).v ? spread(a!, index) : spread(b!, index),
      ),
  },
];
