import { crossEntropy, embed } from "@gradlab/core";
import {
  avgPool,
  batchNorm,
  conv2d,
  conv2dTranspose,
  depthwiseConv2d,
  greater,
  matMul,
  maxPool,
  mul,
  sigmoid,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tanh,
  tensor1d,
  where,
} from "@tensorflow/tfjs-core";

/** An op twice: with tensors, and as loops over plain numbers. */
export interface GradientCase {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  /** Added to every input. */
  readonly shift?: number;
  readonly tensors: (...inputs: Tensor[]) => Tensor;
  /** The same values, row by row. */
  readonly plain: (...inputs: (readonly number[])[]) => number[];
}

// biome-ignore lint/suspicious/noExplicitAny: the ranks of the inputs are those of `shapes`
type AnyRank = any;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const ids = [2, 0, 2, 1, 2];
const labels = [3, 0, 1];

/** Sums over a window: `sum(y, x, visit)` calls `visit(i, j, ky, kx)` for every tap that lies inside of n x n. */
function overWindow(
  n: number,
  kernel: number,
  stride: number,
  before: number,
  [row, column]: readonly [number, number],
  visit: (i: number, j: number, ky: number, kx: number) => void,
): void {
  for (const ky of range(kernel)) {
    for (const kx of range(kernel)) {
      const i = row * stride - before + ky;
      const j = column * stride - before + kx;
      if (i >= 0 && i < n && j >= 0 && j < n) visit(i, j, ky, kx);
    }
  }
}

/** The values of a map of m x m positions with c channels, row by row. */
const mapOf = (m: number, c: number, value: (row: number, column: number, channel: number) => number) =>
  range(m).flatMap((row) =>
    range(m).flatMap((column) => range(c).map((channel) => value(row, column, channel))),
  );

const sigma = (x: number) => 1 / (1 + Math.exp(-x));

