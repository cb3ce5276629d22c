import {
  conv2d,
  conv2dGradients,
  convCost,
  crossCorrelate,
  crossCorrelate1d,
  crossCorrelateSeparably,
  gaussianKernel,
  maxFromRelu,
  separate,
} from "@gradlab/classic-cnns/by-hand";
import { curvesOverPoints, matrixGrid } from "@gradlab/figures";
import { integer, normal, randomStream } from "@gradlab/random";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

const relu = (x: number) => Math.max(0, x);

/** The formula that stands in solutions: a mean of the two and half of what one is above the other. */
const halved = (a: number, b: number) => (a + b + relu(a - b)) / 2;

/** Claims about what networks are made of. */
export const kernelClaims = defineExperiment({
  id: "claims/kernels",
  title: "Claims about convolutions and pools, examined",
  about:
    "“max(a, b) = ½ (a + b + ReLU(a − b))” is wrong: for −5 and 3 it gives −1, their mean; a + ReLU(b − a) is right for all. “A " +
    "derivative of order d needs 2d + 1 taps”: d + 1 are enough, and with d taps there is none, because sums with weights " +
    "that vanish for 1, t … t^(d−1) vanish altogether. “A Gaussian kernel is not separable”: it is, a product of a column " +
    "and a row to the last digits. “The backward pass of a convolution costs as much as the forward pass”: it costs twice " +
    "as much, for the gradient of the input and the gradient of the kernels take as many multiplications each.",
  async *run({ seed }) {
    const random = randomStream({ seed, purpose: "claims/kernels" });
    const pairs = Array.from(
      { length: 1000 },
      () => [integer(random, -20, 21), integer(random, -20, 21)] as const,
    );
    const orders = [1, 2, 3, 4, 5];
    const gaussian = gaussianKernel(7, 1.3);
    const factors = separate(gaussian);
    const plane = Array.from({ length: 20 }, () => Array.from({ length: 24 }, () => normal(random)));
    const whole = crossCorrelate(plane, gaussian);
    const twoPasses = factors === null ? null : crossCorrelateSeparably(plane, factors);
    return {
      example: { halved: halved(-5, 3), right: maxFromRelu(-5, 3) },
      agreeing: {
        halved: pairs.filter(([a, b]) => halved(a, b) === Math.max(a, b)).length,
        first: pairs.filter(([a, b]) => a >= b).length,
        right: pairs.filter(([a, b]) => maxFromRelu(a, b) === Math.max(a, b)).length,
      },
      pairs: pairs.length,
      derivatives: orders.map((order) => {
        const taps = differenceTaps(order);
        const power = Array.from({ length: order + 4 }, (_, t) => t ** order);
        return {
          order,
          taps: taps.length,
          answer: crossCorrelate1d(power, taps),
          // Weights on `order` places that answer to no power below `order`: only those that are all zero.
          freedomOfFewer: order - rankOfPowers(order, order),
          freedom: order + 1 - rankOfPowers(order + 1, order),
        };
      }),
      gaussian: {
        kernel: gaussian,
        factors,
        difference:
          twoPasses === null
            ? null
            : Math.max(
                ...whole.flatMap((row, i) => row.map((value, j) => Math.abs(value - twoPasses[i]![j]!))),
              ),
        multiplications: [7 * 7, 7 + 7],
      },
      cost: countedCost(),
    };
  },
  checks: ({ example, agreeing, pairs, derivatives, gaussian, cost }) => [
    check("−5 and 3: by halves, by a + ReLU(b − a)", [-1, 3], [example.halved, example.right]),
    check(`${pairs} pairs of whole numbers: right by a + ReLU(b − a)`, pairs, agreeing.right),
    check("the same by halves: right only where a ≥ b", agreeing.first, agreeing.halved),
    check(
      "taps of the derivatives of order 1 … 5",
      [2, 3, 4, 5, 6],
      derivatives.map(({ taps }) => taps),
    ),
    check(
      "what they make of t, t² … t⁵: d! everywhere",
      [1, 2, 6, 24, 120].map((value) => [value, value, value, value]),
      derivatives.map(({ answer }) => answer),
    ),
    check(
      "kernels of d and of d + 1 taps that answer to no lower power: dimensions",
      derivatives.map(() => [0, 1]),
      derivatives.map(({ freedomOfFewer, freedom }) => [freedomOfFewer, freedom]),
    ),
    // 49 products and sums of numbers of size 1, rounded at 2^-53.
    check("Gaussian 7 × 7 in two passes: largest difference", 0, gaussian.difference, 1e-14),
    check("multiplications per pixel: at once, in two passes", [49, 14], gaussian.multiplications),
    check(
      "multiplications of a 3 × 3 layer of 2 and 3 channels, counted one by one",
      cost.formula,
      cost.counted,
    ),
    check("backward over forward", 2, cost.counted[1]! / cost.counted[0]!),
    check(
      "that layer and its gradients, against those of conv2d: largest difference",
      0,
      cost.gradientError,
      1e-9,
    ),
  ],
  figures: ({ gaussian }, { document }) => [
    {
      svg: curvesOverPoints(
        [],
        [
          { name: "max(a, 3)", dashed: true, points: along((a) => Math.max(a, 3)) },
          { name: "½ (a + 3 + ReLU(a − 3))", points: along((a) => halved(a, 3)) },
          { name: "a + ReLU(3 − a)", points: along((a) => a + relu(3 - a)) },
        ],
        { document, height: 320, xLabel: "a", yLabel: "the larger of a and 3" },
      ),
      caption:
        "The formula by halves is right for a ≥ 3 alone; below, it gives the mean of the two. The other lies on the maximum everywhere.",
    },
    {
      svg: matrixGrid(
        [
          { label: "column", rows: gaussian.factors!.column.map((value) => [digits(value)]) },
          { label: "row", rows: [gaussian.factors!.row.map(digits)] },
          { label: "their product, the kernel", rows: gaussian.kernel.map((row) => row.map(digits)) },
        ],
        { document, cell: 40 },
      ),
      caption: "A Gaussian kernel of 7 × 7, taken apart: 14 multiplications per pixel instead of 49.",
    },
  ],
});

