import {
  col2im,
  crossCorrelate,
  im2col,
  matMul,
  toeplitz,
  transpose,
  transposedConvolve,
} from "@gradlab/classic-cnns/by-hand";
import fc from "fast-check";
import { expect, test } from "vitest";
import { counting, dot, layersWithNumbers, plus } from "./numbers.js";

const ones = [
  [1, 1],
  [1, 1],
];

test("2x2 ones on 3x3 are four rows of nine, each a window", () => {
  expect(toeplitz(ones, [3, 3])).toEqual([
    [1, 1, 0, 1, 1, 0, 0, 0, 0],
    [0, 1, 1, 0, 1, 1, 0, 0, 0],
    [0, 0, 0, 1, 1, 0, 1, 1, 0],
    [0, 0, 0, 0, 1, 1, 0, 1, 1],
  ]);
  expect(toeplitz([[1, 2]], [2, 2], { padding: [0, [1, 0]] })).toEqual([
    [2, 0, 0, 0],
    [1, 2, 0, 0],
    [0, 0, 2, 0],
    [0, 0, 1, 2],
  ]);
});

test("the matrix convolves, its transpose is the transposed convolution", () => {
  fc.assert(
    fc.property(layersWithNumbers, ({ layer: { input, options }, x, filters }) => {
      const { groups: _, ...rest } = options;
      const [plane, kernel] = [x[0]!, filters[0]![0]!];
      const T = toeplitz(kernel, input, rest);
      const y = crossCorrelate(plane, kernel, rest);
      const column = (values: readonly (readonly number[])[]) => values.flat().map((value) => [value]);
      expect(matMul(T, column(plane))).toEqual(column(y));
      expect(matMul(transpose(T), column(y))).toEqual(
        column(transposedConvolve(y, kernel, { ...rest, size: input })),
      );
    }),
  );
});

test("with stride 1, one number runs along every diagonal of each block", () => {
  const T = toeplitz(plus(counting([2, 3]), 1), [4, 5], { padding: 1 });
  const [rows, columns] = [5, 5]; // of a block: outputs and inputs of one row
  for (let i = 1; i < T.length; i++) {
    for (let j = 1; j < T[0]!.length; j++) {
      if (i % rows !== 0 && j % columns !== 0) expect(T[i]![j]).toBe(T[i - 1]![j - 1]);
    }
  }
  // And one block along every diagonal of blocks.
  for (let i = rows; i < T.length; i++) {
    expect(T[i]!.slice(columns)).toEqual(T[i - rows]!.slice(0, -columns));
  }
});

test("the columns of im2col are the windows, channel after channel", () => {
  const volume = [counting([2, 3]), plus(counting([2, 3]), 10)];
  expect(im2col(volume, { kernel: 2 })).toEqual([
    [0, 1],
    [1, 2],
    [3, 4],
    [4, 5],
    [10, 11],
    [11, 12],
    [13, 14],
    [14, 15],
  ]);
});

test("col2im is the adjoint of im2col, and counts the windows over each number", () => {
  fc.assert(
    fc.property(layersWithNumbers, ({ layer: { input, kernel, options }, x }) => {
      const { groups: _, ...rest } = options;
      const columns = im2col(x, { kernel, ...rest });
      const m = columns.map((row, i) => row.map((_, j) => ((3 * i + 5 * j) % 11) - 5));
      expect(dot(columns, m)).toBe(dot(x, col2im(m, input, { kernel, ...rest })));
    }),
  );
  const windows = col2im(im2col([[[1, 1, 1]]], { kernel: [1, 2] }), [1, 3], { kernel: [1, 2] });
  expect(windows).toEqual([[[1, 2, 1]]]);
});
