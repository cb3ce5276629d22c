/** Ops on truth values, and questions about numbers. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { axisOf, booleans, broadcastShapes, drawn, fill, integers, shape } from "../arbitraries.js";
import { constant } from "../dual.js";
import type { GeometryCase, GeometryOp } from "../op.js";
import { each, pairs } from "./elementwise.js";
import { reduce } from "./reductions.js";

const noGradient = "true or false";

const both: readonly [string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, (a: number, b: number) => number][] =
  [
    ["logicalAnd", tf.logicalAnd, (a, b) => a & b],
    ["logicalOr", tf.logicalOr, (a, b) => a | b],
    ["logicalXor", tf.logicalXor, (a, b) => a ^ b],
  ];

const questions: readonly [string, (x: tf.Tensor) => tf.Tensor, (x: number) => boolean][] = [
  ["isNaN", tf.isNaN, Number.isNaN],
  ["isInf", tf.isInf, (x) => Math.abs(x) === Number.POSITIVE_INFINITY],
  ["isFinite", tf.isFinite, Number.isFinite],
];

const equalities: readonly [
  string,
  (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  (a: number, b: number) => boolean,
][] = [
  ["equal", tf.equal, (a, b) => a === b],
  ["notEqual", tf.notEqual, (a, b) => a !== b],
  ["greater", tf.greater, (a, b) => a > b],
  ["lessEqual", tf.lessEqual, (a, b) => a <= b],
];

export const logicOps: readonly GeometryOp[] = [
  ...both.map(
    ([name, tfjs, f]): GeometryOp => ({
      name,
      cases: fc.record({ shapes: broadcastShapes(4), seed: fc.nat(999) }).map(
        ({ shapes: [a, b], seed }): GeometryCase => ({
          inputs: [booleans(a, seed), booleans(b, seed + 1)],
          attrs: {},
        }),
      ),
      tfjs: ([a, b]) => tfjs(a, b),
      definition: ([a, b]) => pairs(a!, b!, (p, q) => constant(f(p.v, q.v))),
      noGradient,
    }),
  ),
  {
    name: "logicalNot",
    cases: fc
      .record({ shape: shape(0, 4), seed: fc.nat(999) })
      .map(({ shape, seed }): GeometryCase => ({ inputs: [booleans(shape, seed)], attrs: {} })),
    tfjs: ([x]) => tf.logicalNot(x),
    definition: ([x]) => each(x!, ({ v }) => constant(1 - v)),
    noGradient,
  },
  ...(["all", "any"] as const).map(
    (name): GeometryOp => ({
      name,
      cases: fc
        .record({ shape: shape(1, 4), pick: fc.nat(23), keepDims: fc.boolean(), seed: fc.nat(999) })
        .map(
          ({ shape, pick, keepDims, seed }): GeometryCase => ({
            inputs: [booleans(shape, seed)],
            attrs: { axis: axisOf(shape.length, pick), keepDims },
          }),
        ),
      tfjs: ([x], { axis, keepDims }) => (name === "all" ? tf.all : tf.any)(x, axis, keepDims),
      definition: ([x], { axis, keepDims }) =>
        reduce(x!, axis, keepDims, (xs) =>
          constant(Number(name === "all" ? xs.every(({ v }) => v) : xs.some(({ v }) => v))),
        ),
      noGradient,
    }),
  ),
  ...questions.map(
    ([name, tfjs, f]): GeometryOp => ({
      name,
      cases: fc
        .record({ shape: shape(0, 4), fill, seed: fc.nat(99) })
        .map(({ shape, fill, seed }): GeometryCase => {
          const x = drawn(shape, fill);
          const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
          return {
            inputs: [
              { ...x, values: x.values.map((v, i) => ((i + seed) % 2 ? special[(i * 5 + seed) % 3]! : v)) },
            ],
            attrs: {},
          };
        }),
      tfjs: ([x]) => tfjs(x),
      definition: ([x]) => each(x!, ({ v }) => constant(Number(f(v))), "bool"),
      noGradient,
    }),
  ),
  ...equalities.map(
    ([name, tfjs, f]): GeometryOp => ({
      name: `${name} of integers`,
      cases: fc.record({ shapes: broadcastShapes(3), seed: fc.nat(999) }).map(
        ({ shapes: [a, b], seed }): GeometryCase => ({
          inputs: [integers(a, seed, -2, 2), integers(b, seed, -2, 2, 1)],
          attrs: {},
        }),
      ),
      tfjs: ([a, b]) => tfjs(a, b),
      definition: ([a, b]) => pairs(a!, b!, (p, q) => constant(Number(f(p.v, q.v))), "bool"),
      noGradient,
    }),
  ),
];