const along = (f: (a: number) => number) =>
  Array.from({ length: 61 }, (_, i) => [i / 4 - 6, f(i / 4 - 6)] as const);

const digits = (value: number) => Number(value.toFixed(3));

/** The difference of order d: binomial coefficients with changing signs. */
function differenceTaps(order: number): number[] {
  let taps = [1];
  for (let d = 0; d < order; d++) taps = [0, ...taps].map((tap, i) => tap - (taps[i] ?? 0));
  return taps;
}

/** The rank of the matrix of t^p for t = 0 … places − 1 and p = 0 … powers − 1, by elimination in fractions of integers. */
function rankOfPowers(places: number, powers: number): number {
  let rows = Array.from({ length: powers }, (_, p) =>
    Array.from({ length: places }, (_, t) => BigInt(t) ** BigInt(p)),
  );
  let rank = 0;
  for (let column = 0; column < places; column++) {
    const at = rows.findIndex((row) => row[column] !== 0n);
    if (at < 0) continue;
    const pivot = rows[at]!;
    rank += 1;
    rows = rows
      .filter((_, i) => i !== at)
      .map((row) => row.map((value, j) => value * pivot[column]! - pivot[j]! * row[column]!));
  }
  return rank;
}

/** Multiplications of a layer there and back: counted in loops that do them, and by the formula. */
function countedCost() {
  const [inputs, outputs, size, k] = [2, 3, 6, 3];
  const out = size - k + 1;
  const x = volume(inputs, size, 1);
  const filters = [0, 1, 2].map((o) => volume(inputs, k, o + 2));
  const dy = volume(outputs, out, 7);
  const dx = x.map((plane) => plane.map((row) => row.map(() => 0)));
  const dw = filters.map((filter) => filter.map((plane) => plane.map((row) => row.map(() => 0))));
  let [forward, backward] = [0, 0];
  const y = dy.map((plane) => plane.map((row) => row.map(() => 0)));
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < out; i++)
      for (let j = 0; j < out; j++)
        for (let c = 0; c < inputs; c++)
          for (let a = 0; a < k; a++)
            for (let b = 0; b < k; b++) {
              y[o]![i]![j]! += filters[o]![c]![a]![b]! * x[c]![i + a]![j + b]!;
              forward += 1;
              dx[c]![i + a]![j + b]! += filters[o]![c]![a]![b]! * dy[o]![i]![j]!;
              dw[o]![c]![a]![b]! += x[c]![i + a]![j + b]! * dy[o]![i]![j]!;
              backward += 2;
            }
  const known = conv2dGradients(x, filters, dy);
  const errors = [
    [conv2d(x, filters), y],
    [known.x, dx],
    [known.filters, dw],
  ].map(([p, q]) => {
    const [left, right] = [p!.flat(3) as number[], q!.flat(3) as number[]];
    return Math.max(...left.map((value, i) => Math.abs(value - right[i]!)));
  });
  const { macs } = convCost({
    size: [size, size],
    inputChannels: inputs,
    outputChannels: outputs,
    kernel: k,
  });
  return {
    counted: [forward, backward],
    formula: [macs.forward, macs.backward],
    gradientError: Math.max(...errors),
  };
}

/** Numbers without a pattern that a wrong index could hide in. */
const volume = (channels: number, size: number, phase: number) =>
  Array.from({ length: channels }, (_, c) =>
    Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => Math.sin(1.7 * (c + 1) * (i + 2) * (j + 3) + phase)),
    ),
  );
