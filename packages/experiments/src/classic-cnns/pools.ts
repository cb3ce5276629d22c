import {
  averagePool,
  convCost,
  crossCorrelate,
  maxPool,
  type Plane,
  pad,
} from "@gradlab/classic-cnns/by-hand";
import { curvesOverPoints, imageRow, imageSource } from "@gradlab/figures";
import { integer, randomStream, uniform } from "@gradlab/random";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { greyPicture } from "./grey-picture.js";

const window = [0.1, 0.9, 0.4, 0.7];
const draws = 20_000;
/** From 25 to 18 along an axis. */
const [fineSize, coarseSize] = [25, 18];
const sharpness = [0, 0.5, 1, 2, 4, 8, 16, 32, 64];

/** Between the average and the maximum, by chance, by fractions, and by ReLU. */
export const pools = defineExperiment({
  id: "classic-cnns/pools",
  title: "Pools that are neither average nor maximum, and what windows cost",
  about:
    "Softmax pooling, Σ x e^(βx) / Σ e^(βx), runs from the average (β = 0) to the maximum (β → ∞); its slope by β is the variance of the " +
    "window under these weights. Stochastic pooling takes a number of the window with the probability x / Σx, on average Σx² / Σx. " +
    `Fractional pooling makes ${coarseSize} of ${fineSize} by windows of 1 or 2 in a random order. The largest of 3 × 3 is four convolutions with a ReLU each, since max(a, b) = a + ReLU(b − a). ` +
    "Outputs in a row share what they read: k of them read 2k + 1 numbers under a window of 3 with stride 2, and Δ more read 2Δ more. " +
    "Padding of 2 instead of 1 costs a 3 × 3 layer on 32 × 32 numbers 13 % more multiplications, two thirds of these with zeros.",
  async *run({ seed }) {
    const random = randomStream({ seed, purpose: "classic-cnns/pools" });
    const integers = Array.from({ length: 9 }, () =>
      Array.from({ length: 11 }, () => integer(random, -20, 21)),
    );
    let sum = 0;
    for (let i = 0; i < draws; i++) sum += stochastic(window, uniform(random)) / draws;
    const second = window.reduce((total, x) => total + x * x, 0) / total(window);
    const third = window.reduce((all, x) => all + x ** 3, 0) / total(window);
    const ends = fractions(uniform(random));
    const photo = Array.from({ length: fineSize }, (_, i) =>
      Array.from({ length: fineSize }, (__, j) => 0.5 + 0.5 * Math.sin(0.02 * (i * i + j * j))),
    );
    return {
      softmax: sharpness.map((beta) => [beta, softmaxPool(window, beta)] as const),
      ends: [
        averagePool([window], { window: [1, 4] })[0]![0]!,
        maxPool([window], { window: [1, 4] })[0]![0]!,
      ],
      slope: (softmaxPool(window, 1e-4) - softmaxPool(window, -1e-4)) / 2e-4,
      stochastic: { mean: sum, expected: second, tolerance: 4 * Math.sqrt((third - second ** 2) / draws) },
      sizes: ends.map((end, i) => end - (ends[i - 1] ?? 0)),
      pictures: { fine: photo, coarse: fractional(photo, ends), half: maxPool(photo, { window: 2 }) },
      byRelu: maxByRelu(integers),
      byMaxPool: maxPool(integers, { window: 3, stride: 1 }),
      strips: [1, 2, 5, 9].map((outputs) => numbersRead(outputs)),
      macs: [1, 2].map((padding) => {
        const cost = convCost({ size: [32, 32], inputChannels: 3, outputChannels: 8, kernel: 3, padding });
        return { macs: cost.macs.forward, real: 3 * 8 * realTaps(padding) };
      }),
    };
  },
  checks: ({ softmax, ends, slope, stochastic: chance, sizes, byRelu, byMaxPool, strips, macs }) => {
    const mean = total(window) / 4;
    const variance = window.reduce((all, x) => all + (x - mean) ** 2, 0) / 4;
    return [
      check(
        "softmax pooling at β = 0 and β = 64: average, maximum",
        ends,
        [softmax[0]![1], softmax.at(-1)![1]],
        1e-5,
      ),
      check(
        "it rises with β: steps upwards",
        sharpness.length - 1,
        softmax.filter(([, y], i) => i > 0 && y > softmax[i - 1]![1]).length,
      ),
      check("its slope at β = 0: the variance of the window", variance, slope, 1e-8),
      check(
        `stochastic pooling, mean of ${draws} draws`,
        chance.expected,
        chance.mean,
        Number(chance.tolerance.toPrecision(2)),
      ),
      check(
        `fractional pooling of ${fineSize} to ${coarseSize}: windows, windows of 1, of 2`,
        [coarseSize, 2 * coarseSize - fineSize, fineSize - coarseSize],
        [sizes.length, sizes.filter((size) => size === 1).length, sizes.filter((size) => size === 2).length],
      ),
      check("largest of 3 × 3 by ReLU, on whole numbers", byMaxPool, byRelu),
      check("numbers read by 1, 2, 5 and 9 outputs in a row: 2k + 1", [3, 5, 11, 19], strips),
      // (32 + 2p − 2)² places of 3 · 8 · 9 products.
      check(
        "multiplications of 3 × 3, padding 1 and 2",
        [32 ** 2 * 216, 34 ** 2 * 216],
        macs.map((one) => one.macs),
      ),
      // Of 94 and 96 pairs of place and tap along an axis, those that lie on the picture: 94, then 96.
      check(
        "those with a number of the picture",
        [94 ** 2 * 24, 96 ** 2 * 24],
        macs.map((one) => one.real),
      ),
    ];
  },
  figures: ({ softmax, ends, pictures }, { document }) => [
    {
      svg: curvesOverPoints(
        softmax.slice(0, -1).map(([beta, y]) => [beta, y]),
        [
          { name: "softmax pooling", points: Array.from({ length: 129 }, (_, i) => [i / 4, softmaxPool(window, i / 4)]) },
          { name: "average, maximum", dashed: true, points: [[0, ends[0]!], [32, ends[0]!]] },
          { dashed: true, points: [[0, ends[1]!], [32, ends[1]!]] },
        ],
        { document, height: 300, xLabel: "β = 1 / temperature", yLabel: "of 0.1, 0.9, 0.4, 0.7", pointsName: "checked" },
      ), // biome-ignore format: pairs
      caption: "One window of four numbers: from their average to their maximum as the temperature falls.",
    },
    {
      svg: imageRow(
        [
          { ...imageSource(greyPicture(pictures.fine)), caption: "25 × 25", pixelated: true },
          { ...imageSource(greyPicture(pictures.coarse)), caption: "fractional: 18 × 18", pixelated: true },
          { ...imageSource(greyPicture(pictures.half)), caption: "2 × 2: 12 × 12", pixelated: true },
        ],
        { document, width: 720 },
      ),
      caption:
        "Fractional pooling shrinks by √2 at a time, where 2 × 2 halves: more pools fit into a network before nothing is left.",
    },
  ],
});

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** Σ x e^(βx) / Σ e^(βx). */
function softmaxPool(values: readonly number[], beta: number): number {
  const most = Math.max(...values.map((x) => beta * x));
  const shares = values.map((x) => Math.exp(beta * x - most));
  return total(values.map((x, i) => x * shares[i]!)) / total(shares);
}

