/** Normalizations, softmax and losses. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { axisOf, drawn, fill, shape, size, smoothFill } from "../arbitraries.js";
import { add, constant, type Dual, div, max, min, mul, neg, scale, sub, sum, zero } from "../dual.js";
import { abs, exp, log, relu, rsqrt, sigmoid, softplus, sqrt, square } from "../functions.js";
import { at, atOrZero, type Grid, grid, range } from "../grid.js";
import type { GeometryCase, GeometryOp, Input } from "../op.js";
import { pairs, spread } from "./elementwise.js";
import { axesOf, logSumExp, mean, reduce, variance } from "./reductions.js";

const power = (x: Dual, p: number): Dual => exp(scale(log(x), p));

/** Every element minus a number of its group of elements along some axes. */
const groupwise = (x: Grid, axis: number, f: (element: Dual, group: readonly Dual[]) => Dual): Grid => {
  const [along] = axesOf(x.shape.length, axis) as [number];
  return grid(x.shape, (index) => {
    const group = range(x.shape[along]!).map((i) => at(x, ...index.map((j, a) => (a === along ? i : j))));
    return f(at(x, ...index), group);
  });
};

/** `(x - mean) / √(variance + ε) · scale + offset`, each of one axis or of the shape of x; the last two may lack. */
function batchNorm(
  [x, mean, variance, ...rest]: readonly Grid[],
  { hasOffset, hasScale, epsilon }: { hasOffset: boolean; hasScale: boolean; epsilon?: number },
): Grid {
  const offset = hasOffset ? rest[0] : undefined;
  const factor = hasScale ? rest.at(-1) : undefined;
  return grid(x!.shape, (index) => {
    const centred = sub(at(x!, ...index), spread(mean!, index));
    const spreadOut = rsqrt(add(spread(variance!, index), constant(epsilon ?? 0.001)));
    const normal = mul(centred, spreadOut);
    const scaled = factor ? mul(normal, spread(factor, index)) : normal;
    return offset ? add(scaled, spread(offset, index)) : scaled;
  });
}

const batchNormCases = fc
  .record({
    shape: shape(1, 4),
    fill: smoothFill,
    hasOffset: fc.boolean(),
    hasScale: fc.boolean(),
    full: fc.constantFrom(false, false, true),
    epsilon: fc.constantFrom(undefined, 0.1, 1e-3),
  })
  .map(({ shape, fill, hasOffset, hasScale, full, epsilon }): GeometryCase => {
    const own = full ? shape : shape.slice(-1);
    return {
      inputs: [
        drawn(shape, fill),
        drawn(own, fill, -1, 1, 1),
        drawn(own, fill, 0.25, 2, 2),
        ...(hasOffset ? [drawn(own, fill, -1, 1, 3)] : []),
        ...(hasScale ? [drawn(own, fill, -2, 2, 4)] : []),
      ],
      attrs: { hasOffset, hasScale, ...(epsilon === undefined ? {} : { epsilon }) },
    };
  });

/** Along which axis, if along any. */
const oneAxis = (ties: boolean, low = -2, high = 2, least = 1) =>
  fc
    .record({
      shape: shape(least, 4),
      pick: fc.nat(23),
      keepDims: fc.boolean(),
      fill: ties ? fill : smoothFill,
    })
    .map(
      ({ shape, pick, keepDims, fill }): GeometryCase => ({
        inputs: [drawn(shape, fill, low, high)],
        attrs: { axis: axisOf(shape.length, pick), keepDims },
      }),
    );

/** The Euclidean norm of zeros has no slope. */
const withoutZeros = ({ inputs }: GeometryCase): boolean => !inputs[0]!.values.includes(0);

const lastAxis = fc.record({ shape: shape(1, 4), fill: smoothFill, negative: fc.boolean() }).map(
  ({ shape, fill, negative }): GeometryCase => ({
    inputs: [drawn(shape, fill)],
    attrs: { axis: negative ? -1 : shape.length - 1 },
  }),
);

const softmax = (x: Grid, axis: number): Grid =>
  groupwise(x, axis, (v, group) => exp(sub(v, logSumExp(group))));
const logSoftmax = (x: Grid, axis: number): Grid =>
  groupwise(x, axis, (v, group) => sub(v, logSumExp(group)));