/** What networks are made of, each with the mistake of a backend that it would show. */
export const gradientCases: readonly GradientCase[] = [
  {
    name: "matMul 5 × 7 by 7 × 6",
    shapes: [[5, 7], [7, 6]], // biome-ignore format: shapes
    tensors: (a, b) => matMul(a as Tensor2D, b as Tensor2D),
    plain: (a, b) =>
      range(5).flatMap((i) =>
        range(6).map((j) => total(range(7).map((k) => a![7 * i + k]! * b![6 * k + j]!))),
      ),
  },
  {
    name: "matMul with one factor for two of a batch",
    shapes: [[2, 3, 4], [1, 4, 5]], // biome-ignore format: shapes
    tensors: (a, b) => matMul(a as AnyRank, b as AnyRank),
    plain: (a, b) =>
      range(6).flatMap((i) =>
        range(5).map((j) => total(range(4).map((k) => a![4 * i + k]! * b![5 * k + j]!))),
      ),
  },
  {
    name: "conv2d 3 × 3, stride 2, padded",
    shapes: [[1, 7, 7, 3], [3, 3, 3, 4]], // biome-ignore format: shapes
    tensors: (x, w) => conv2d(x as Tensor4D, w as Tensor4D, 2, "same"),
    plain: (x, w) =>
      mapOf(4, 4, (row, column, o) => {
        let sum = 0;
        overWindow(7, 3, 2, 1, [row, column], (i, j, ky, kx) => {
          for (const c of range(3)) sum += x![3 * (7 * i + j) + c]! * w![4 * (3 * (3 * ky + kx) + c) + o]!;
        });
        return sum;
      }),
  },
  {
    name: "conv2dTranspose 2 × 2, stride 2",
    shapes: [[1, 3, 3, 2], [2, 2, 3, 2]], // biome-ignore format: shapes
    tensors: (x, w) => conv2dTranspose(x as AnyRank, w as Tensor4D, [1, 6, 6, 3], 2, "valid"),
    plain: (x, w) =>
      mapOf(6, 3, (row, column, o) => {
        const [i, j, ky, kx] = [row >> 1, column >> 1, row & 1, column & 1];
        return total(range(2).map((c) => x![2 * (3 * i + j) + c]! * w![2 * (3 * (2 * ky + kx) + o) + c]!));
      }),
  },
  {
    name: "depthwiseConv2d 3 × 3",
    shapes: [[1, 5, 5, 2], [3, 3, 2, 2]], // biome-ignore format: shapes
    tensors: (x, w) => depthwiseConv2d(x as Tensor4D, w as Tensor4D, 1, "valid"),
    plain: (x, w) =>
      mapOf(3, 4, (row, column, o) => {
        let sum = 0;
        overWindow(5, 3, 1, 0, [row, column], (i, j, ky, kx) => {
          sum += x![2 * (5 * i + j) + (o >> 1)]! * w![4 * (3 * ky + kx) + o]!;
        });
        return sum;
      }),
  },
  {
    name: "avgPool 3 × 3, stride 2, padded",
    shapes: [[1, 5, 5, 2]],
    tensors: (x) => avgPool(x as Tensor4D, 3, 2, "same"),
    plain: (x) =>
      mapOf(3, 2, (row, column, c) => {
        const inside: number[] = [];
        overWindow(5, 3, 2, 1, [row, column], (i, j) => inside.push(x![2 * (5 * i + j) + c]!));
        return total(inside) / inside.length;
      }),
  },
  {
    name: "maxPool of negative numbers",
    shapes: [[1, 6, 6, 2]],
    shift: -3,
    tensors: (x) => maxPool(x as Tensor4D, 2, 2, "valid"),
    plain: (x) =>
      mapOf(3, 2, (row, column, c) => {
        let most = Number.NEGATIVE_INFINITY;
        overWindow(6, 2, 2, 0, [row, column], (i, j) => {
          most = Math.max(most, x![2 * (6 * i + j) + c]!);
        });
        return most;
      }),
  },
  {
    name: "batchNorm by given moments",
    shapes: [[3, 4], [4], [4], [4]], // biome-ignore format: shapes
    tensors: (x, mean, offset, scale) =>
      batchNorm(
        x as AnyRank,
        mean as Tensor1D,
        tensor1d([0.5, 1, 1.5, 2]),
        offset as Tensor1D,
        scale as Tensor1D,
        1e-3,
      ),
    plain: (x, mean, offset, scale) =>
      x!.map((value, at) => {
        const c = at % 4;
        return ((value - mean![c]!) / Math.sqrt(0.5 * (c + 1) + 1e-3)) * scale![c]! + offset![c]!;
      }),
  },
  {
    name: "embedding, one row used three times",
    shapes: [[4, 3]],
    tensors: (table) => embed(table as Tensor2D, tensor1d(ids, "int32")),
    plain: (table) => ids.flatMap((id) => table!.slice(3 * id, 3 * id + 3)),
  },
  {
    name: "cross-entropy of three labels",
    shapes: [[3, 5]],
    tensors: (z) => crossEntropy(z, tensor1d(labels, "int32"), { reduction: "none" }),
    plain: (z) =>
      labels.map((label, i) => {
        const row = z!.slice(5 * i, 5 * i + 5);
        return Math.log(total(row.map(Math.exp))) - row[label]!;
      }),
  },
  {
    name: "gates of an LSTM: sigmoid times tanh",
    shapes: [[4, 6], [4, 6]], // biome-ignore format: shapes
    tensors: (a, b) => mul(sigmoid(a), tanh(b)),
    plain: (a, b) => a!.map((value, i) => sigma(value) * Math.tanh(b![i]!)),
  },
  {
    name: "the larger of two, chosen by a condition",
    shapes: [[4, 6], [4, 6]], // biome-ignore format: shapes
    tensors: (a, b) => where(greater(a, b), a, b),
    plain: (a, b) => a!.map((value, i) => Math.max(value, b![i]!)),
  },
];
