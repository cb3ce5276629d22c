import {
  conv2d,
  conv2dByMatMul,
  convCost,
  convolve1d,
  crossCorrelate,
  im2col,
  matMul,
  pointwiseConv2d,
  toeplitz,
  transpose,
  transposedConvolve,
} from "@gradlab/classic-cnns/by-hand";
import { matrixGrid } from "@gradlab/figures";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { countingPlane, plus } from "./counting-plane.js";

const ones = [[1, 1], [1, 1]]; // biome-ignore format: a kernel

/** Convolution as linear algebra, and what it costs. */
export const convolutionMatrix = defineExperiment({
  id: "classic-cnns/convolution-matrix",
  title: "Convolution as a matrix, and its cost",
  about:
    "A convolution is a matrix with few numbers in it, each of them along a diagonal; its transpose is the transposed " +
    "convolution. With the windows as columns (im2col) it is one product of small matrices, and with a 1 × 1 kernel a " +
    "product over channels. The way back costs twice as much as the way there; twice the channels on both sides cost four times as much, b groups one b-th. " +
    "The convolutions are those of the small network of three on 3 × 32 × 32.",
  async *run() {
    const T = toeplitz(ones, [3, 3]);
    const x = countingPlane(3, 3);
    const volume = [x, plus(x, 1)];
    const taps = countingPlane(2, 2);
    const filters = [0, 1, 2].map((more) => [plus(taps, more), plus(taps, more + 1)]);
    const column = (rows: readonly (readonly number[])[]) => rows.flat().map((value) => [value]);
    const y = crossCorrelate(x, ones);
    const weights = [[1, 2], [3, -4], [0, 5]]; // biome-ignore format: a matrix
    const conv1 = { size: [32, 32], inputChannels: 3, outputChannels: 16, kernel: 5, padding: 2 } as const;
    const conv2 = { size: [15, 15], inputChannels: 16, outputChannels: 16, kernel: 3, padding: 2 } as const;
    const conv3 = { size: [8, 8], inputChannels: 16, outputChannels: 32, kernel: 7, padding: 2 } as const;
    const costs = [conv1, conv2, conv3].map((layer) => convCost(layer));
    const whole = costs[1]!;
    const doubled = convCost({ ...conv2, inputChannels: 32, outputChannels: 32 });
    const grouped = convCost({ ...conv2, groups: 4 });
    return { T, taps,
      padded: toeplitz(countingPlane(3, 3, 1), [4, 4], { padding: 1 }),
      windows: im2col(volume, { kernel: 2 }),
      responses: conv2d(volume, filters).map((plane) => plane.flat()),
      enlarged: transposedConvolve(taps, countingPlane(3, 3, 1), { stride: 2 }),
      filterRows: filters.map((filter) => filter.flat(2)),
      nine: countingPlane(3, 3, 1),
      checks: [
        check(
          "2 × 2 ones on 3 × 3, four rows of nine",
          [
            [1, 1, 0, 1, 1, 0, 0, 0, 0],
            [0, 1, 1, 0, 1, 1, 0, 0, 0],
            [0, 0, 0, 1, 1, 0, 1, 1, 0],
            [0, 0, 0, 0, 1, 1, 0, 1, 1],
          ],
          T,
        ),
        check("the matrix times 0 … 8", [[8], [12], [20], [24]], matMul(T, column(x))),
        check(
          "its transpose and the transposed convolution",
          column(transposedConvolve(y, ones)),
          matMul(transpose(T), column(y)),
        ),
        check("filters times windows", conv2d(volume, filters), conv2dByMatMul(volume, filters)),
        check(
          "1 × 1 filters times pixels",
          conv2d(volume, weights.map((row) => row.map((weight) => [[weight]]))),
          pointwiseConv2d(volume, weights),
        ),
        check("(1 + 2t)(3 + 4t + 5t²)", [3, 10, 13, 10], convolve1d([1, 2], [3, 4, 5], { padding: "full" })),
        check("the same with the factors swapped", [3, 10, 13, 10], convolve1d([3, 4, 5], [1, 2], { padding: "full" })),
        check("weights of the small network's convolutions", [1200, 2304, 25088], costs.map((cost) => cost.weights)),
        check("their MACs", [1228800, 665856, 903168], costs.map(({ macs }) => macs.forward)),
        check("their MACs backward, by forward", [2, 2, 2], costs.map(({ macs }) => macs.backward / macs.forward)),
        check("MACs with twice the channels", 4, doubled.macs.forward / whole.macs.forward),
        check("MACs in four groups", 1 / 4, grouped.macs.forward / whole.macs.forward),
      ],
    }; // biome-ignore format: matrices
  },
  checks: ({ checks }) => checks,
  figures: ({ T, taps, padded, windows, responses, enlarged, filterRows, nine }, { document }) => [
    {
      svg: matrixGrid([{ label: "2 × 2 ones on 3 × 3", rows: T }], {
        document,
        cell: 26,
      }),
      caption:
        "Each row is one window over the picture, read row by row. Two blocks of 2 × 3 repeat along the diagonal; within them, each number does.",
    },
    {
      svg: matrixGrid(
        [
          {
            label: "1 … 9 on 4 × 4, padding 1",
            rows: padded,
          },
        ],
        {
          document,
          cell: 20,
        },
      ),
      caption:
        "A 3 × 3 kernel with a zero border: a matrix of 16 by 16. What would read the border is cut off.",
    },
    {
      svg: matrixGrid(
        [
          { label: "filters", rows: filterRows },
          { label: "windows", rows: windows },
          { label: "responses", rows: responses },
        ],
        { document, cell: 32 },
      ),
      caption:
        "Two channels and three filters as one product: a filter per row, a window per column, channel under channel.",
    },
    {
      svg: matrixGrid(
        [
          { label: "small", rows: taps },
          { label: "kernel", rows: nine },
          {
            label: "transposed, stride 2",
            rows: enlarged,
          },
        ],
        { document, cell: 30 },
      ),
      caption:
        "A transposed convolution enlarges: every number lays its multiple of the kernel two places further, and where they overlap they add up.",
    },
  ],
});
