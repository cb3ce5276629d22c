/** The ops that take whole numbers too: values only. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { axisOf, broadcastShapes, integers, shape } from "../arbitraries.js";
import { constant, type Dual } from "../dual.js";
import type { GeometryCase, GeometryOp } from "../op.js";
import { each, pairs } from "./elementwise.js";
import { reduce } from "./reductions.js";

const noGradient = "of integers";

const binaryFunctions: readonly [
  string,
  (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  (a: number, b: number) => number,
][] = [
  ["add", tf.add, (a, b) => a + b],
  ["sub", tf.sub, (a, b) => a - b],
  ["mul", tf.mul, (a, b) => a * b],
  ["maximum", tf.maximum, Math.max],
  ["minimum", tf.minimum, Math.min],
  ["squaredDifference", tf.squaredDifference, (a, b) => (a - b) ** 2],
  ["floorDiv", tf.floorDiv, (a, b) => Math.floor(a / b)],
  ["mod", tf.mod, (a, b) => a - b * Math.floor(a / b)],
];

const unaryFunctions: readonly [string, (a: tf.Tensor) => tf.Tensor, (a: number) => number][] = [
  ["abs", tf.abs, Math.abs],
  ["neg", tf.neg, (a) => -a],
  ["square", tf.square, (a) => a * a],
  ["relu", tf.relu, (a) => Math.max(a, 0)],
];

const reductions: readonly [
  string,
  (x: tf.Tensor, axis?: number, keepDims?: boolean) => tf.Tensor,
  (xs: readonly number[]) => number,
][] = [
  ["sum", tf.sum, (xs) => xs.reduce((a, b) => a + b, 0)],
  ["prod", tf.prod, (xs) => xs.reduce((a, b) => a * b, 1)],
  ["max", tf.max, (xs) => Math.max(...xs)],
  ["min", tf.min, (xs) => Math.min(...xs)],
];

const value =
  (f: (...xs: number[]) => number) =>
  (...xs: Dual[]) =>
    constant(f(...xs.map(({ v }) => v)) + 0);

export const integerOps: readonly GeometryOp[] = [
  ...binaryFunctions.map(
    ([name, tfjs, f]): GeometryOp => ({
      name: `${name} of integers`,
      cases: fc.record({ shapes: broadcastShapes(4), seed: fc.nat(999) }).map(
        ({ shapes: [a, b], seed }): GeometryCase => ({
          // Divisors are not 0.
          inputs: [
            integers(a, seed, -9, 9),
            integers(b, seed, name === "floorDiv" || name === "mod" ? 1 : -9, 9, 1),
          ],
          attrs: {},
        }),
      ),
      tfjs: ([a, b]) => tfjs(a, b),
      definition: ([a, b]) => pairs(a!, b!, value(f)),
      noGradient,
    }),
  ),
  ...unaryFunctions.map(
    ([name, tfjs, f]): GeometryOp => ({
      name: `${name} of integers`,
      cases: fc
        .record({ shape: shape(0, 4), seed: fc.nat(999) })
        .map(({ shape, seed }): GeometryCase => ({ inputs: [integers(shape, seed, -9, 9)], attrs: {} })),
      tfjs: ([a]) => tfjs(a),
      definition: ([a]) => each(a!, value(f)),
      noGradient,
    }),
  ),
  ...reductions.map(
    ([name, tfjs, f]): GeometryOp => ({
      name: `${name} of integers`,
      cases: fc
        .record({ shape: shape(1, 4), pick: fc.nat(23), keepDims: fc.boolean(), seed: fc.nat(999) })
        .map(
          ({ shape, pick, keepDims, seed }): GeometryCase => ({
            inputs: [integers(shape, seed, -3, 3)],
            attrs: { axis: axisOf(shape.length, pick), keepDims },
          }),
        ),
      tfjs: ([x], { axis, keepDims }) => tfjs(x, axis, keepDims),
      definition: ([x], { axis, keepDims }) =>
        reduce(x!, axis, keepDims, (xs) => value((...vs) => f(vs))(...xs)),
      noGradient,
    }),
  ),
];