const flatten = (x: Grid): Grid => ({ ...x, shape: [] });
/** Losses of two tensors of one shape; by default their sum, divided by how many weights are not 0. */
const lossCases = (low: number, high: number, ties: boolean) =>
  fc.record({ shape: shape(1, 3), fill: ties ? fill : smoothFill }).map(
    ({ shape, fill }): GeometryCase => ({
      inputs: [drawn(shape, fill, low, high), drawn(shape, fill, low, high, 1)],
      attrs: {},
    }),
  );
const loss = (f: (label: Dual, prediction: Dual) => Dual) => (labels: Grid, predictions: Grid) => ({
  ...flatten(labels),
  data: [mean(pairs(labels, predictions, f).data)],
});

/** Rows that sum to 1, as far as 32 bits can. */
const distributions = (x: Input): Input => {
  const n = x.shape.at(-1)!;
  return {
    ...x,
    values: x.values.map((v, i) => {
      const row = x.values.slice(i - (i % n), i - (i % n) + n);
      return Math.fround(v / row.reduce((a, b) => a + b, 0));
    }),
  };
};

/** `log(1 + exp(-|x|)) + max(x, 0) - x·z`: the cross-entropy of a sigmoid. */
const sigmoidLoss = (z: Dual, x: Dual): Dual => sub(softplus(x), mul(x, z));

const losses: readonly GeometryOp[] = [
  {
    name: "losses.meanSquaredError",
    cases: lossCases(-2, 2, false),
    tfjs: ([a, b]) => tf.losses.meanSquaredError(a, b),
    definition: ([a, b]) => loss((y, p) => square(sub(y, p)))(a!, b!),
  },
  {
    name: "losses.absoluteDifference",
    cases: lossCases(-2, 2, true),
    tfjs: ([a, b]) => tf.losses.absoluteDifference(a, b),
    definition: ([a, b]) => loss((y, p) => abs(sub(y, p)))(a!, b!),
    kinks: true,
  },
  {
    name: "losses.huberLoss",
    cases: lossCases(-2, 2, false),
    tfjs: ([a, b]) => tf.losses.huberLoss(a, b),
    definition: ([a, b]) =>
      loss((y, p) => {
        const error = abs(sub(y, p));
        const inner = min(error, constant(1));
        return add(scale(square(inner), 0.5), sub(error, inner));
      })(a!, b!),
    kinks: true,
  },
  {
    name: "losses.hingeLoss",
    cases: lossCases(0.1, 2, false),
    tfjs: ([a, b]) => tf.losses.hingeLoss(a, b),
    definition: ([a, b]) =>
      loss((y, p) => relu(sub(constant(1), mul(sub(scale(y, 2), constant(1)), p))))(a!, b!),
    kinks: true,
  },
  {
    name: "losses.logLoss",
    cases: lossCases(0.1, 0.9, false),
    tfjs: ([a, b]) => tf.losses.logLoss(a, b),
    definition: ([a, b]) =>
      loss((y, p) =>
        neg(
          add(
            mul(y, log(add(p, constant(1e-7)))),
            mul(sub(constant(1), y), log(add(sub(constant(1), p), constant(1e-7)))),
          ),
        ),
      )(a!, b!),
  },
  {
    name: "losses.sigmoidCrossEntropy",
    cases: lossCases(0.1, 0.9, false),
    tfjs: ([a, b]) => tf.losses.sigmoidCrossEntropy(a, b),
    definition: ([a, b]) => loss(sigmoidLoss)(a!, b!),
    second: true,
  },
  {
    name: "losses.softmaxCrossEntropy",
    cases: fc.record({ shape: shape(2, 3), fill: smoothFill }).map(
      ({ shape, fill }): GeometryCase => ({
        inputs: [distributions(drawn(shape, fill, 0.1, 0.9)), drawn(shape, fill, -2, 2, 1)],
        attrs: {},
      }),
    ),
    tfjs: ([a, b]) => tf.losses.softmaxCrossEntropy(a, b),
    definition: ([labels, logits]) => {
      const terms = pairs(labels!, logSoftmax(logits!, -1), (y, p) => neg(mul(y, p)));
      return { ...flatten(labels!), data: [mean(reduce(terms, -1, false, sum).data)] };
    },
    // A distribution cannot move in one of its elements alone.
    wrt: [1],
    second: true,
    leavesOut: ["labels that do not sum to 1, for which tfjs's own gradient is another one"],
  },
  {
    name: "losses.cosineDistance",
    cases: oneAxis(false).map(
      ({ inputs: [x], attrs: { axis } }): GeometryCase => ({
        inputs: [x!, { ...x!, values: [...x!.values].reverse() }],
        attrs: { axis },
      }),
    ),
    tfjs: ([a, b], { axis }) => tf.losses.cosineDistance(a, b, axis),
    definition: ([a, b], { axis }) => {
      const products = reduce(pairs(a!, b!, mul), axis, true, sum);
      return { ...flatten(a!), data: [mean(products.data.map((p) => sub(constant(1), p)))] };
    },
  },
];

