import {
  composeKernels,
  crossCorrelate,
  crossCorrelate1d,
  crossCorrelateSeparably,
  derivativeKernel,
  edgeKernel,
  gaussianKernel,
  gaussianKernel1d,
  laplacianKernel,
  separate,
} from "@gradlab/classic-cnns/by-hand";
import fc from "fast-check";
import { expect, test } from "vitest";
import { expectClose, planes, shaped, sizes, wave } from "./numbers.js";

test("two kernels in turn are one of size k1 + k2 − 1", () => {
  fc.assert(
    fc.property(sizes(3).chain(planes), sizes(3).chain(planes), planes([6, 7]), (a, b, x) => {
      const both = composeKernels(a, b);
      expect([both.length, both[0]!.length]).toEqual([
        a.length + b.length - 1,
        a[0]!.length + b[0]!.length - 1,
      ]);
      expect(crossCorrelate(x, both)).toEqual(crossCorrelate(crossCorrelate(x, a), b));
    }),
  );
});

test("a column times a row is found again, anything else is not separable", () => {
  const integers = (length: number) =>
    fc.array(fc.integer({ min: -9, max: 9 }), { minLength: length, maxLength: length });
  fc.assert(
    fc.property(
      sizes(4).chain(([h, w]) => fc.tuple(integers(h), integers(w))),
      ([column, row]) => {
        const kernel = column.map((a) => row.map((b) => a * b));
        const found = separate(kernel)!;
        // Quotients of products below 81, one rounding each way.
        expectClose(
          found.column.map((a) => found.row.map((b) => a * b)),
          kernel,
          81 * 2 * Number.EPSILON,
        );
      },
    ),
  );
  // Every 2x2 with a determinant is of rank 2.
  fc.assert(
    fc.property(planes([2, 2]), (kernel) => {
      const determinant = kernel[0]![0]! * kernel[1]![1]! - kernel[0]![1]! * kernel[1]![0]!;
      expect(separate(kernel) === null).toBe(determinant !== 0);
    }),
  );
  expect(separate(laplacianKernel())).toBeNull();
  expect(separate([[1, 1], [1, 1.001]], 0.01)).not.toBeNull(); // biome-ignore format: a kernel
});

test("a separable kernel in two passes gives what it gives in one", () => {
  const padding = fc.constantFrom(0, [1, 2] as const, [[0, 1], 2] as const, "same" as const, "full" as const);
  const mode = fc.constantFrom("zero" as const, "edge" as const, "reflect" as const);
  const x = shaped(wave(42), [6, 7]);
  const separable = { column: [1, 3, -2], row: [2, -1] };
  const kernel = separable.column.map((a) => separable.row.map((b) => a * b));
  fc.assert(
    fc.property(sizes(3), sizes(2), padding, mode, (stride, dilation, padding, paddingMode) => {
      const options = { stride, dilation, padding, paddingMode };
      // Six products, in size 18 together, with up to 8 roundings of ε/2 one way and 6 the other: 18 · 14 · ε/2.
      expectClose(
        crossCorrelateSeparably(x, separable, options),
        crossCorrelate(x, kernel, options),
        126 * Number.EPSILON,
      );
    }),
  );
});

test("edge kernels answer the slope in their direction, and nothing to what is flat", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -7, max: 7, noNaN: true }),
      fc.double({ min: -7, max: 7, noNaN: true }),
      (angle, towards) => {
        // A ramp that rises by 1 per pixel towards an angle; rows count downwards.
        const ramp = shaped([0, 1, 2, 3, 4, 5, 6, 7, 8], [3, 3]).map((row, y) =>
          row.map((_, x) => Math.cos(towards) * x - Math.sin(towards) * y + 5),
        );
        // Nine products, in size below 1.2 · 8 together, with up to 13 roundings of ε/2 each.
        expectClose(
          crossCorrelate(ramp, edgeKernel(angle)),
          [[Math.cos(angle - towards)]],
          64 * Number.EPSILON,
        );
      },
    ),
  );
  expect(edgeKernel(0).map((row) => row.map((tap) => 8 * tap))).toEqual([
    [-1, 0, 1],
    [-2, 0, 2],
    [-1, 0, 1],
  ]);
  // Upwards: the row above counts.
  expectClose(edgeKernel(Math.PI / 2), [[1, 2, 1], [0, 0, 0], [-1, -2, -1]].map((row) => row.map((tap) => tap / 8)), 1e-16); // biome-ignore format: a kernel
});

test("a Laplacian is 0 on ramps and the sum of second derivatives on a bowl", () => {
  const at = (f: (x: number, y: number) => number) => [-1, 0, 1].map((y) => [-1, 0, 1].map((x) => f(x, y)));
  const ramp = at((x, y) => 3 * x - 5 * y + 2);
  const bowl = at((x, y) => 2 * x * x + 3 * y * y + 7 * x * y); // second derivatives 4 and 6
  expect(crossCorrelate(ramp, laplacianKernel())).toEqual([[0]]);
  expect(crossCorrelate(bowl, laplacianKernel())).toEqual([[10]]);
  expect(crossCorrelate(ramp, laplacianKernel({ diagonals: true }))).toEqual([[0]]);
  // Along a diagonal, where a step is √2, the second differences of x y are ±2 and cancel.
  expect(crossCorrelate(bowl, laplacianKernel({ diagonals: true }))).toEqual([[30]]);
});

test("a derivative of order d has d + 1 taps, and makes t^d into d! and lower powers into 0", () => {
  expect(derivativeKernel(0)).toEqual([1]);
  expect(derivativeKernel(1)).toEqual([-1, 1]);
  expect(derivativeKernel(4)).toEqual([1, -4, 6, -4, 1]);
  let factorial = 1;
  for (let order = 1; order <= 8; order++) {
    factorial *= order;
    const taps = derivativeKernel(order);
    expect(taps).toHaveLength(order + 1);
    for (let power = 0; power <= order; power++) {
      const values = Array.from({ length: order + 4 }, (_, t) => (t - 2) ** power);
      expect(crossCorrelate1d(values, taps)).toEqual(Array(4).fill(power === order ? factorial : 0));
    }
  }
});

test("the Gaussian of 3x3 with σ 1", () => {
  const [corner, side, middle] = [0.0751, 0.1238, 0.2042];
  const expected = [
    [corner, side, corner],
    [side, middle, side],
    [corner, side, corner],
  ];
  expectClose(gaussianKernel(3, 1), expected, 0.5e-4);
});

test("a Gaussian sums to 1 and is symmetric, however wide", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.double({ min: 1e-3, max: 50, noNaN: true }),
      (size, sigma) => {
        const taps = gaussianKernel1d(size, sigma);
        expect(taps).toEqual(taps.toReversed());
        // size roundings of numbers whose sum is 1.
        expect(taps.reduce((sum, tap) => sum + tap, 0)).toBeCloseTo(1, 14);
      },
    ),
  );
  expect(gaussianKernel1d(3, 1e-3)).toEqual([0, 1, 0]);
  expect(gaussianKernel1d(2, 1e-3)).toEqual([0.5, 0.5]);
});
