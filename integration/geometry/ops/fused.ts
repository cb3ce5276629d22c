import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { broadcastShapes, drawn, type Fill, fill, size } from "../arbitraries.js";
import { add, type Dual, mul } from "../dual.js";
import { elu, leakyRelu, relu, relu6, sideOf, sigmoid } from "../functions.js";
import type { Grid } from "../grid.js";
import type { GeometryCase, GeometryOp, Input } from "../op.js";
import { convolution, depthwise, geometries, leavesOut } from "./convolutions.js";
import { each, pairs } from "./elementwise.js";
import { matMul } from "./products.js";

const activations = ["linear", "relu", "elu", "relu6", "prelu", "leakyrelu", "sigmoid"] as const;
type Activation = (typeof activations)[number];

interface FusedAttrs {
  readonly activation: Activation;
  readonly hasBias: boolean;
  readonly leakyreluAlpha?: number;
}

const pointwise: Readonly<Record<Exclude<Activation, "prelu" | "leakyrelu">, (x: Dual) => Dual>> = {
  linear: (x) => x,
  relu,
  elu,
  relu6,
  sigmoid,
};

/** The bias is added, then the activation taken. */
function finish(y: Grid, rest: readonly Grid[], { activation, hasBias, leakyreluAlpha }: FusedAttrs): Grid {
  const biased = hasBias ? pairs(y, rest[0]!, add) : y;
  if (activation === "leakyrelu") return each(biased, leakyRelu(leakyreluAlpha ?? 0.2));
  if (activation !== "prelu") return each(biased, pointwise[activation]);
  return pairs(biased, rest[hasBias ? 1 : 0]!, (x, alpha) => (sideOf(x) < 0 ? mul(x, alpha) : x));
}

/** Which shape bias and slopes have: one number, one for each channel, with leading axes of 1. */
const vectors = (rank: number) =>
  fc.constantFrom<(channels: number) => number[]>(
    () => [],
    () => [1],
    (n) => [n],
    (n) => [n],
    (n) => [...Array<number>(rank - 1).fill(1), n],
  );

const extras = (rank: number) =>
  fc.record({
    activation: fc.constantFrom(...activations),
    hasBias: fc.boolean(),
    bias: vectors(rank),
    // tfjs takes slopes of no, one or all axes but the batch.
    slopes: vectors(rank === 4 ? 3 : rank),
    leakyreluAlpha: fc.constantFrom(0.3, 0.1, undefined),
  });

type Extras = typeof extras extends (rank: number) => fc.Arbitrary<infer T> ? T : never;

const withExtras = (
  inputs: Input[],
  attrs: object,
  channels: number,
  fill: Fill,
  { activation, hasBias, bias, slopes, leakyreluAlpha }: Extras,
): GeometryCase => ({
  inputs: [
    ...inputs,
    ...(hasBias ? [drawn(bias(channels), fill, -2, 2, 5)] : []),
    ...(activation === "prelu" ? [drawn(slopes(channels), fill, 0.1, 0.9, 6)] : []),
  ],
  attrs: {
    ...attrs,
    activation,
    hasBias,
    ...(activation === "leakyrelu" && leakyreluAlpha !== undefined ? { leakyreluAlpha } : {}),
  },
});

/** What `tf.fused` takes beside the operands. */
const optional = (rest: tf.Tensor[], { activation, hasBias, leakyreluAlpha }: FusedAttrs) => ({
  activation,
  ...(hasBias ? { bias: rest[0]! } : {}),
  ...(activation === "prelu" ? { preluActivationWeights: rest[hasBias ? 1 : 0]! } : {}),
  ...(leakyreluAlpha === undefined ? {} : { leakyreluAlpha }),
});

const ops: readonly GeometryOp[] = [
  {
    name: "fused.conv2d",
    cases: fc
      .tuple(geometries(2, 10_000), extras(4))
      .map(([{ fill, batch, image, inner, outer, taps, strides, dilations, pad }, more]) =>
        withExtras(
          [drawn([batch, ...image, inner], fill), drawn([...taps, inner, outer], fill, -2, 2, 1)],
          { strides, pad, dilations },
          outer,
          fill,
          more,
        ),
      ),
    tfjs: ([x, filter, ...rest], { strides, pad, dilations, ...attrs }) =>
      tf.fused.conv2d({ x, filter, strides, pad, dilations, ...optional(rest, attrs) }),
    definition: ([x, w, ...rest], attrs) => finish(convolution(x!, w!, attrs), rest, attrs),
    leavesOut,
  },
  {
    name: "fused.depthwiseConv2d",
    cases: fc
      .tuple(geometries(2, 10_000), extras(4))
      .map(([{ fill, batch, image, inner, outer, taps, strides, dilations, pad }, more]) => {
        const multiplier = ((outer - 1) % 3) + 1;
        return withExtras(
          [drawn([batch, ...image, inner], fill), drawn([...taps, inner, multiplier], fill, -2, 2, 1)],
          { strides, pad, dilations },
          inner * multiplier,
          fill,
          more,
        );
      }),
    tfjs: ([x, filter, ...rest], { strides, pad, dilations, ...attrs }) =>
      tf.fused.depthwiseConv2d({ x, filter, strides, pad, dilations, ...optional(rest, attrs) }),
    definition: ([x, w, ...rest], attrs) => finish(depthwise(x!, w!, attrs), rest, attrs),
    leavesOut,
  },
  {
    name: "fused.matMul",
    cases: fc
      .record({
        batch: broadcastShapes(2),
        m: size(5),
        k: size(7),
        n: size(9),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        fill,
        more: extras(2),
        rows: fc.boolean(),
      })
      .map(({ batch: [a, b], m, k, n, transposeA, transposeB, fill, more, rows }) => {
        // One bias for each element of the matrices, too.
        const bias = rows ? () => [m, n] : more.bias;
        return withExtras(
          [
            drawn([...a, ...(transposeA ? [k, m] : [m, k])], fill),
            drawn([...b, ...(transposeB ? [n, k] : [k, n])], fill, -2, 2, 1),
          ],
          { transposeA, transposeB },
          n,
          fill,
          { ...more, bias },
        );
      }),
    tfjs: ([a, b, ...rest], { transposeA, transposeB, ...attrs }) =>
      tf.fused.matMul({ a, b, transposeA, transposeB, ...optional(rest, attrs) }),
    definition: ([a, b, ...rest], attrs) =>
      finish(matMul(a!, b!, attrs.transposeA, attrs.transposeB), rest, attrs),
  },
];

export const fusedOps: readonly GeometryOp[] = ops.map((op) => ({ ...op, kinks: true }));