export const normOps: readonly GeometryOp[] = [
  {
    name: "batchNorm",
    cases: batchNormCases,
    tfjs: ([x, mean, variance, ...rest], { hasOffset, hasScale, epsilon }) =>
      tf.batchNorm(
        x,
        mean,
        variance,
        hasOffset ? rest[0] : undefined,
        hasScale ? rest.at(-1) : undefined,
        epsilon,
      ),
    definition: (inputs, attrs) => batchNorm(inputs, attrs),
    second: true,
  },
  {
    name: "layer normalization by moments and batchNorm",
    cases: fc
      .record({
        shape: shape(2, 4).map((s) => [...s.slice(0, -1), s.at(-1)! + 1]),
        fill: smoothFill,
        hasOffset: fc.boolean(),
        hasScale: fc.boolean(),
      })
      .map(
        ({ shape, fill, hasOffset, hasScale }): GeometryCase => ({
          inputs: [
            drawn(shape, fill),
            ...(hasOffset ? [drawn(shape.slice(-1), fill, -1, 1, 3)] : []),
            ...(hasScale ? [drawn(shape.slice(-1), fill, -2, 2, 4)] : []),
          ],
          attrs: { hasOffset, hasScale, epsilon: 0.1 },
        }),
      ),
    tfjs: ([x, ...rest], { hasOffset, hasScale, epsilon }) => {
      const { mean, variance } = tf.moments(x, -1, true);
      const tiled = (t: tf.Tensor) => tf.broadcastTo(t, x.shape);
      return tf.batchNorm(
        x,
        tiled(mean),
        tiled(variance),
        hasOffset ? tiled(rest[0]) : undefined,
        hasScale ? tiled(rest.at(-1)) : undefined,
        epsilon,
      );
    },
    definition: ([x, ...rest], attrs) =>
      batchNorm([x!, reduce(x!, -1, true, mean), reduce(x!, -1, true, variance), ...rest], attrs),
    second: true,
  },
  {
    name: "moments",
    cases: oneAxis(false),
    tfjs: ([x], { axis, keepDims }) => {
      const { mean, variance } = tf.moments(x, axis, keepDims);
      return [mean, variance];
    },
    definition: ([x], { axis, keepDims }) => [
      reduce(x!, axis, keepDims, mean),
      reduce(x!, axis, keepDims, variance),
    ],
    second: true,
  },
  {
    name: "softmax",
    cases: lastAxis,
    tfjs: ([x], { axis }) => tf.softmax(x, axis),
    definition: ([x], { axis }) => softmax(x!, axis),
    second: true,
    leavesOut: ["another axis than the last ('Softmax along a non-last dimension is not yet supported')"],
  },
  {
    name: "logSoftmax",
    cases: lastAxis,
    tfjs: ([x], { axis }) => tf.logSoftmax(x, axis),
    definition: ([x], { axis }) => logSoftmax(x!, axis),
    second: true,
    leavesOut: ["another axis than the last"],
  },
  ...(
    [
      ["euclidean", (xs) => sqrt(sum(xs.map(square)))],
      ["1", (xs) => sum(xs.map(abs))],
      ["inf", (xs) => xs.map(abs).reduce(max)],
      ["-inf", (xs) => xs.map(abs).reduce(min)],
    ] as [string, (xs: readonly Dual[]) => Dual][]
  ).map(
    ([kind, f]): GeometryOp => ({
      name: `norm ${kind}`,
      cases: oneAxis(false).filter(withoutZeros),
      tfjs: ([x], { axis, keepDims }) => {
        const order = kind === "euclidean" ? kind : kind === "1" ? 1 : kind === "inf" ? Infinity : -Infinity;
        return tf.norm(x, order, axis, keepDims);
      },
      definition: ([x], { axis, keepDims }) => reduce(x!, axis, keepDims, f),
      kinks: true,
    }),
  ),
  {
    name: "norm of matrices",
    cases: fc
      .record({
        shape: shape(2, 4),
        keepDims: fc.boolean(),
        order: fc.constantFrom(1, "inf", "-inf", "fro"),
        fill: smoothFill,
      })
      .map(({ shape, keepDims, order, fill }): GeometryCase => {
        const axis = [shape.length - 2, shape.length - 1];
        return {
          inputs: [drawn(shape, fill)],
          attrs: { order, axis, keepDims },
        };
      })
      .filter(withoutZeros),
    tfjs: ([x], { order, axis, keepDims }) => {
      const orders = {
        inf: Number.POSITIVE_INFINITY,
        "-inf": Number.NEGATIVE_INFINITY,
        fro: "fro",
        1: 1,
      } as const;
      return tf.norm(x, orders[order as keyof typeof orders], axis, keepDims);
    },
    // Sums along one axis, then the largest or smallest along the other; the Frobenius norm along both.
    definition: ([x], { order, axis: [first, second], keepDims }) => {
      if (order === "fro") return reduce(x!, [first, second], keepDims, (xs) => sqrt(sum(xs.map(square))));
      const [inner, outer] = order === 1 ? [first, second] : [second, first];
      const sums = reduce(x!, inner, true, (xs) => sum(xs.map(abs)));
      const found = reduce(sums, outer, true, (xs) => xs.reduce(order === "-inf" ? min : max));
      return reduce(found, [first, second], keepDims, ([one]) => one!);
    },
    kinks: true,
    leavesOut: ["the two axes in falling order: tfjs counts the second one when the first is gone"],
  },
  {
    name: "localResponseNormalization",
    cases: fc
      .record({
        shape: fc.oneof(shape(3, 3), shape(4, 4)),
        depthRadius: fc.nat(5),
        bias: fc.constantFrom(1, 2),
        alpha: fc.constantFrom(1, 0.1),
        beta: fc.constantFrom(0.5, 0.75, 1),
        fill: smoothFill,
      })
      .map(({ shape, fill, ...attrs }): GeometryCase => ({ inputs: [drawn(shape, fill)], attrs })),
    tfjs: ([x], { depthRadius, bias, alpha, beta }) =>
      tf.localResponseNormalization(x, depthRadius, bias, alpha, beta),
    definition: ([x], { depthRadius, bias, alpha, beta }) =>
      grid(x!.shape, (index) => {
        const [before, c] = [index.slice(0, -1), index.at(-1)!];
        let total: Dual = zero;
        for (let i = c - depthRadius; i <= c + depthRadius; i++)
          total = add(total, square(atOrZero(x!, ...before, i)));
        return div(at(x!, ...index), power(add(constant(bias), scale(total, alpha)), beta));
      }),
  },
  {
    name: "basicLSTMCell",
    cases: fc
      .record({
        batch: size(3),
        inputs: size(4),
        units: size(4),
        fill: smoothFill,
        forget: fc.constantFrom(0, 1),
      })
      .map(
        ({ batch, inputs, units, fill, forget }): GeometryCase => ({
          inputs: [
            drawn([inputs + units, 4 * units], fill, -1, 1),
            drawn([4 * units], fill, -1, 1, 1),
            drawn([batch, inputs], fill, -1, 1, 2),
            drawn([batch, units], fill, -1, 1, 3),
            drawn([batch, units], fill, -1, 1, 4),
          ],
          attrs: { forget },
        }),
      ),
    tfjs: ([kernel, bias, x, c, h], { forget }) => tf.basicLSTMCell(forget, kernel, bias, x, c, h),
    definition: ([kernel, bias, x, c, h], { forget }) => {
      const units = c!.shape[1]!;
      const gate = (b: number, j: number) =>
        add(
          at(bias!, j),
          sum(
            range(x!.shape[1]! + units).map((i) =>
              mul(i < x!.shape[1]! ? at(x!, b, i) : at(h!, b, i - x!.shape[1]!), at(kernel!, i, j)),
            ),
          ),
        );
      const tanhOf = (v: Dual) => sub(scale(sigmoid(scale(v, 2)), 2), constant(1));
      const cell = grid(c!.shape, (index) => {
        const [b, u] = index as [number, number];
        const [i, j, f] = range(3).map((g) => gate(b, g * units + u)) as [Dual, Dual, Dual];
        return add(mul(at(c!, b, u), sigmoid(add(f, constant(forget)))), mul(sigmoid(i), tanhOf(j)));
      });
      const output = grid(c!.shape, (index) => {
        const [b, u] = index as [number, number];
        return mul(tanhOf(at(cell, b, u)), sigmoid(gate(b, 3 * units + u)));
      });
      return [cell, output];
    },
  },
  ...losses,
];
