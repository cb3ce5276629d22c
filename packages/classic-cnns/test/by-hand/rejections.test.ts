import * as byHand from "@gradlab/classic-cnns/by-hand";
import { expect, test } from "vitest";

const plane = [
  [1, 2, 3],
  [4, 5, 6],
];
const tap = [[1]];
const filters = [[tap, tap]];

const cases: [work: () => unknown, kind: ErrorConstructor, message: string][] = [
  [
    () => byHand.crossCorrelate([], tap),
    RangeError,
    "crossCorrelate: x: expected at least one row, got an array of length 0",
  ],
  [
    () => byHand.crossCorrelate([[]], tap),
    RangeError,
    "crossCorrelate: x[0]: expected an array of at least one number, got an array of length 0",
  ],
  [
    () => byHand.crossCorrelate([[1, 2], [3]], tap),
    RangeError,
    "crossCorrelate: x[1]: expected an array of 2 numbers, got an array of length 1",
  ],
  [
    () => byHand.crossCorrelate([[1, Number.NaN]], tap),
    RangeError,
    "crossCorrelate: x[0][1]: expected a finite number, got NaN",
  ],
  [
    () => byHand.crossCorrelate(3 as never, tap),
    TypeError,
    "crossCorrelate: x: expected rows of numbers, got 3",
  ],
  [
    () => byHand.crossCorrelate(plane, [["1"]] as never),
    TypeError,
    'crossCorrelate: kernel[0][0]: expected a finite number, got "1"',
  ],
  [
    () => byHand.crossCorrelate(plane, plane, { stride: 0 }),
    RangeError,
    "crossCorrelate: stride: expected an integer, at least 1, got 0",
  ],
  [
    () => byHand.crossCorrelate(plane, plane, { stride: [1, 1.5] }),
    RangeError,
    "crossCorrelate: stride[1]: expected an integer, at least 1, got 1.5",
  ],
  [
    () => byHand.crossCorrelate(plane, plane, { dilation: [1] as never }),
    RangeError,
    "crossCorrelate: dilation: expected a number or one per axis, got an array of length 1",
  ],
  [
    () => byHand.crossCorrelate(plane, plane, { dilation: 2 }),
    RangeError,
    "crossCorrelate: kernel: expected it to fit into the padded height 2, got a reach of 3",
  ],
  [
    () => byHand.crossCorrelate(plane, tap, { padding: -1 }),
    RangeError,
    "crossCorrelate: padding: expected an integer, at least 0, got -1",
  ],
  [
    () => byHand.crossCorrelate(plane, tap, { padding: [0, [1, -1]] }),
    RangeError,
    "crossCorrelate: padding[1]: expected an integer, at least 0, got -1",
  ],
  [
    () => byHand.crossCorrelate(plane, tap, { padding: "some" as never }),
    TypeError,
    'crossCorrelate: padding: expected a number, one entry per axis, "valid", "same" or "full", got "some"',
  ],
  [
    () => byHand.crossCorrelate(plane, tap, { paddingMode: "mirror" as never }),
    RangeError,
    'crossCorrelate: paddingMode: expected one of "zero", "edge", "reflect", "symmetric", "circular", got "mirror"',
  ],
  [
    () => byHand.crossCorrelate1d([], [1]),
    RangeError,
    "crossCorrelate1d: x: expected an array of at least one number, got an array of length 0",
  ],
  [
    () => byHand.convolve(plane, []),
    RangeError,
    "convolve: kernel: expected at least one row, got an array of length 0",
  ],
  [
    () => byHand.convolve1d([1], 1 as never),
    TypeError,
    "convolve1d: kernel: expected an array of at least one number, got 1",
  ],
  [
    () => byHand.conv2d([], filters),
    RangeError,
    "conv2d: x: expected at least one plane, got an array of length 0",
  ],
  [
    () => byHand.conv2d([plane, tap], filters),
    RangeError,
    "conv2d: x[1]: expected 2 rows, got an array of length 1",
  ],
  [
    () => byHand.conv2d([plane], filters),
    RangeError,
    "conv2d: filters: expected 1 kernels per filter, for 1 channels in 1 groups, got 2",
  ],
  [
    () => byHand.conv2d([plane, plane], [[tap, tap], [tap]]),
    RangeError,
    "conv2d: filters[1]: expected 2 kernels like the first, got an array of length 1",
  ],
  [
    () => byHand.conv2d([plane, plane], filters, { groups: 2 }),
    RangeError,
    "conv2d: groups: expected a divisor of 2 input and 1 output channels, got 2",
  ],
  [
    () => byHand.conv2d([plane, plane], filters, { bias: [1, 2] }),
    RangeError,
    "conv2d: bias: expected an array of 1 numbers, got an array of length 2",
  ],
  [
    () => byHand.conv2dGradients([plane, plane], filters, [tap]),
    RangeError,
    "conv2dGradients: dy[0]: expected 2 rows, got an array of length 1",
  ],
  [
    () => byHand.transposedConv2d([plane, plane], filters),
    RangeError,
    "transposedConv2d: y: expected 1 channels, one per filter, got 2",
  ],
  [
    () => byHand.transposedConvolve(plane, tap, { size: [2, 4] }),
    RangeError,
    "transposedConvolve: size: expected one that the convolution brings to 2×3, got 2×4, which becomes 2×4",
  ],
  [
    () => byHand.transposedConvolve(plane, tap, { padding: "same" }),
    RangeError,
    'transposedConvolve: size: expected a height and width with padding "same", got undefined',
  ],
  [
    () => byHand.transposedConvolve(plane, tap, { padding: 1 }),
    RangeError,
    "transposedConvolve: padding: expected to leave at least one row and column, got 0",
  ],
  [
    () => byHand.pad(plane, 1, "same" as never),
    RangeError,
    'pad: mode: expected one of "zero", "edge", "reflect", "symmetric", "circular", got "same"',
  ],
  [
    () => byHand.pad(plane, "same" as never),
    TypeError,
    'pad: padding: expected a number or one entry per axis, got "same"',
  ],
  [
    () => byHand.maxPool(plane, { window: 4 }),
    RangeError,
    "maxPool: kernel: expected it to fit into the padded height 2, got a reach of 4",
  ],
  [
    () => byHand.maxPool(plane, { window: 2, padding: 2 }),
    RangeError,
    "maxPool: padding: expected less than the window's 2, got 2",
  ],
  [
    () => byHand.averageKernel(0),
    RangeError,
    "averageKernel: window: expected an integer, at least 1, got 0",
  ],
  [
    () => byHand.matMul(plane, plane),
    RangeError,
    "matMul: b: expected 3 rows, as many as a has columns, got 2",
  ],
  [
    () => byHand.pointwiseConv2d([plane], [[1, 2]]),
    RangeError,
    "pointwiseConv2d: weights: expected 1 columns, one per channel, got 2",
  ],
  [
    () => byHand.toeplitz(tap, [0, 1]),
    RangeError,
    "toeplitz: input[0]: expected an integer, at least 1, got 0",
  ],
  [
    () => byHand.im2col([plane], { kernel: 3 }),
    RangeError,
    "im2col: kernel: expected it to fit into the padded height 2, got a reach of 3",
  ],
  [
    () => byHand.col2im([[1], [2], [3]], [1, 2], { kernel: [1, 2] }),
    RangeError,
    "col2im: columns: expected a multiple of 2 rows, got 3",
  ],
  [() => byHand.separate(tap, -1), RangeError, "separate: tolerance: expected a number, at least 0, got -1"],
  [
    () => byHand.edgeKernel(Number.POSITIVE_INFINITY),
    RangeError,
    "edgeKernel: angle: expected a finite number, got Infinity",
  ],
  [
    () => byHand.derivativeKernel(-1),
    RangeError,
    "derivativeKernel: order: expected an integer, at least 0, got -1",
  ],
  [() => byHand.gaussianKernel(3, 0), RangeError, "gaussianKernel: sigma: expected a positive number, got 0"],
  [
    () => byHand.gaussianKernel1d(0, 1),
    RangeError,
    "gaussianKernel1d: size: expected an integer, at least 1, got 0",
  ],
  [
    () => byHand.learnKernel([], { size: 1, rate: 1, steps: 1 }),
    RangeError,
    "learnKernel: pairs: expected at least one pair, got an array of length 0",
  ],
  [
    () => byHand.learnKernel([[plane, plane]], { size: 2, rate: 1, steps: 1 }),
    RangeError,
    "learnKernel: pairs[0][1]: expected 1 rows, got an array of length 2",
  ],
  [
    () => byHand.learnKernel([[plane, plane]], { size: 1, rate: 1e200, steps: 3, start: [[0]] }),
    RangeError,
    "learnKernel: rate: expected one that keeps the error finite for 1 steps, got 1e+200",
  ],
  [
    () => byHand.learnKernel([[plane, plane]], { size: 1, rate: 1e308, steps: 3, start: [[0]] }),
    RangeError,
    "learnKernel: rate: expected one that keeps the error finite for 1 steps, got 1e+308",
  ],
  [() => byHand.maxFromRelu(1, Number.NaN), RangeError, "maxFromRelu: b: expected a finite number, got NaN"],
  [() => byHand.maxPoolFromRelu([[1, 2]]), RangeError, "maxPoolFromRelu: x: expected at least 2×2, got 1×2"],
  [
    () => byHand.convCost({ size: [1, 1], inputChannels: 2, outputChannels: 3, kernel: 1, groups: 2 }),
    RangeError,
    "convCost: groups: expected a divisor of 2 input and 3 output channels, got 2",
  ],
  [
    () => byHand.convCost({ size: [1, 1], inputChannels: 0, outputChannels: 3, kernel: 1 }),
    RangeError,
    "convCost: inputChannels: expected an integer, at least 1, got 0",
  ],
];

test.each(cases.map(([work, kind, message]) => [message, kind, work] as const))(
  "%s",
  (message, kind, work) => {
    expect(work).toThrow(new kind(message));
  },
);

test("arguments stay as they are", () => {
  const frozen = (rows: number[][]) => Object.freeze(rows.map((row) => Object.freeze(row))) as number[][];
  const x = frozen([[1, 2], [3, 4]]); // biome-ignore format: a plane
  byHand.maxPoolFromRelu(x);
  byHand.learnKernel([[x, x]], { size: 1, rate: 0.01, steps: 2, start: frozen([[1]]) });
  // Results belong to the caller, even where they equal an argument.
  const same = byHand.pad(x, 0);
  same[0]![0] = 9;
  byHand.crossCorrelate(x, [[1]])[0]![0] = 9;
  byHand.separate(x);
  expect(x[0]![0]).toBe(1);
});
