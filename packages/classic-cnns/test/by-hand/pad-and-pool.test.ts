import {
  averageKernel,
  averagePool,
  crossCorrelate,
  maxFromRelu,
  maxPool,
  maxPoolFromRelu,
  maxPoolLayers,
  minPool,
  pad,
} from "@gradlab/classic-cnns/by-hand";
import fc from "fast-check";
import { expect, test } from "vitest";
import { counting, expectClose, planes, plus, sizes } from "./numbers.js";

test("reflect padding mirrors at the outermost numbers", () => {
  expect(pad(plus(counting([3, 3]), 1), 1, "reflect")).toEqual([
    [5, 4, 5, 6, 5],
    [2, 1, 2, 3, 2],
    [5, 4, 5, 6, 5],
    [8, 7, 8, 9, 8],
    [5, 4, 5, 6, 5],
  ]);
});

test.each([
  ["zero", [0, 0, 0, 0, 1, 2, 3, 0, 0]],
  ["edge", [1, 1, 1, 1, 1, 2, 3, 3, 3]],
  ["reflect", [1, 2, 3, 2, 1, 2, 3, 2, 1]],
  ["symmetric", [3, 3, 2, 1, 1, 2, 3, 3, 2]],
  ["circular", [3, 1, 2, 3, 1, 2, 3, 1, 2]],
] as const)("%s padding, wider than the input", (mode, expected) => {
  // numpy.pad([1, 2, 3], (4, 2), "constant" | "edge" | "reflect" | "symmetric" | "wrap")
  const padding = [0, [4, 2]] as const;
  expect(pad([[1, 2, 3]], padding, mode)).toEqual([expected]);
  expect(pad([[5]], padding, mode)).toEqual([mode === "zero" ? [0, 0, 0, 0, 5, 0, 0] : Array(7).fill(5)]);
});

test("pools of counted pictures", () => {
  const x = counting([3, 3]);
  expect(maxPool(x, { window: 2, stride: 1 })).toEqual([
    [4, 5],
    [7, 8],
  ]);
  expect(averagePool(x, { window: 2, stride: 1 })).toEqual([
    [2, 3],
    [5, 6],
  ]);
  const larger = counting([4, 4]);
  expect(maxPool(larger, { window: 3 })).toEqual([[10]]);
  const options = { window: 3, padding: 1, stride: 2 };
  expect([larger, plus(larger, 1)].map((plane) => maxPool(plane, options))).toEqual([
    [
      [5, 7],
      [13, 15],
    ],
    [
      [6, 8],
      [14, 16],
    ],
  ]);
  expect(minPool(larger, { window: [3, 2], stride: [1, 2] })).toEqual([
    [0, 2],
    [4, 6],
  ]);
});

test("a window may be as large as a photograph", () => {
  // More numbers than a function takes as arguments.
  const x = counting([400, 500]);
  const options = { window: [400, 500] } as const;
  expect([maxPool(x, options), minPool(x, options)]).toEqual([[[199999]], [[0]]]);
});

test("padding never wins a maximum, and is averaged only where that is asked for", () => {
  const x = [[-4, -2]];
  expect(maxPool(x, { window: [1, 2], padding: [0, 1], stride: 1 })).toEqual([[-4, -2, -2]]);
  expect(minPool([[4, 2]], { window: [1, 2], padding: [0, 1], stride: 1 })).toEqual([[4, 2, 2]]);
  expect(averagePool(x, { window: [1, 2], padding: [0, 1] })).toEqual([[-2, -1]]);
  expect(averagePool(x, { window: [1, 2], padding: [0, 1], countPadding: false })).toEqual([[-4, -2]]);
});

test("average pooling is a convolution, min-pooling is max-pooling upside down", () => {
  const cases = sizes(3).chain((window) =>
    fc.record({ window: fc.constant(window), stride: sizes(3), x: planes([5, 6]) }),
  );
  fc.assert(
    fc.property(cases, ({ window, stride, x }) => {
      const averages = crossCorrelate(x, averageKernel(window), { stride });
      // Nine products with 1/9, at most 9 in size, and their sum: 9 · 9 · ε.
      expectClose(averagePool(x, { window, stride }), averages, 81 * Number.EPSILON);
      const smallest = x
        .flatMap((row, i) => row.map((_, j) => [i, j] as const))
        .filter(([i, j]) => i % stride[0] === 0 && j % stride[1] === 0)
        .filter(([i, j]) => i + window[0] <= 5 && j + window[1] <= 6)
        .map(([i, j]) =>
          Math.min(...x.slice(i, i + window[0]).flatMap((row) => row.slice(j, j + window[1]))),
        );
      expect(minPool(x, { window, stride }).flat()).toEqual(
        smallest.map((value) => expect.closeTo(value, 15)),
      );
    }),
  );
});

test("one ReLU finds the larger of two numbers", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (a, b) => {
      expect(maxFromRelu(a, b)).toBe(Math.max(a, b));
    }),
  );
});

test("three convolutions with ReLU between them are a max-pool", () => {
  fc.assert(
    fc.property(sizes(7, 2).chain(planes), (x) => {
      expect(maxPoolFromRelu(x)).toEqual(maxPool(x, { window: 2 }));
    }),
  );
  // Fractions too: up to 12 additions on the way, of numbers below 3, each rounded by 3 · ε/2 at most.
  const fractions = fc.array(
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
    {
      minLength: 4,
      maxLength: 4,
    },
  );
  fc.assert(
    fc.property(fractions, (x) => {
      expectClose(maxPoolFromRelu(x), maxPool(x, { window: 2 }), 18 * Number.EPSILON);
    }),
  );
  // All that happens between the layers is what they say themselves.
  expect(maxPoolLayers.map(({ relu }) => relu)).toEqual([true, true, false]);
});