/**
 * A number of the window with the probability x / Σx, from a number in [0, 1).
 *
 * @see Zeiler & Fergus 2013, https://arxiv.org/abs/1301.3557
 */
function stochastic(values: readonly number[], u: number): number {
  let left = u * total(values);
  for (const x of values) {
    left -= x;
    if (left < 0) return x;
  }
  return values.at(-1)!;
}

/**
 * Where the windows end, `⌈α (i + u)⌉ − ⌈α u⌉` with α = fine / coarse in (1, 2): 1 or 2 further each time.
 *
 * @see Graham 2014, https://arxiv.org/abs/1412.6071
 */
function fractions(u: number): number[] {
  // The last window ends with the last number: α(coarse) is a whole number.
  const at = (i: number) => Math.ceil((fineSize * (i + u)) / coarseSize);
  return Array.from({ length: coarseSize }, (_, i) => at(i + 1) - at(0));
}

/** The largest number of each window, along both axes. */
function fractional(x: Plane, ends: readonly number[]): number[][] {
  const windows = ends.map((end, i) => [ends[i - 1] ?? 0, end] as const);
  return windows.map(([top, bottom]) =>
    windows.map(([left, right]) =>
      Math.max(...x.slice(top, bottom).flatMap((row) => row.slice(left, right))),
    ),
  );
}

/** The largest of 3 × 3 at stride 1: twice along the rows and twice along the columns, `a + ReLU(b − a)` for neighbours. */
function maxByRelu(x: Plane): number[][] {
  const step = (plane: Plane, first: Plane, difference: Plane) => {
    const a = crossCorrelate(plane, first);
    const b = crossCorrelate(plane, difference);
    return a.map((row, i) => row.map((value, j) => value + Math.max(0, b[i]![j]!)));
  };
  const along = (plane: Plane) => step(plane, [[1, 0]], [[-1, 1]]);
  const down = (plane: Plane) => step(plane, [[1], [0]], [[-1], [1]]);
  return down(down(along(along(x))));
}

/** Different numbers under the windows of 3 with stride 2 of outputs in a row, one by one. */
function numbersRead(outputs: number): number {
  const read = new Set<number>();
  for (let i = 0; i < outputs; i++) for (let a = 0; a < 3; a++) read.add(2 * i + a);
  return read.size;
}

/** Pairs of a window of 3 × 3 and a pixel of 32 × 32 that it lies on: the sum of a convolution of ones. */
function realTaps(padding: number): number {
  const ones = Array.from({ length: 32 }, () => Array<number>(32).fill(1));
  const kernel = [[1, 1, 1], [1, 1, 1], [1, 1, 1]]; // biome-ignore format: a kernel
  return total(crossCorrelate(pad(ones, padding), kernel).flat());
}
