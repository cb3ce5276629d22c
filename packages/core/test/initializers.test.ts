import { randomStream, uniformFloat32 } from "@gradlab/random";
import type { Tensor } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  fans,
  heNormal,
  heUniform,
  normalTensor,
  orthogonal,
  ShapeError,
  torchUniform,
  uniformTensor,
  xavierNormal,
  xavierUniform,
} from "../src/index.js";
import { expectNoLeak, golden, numbers } from "./tensors.js";

const key = { seed: 0, purpose: "layers.0.kernel" };

test("fans count the window of a convolution in height, width, in, out", () => {
  expect(fans([300, 500])).toEqual({ fanIn: 300, fanOut: 500 });
  expect(fans([3, 5, 64, 128])).toEqual({ fanIn: 15 * 64, fanOut: 15 * 128 });
  expect(fans([7, 2, 3])).toEqual({ fanIn: 14, fanOut: 21 });
  expect(() => fans([3])).toThrow(new ShapeError("fans: shape: expected [.., in, out] without a 0, got [3]"));
  expect(() => fans([0, 3])).toThrow(ShapeError);
});

/*
 * The bound of each distribution worked by hand, and the spread of PyTorch's numbers. For n numbers of a
 * distribution with the variance s² the relative standard error of s is √((k - 1) / 4n), k = 3 for a normal and
 * k = 1.8 for a uniform distribution: at n ≥ 76,800 below 0.26 %. Two samples differ by √2 of that; five of these are
 * 1.9 %.
 */
const SPREAD_TOLERANCE = 0.019;
const dense = [300, 500];
const conv = [3, 5, 64, 128];
const cases: [name: string, make: () => Tensor, bound: number][] = [
  ["xavierUniform dense", () => xavierUniform(dense, key), Math.sqrt(6 / 800)],
  ["xavierNormal dense", () => xavierNormal(dense, key), Number.POSITIVE_INFINITY],
  ["heUniform dense", () => heUniform(dense, key), Math.sqrt(6 / 300)],
  ["heNormal dense", () => heNormal(dense, key), Number.POSITIVE_INFINITY],
  ["xavierUniform conv", () => xavierUniform(conv, key), Math.sqrt(6 / (15 * 192))],
  ["heNormal conv", () => heNormal(conv, key), Number.POSITIVE_INFINITY],
  ["heNormal conv fanOut", () => heNormal(conv, { ...key, mode: "fanOut" }), Number.POSITIVE_INFINITY],
  ["torchUniform dense", () => torchUniform(dense, key), 1 / Math.sqrt(300)],
  ["torchUniform conv", () => torchUniform(conv, key), 1 / Math.sqrt(15 * 64)],
  ["torchUniform lstm", () => torchUniform([100, 1024], { ...key, fanIn: 256 }), 1 / 16],
  ["normalTensor embedding", () => normalTensor([2000, 100], key), Number.POSITIVE_INFINITY],
];
for (const [name, make, bound] of cases) {
  test(`${name}: the spread of PyTorch's numbers, mean 0, within its bound`, async () => {
    const values = await numbers(make());
    const n = values.length;
    const mean = values.reduce((sum, x) => sum + x, 0) / n;
    const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n);
    const { std: expected, max } = golden.initializers[name]!;
    expect(Math.abs(std / expected - 1)).toBeLessThan(SPREAD_TOLERANCE);
    expect(Math.abs(mean)).toBeLessThan((5 * expected) / Math.sqrt(n));
    const largest = values.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
    if (Number.isFinite(bound)) {
      // A float32 in [-bound, bound); of n numbers the largest is nearly there, in PyTorch too.
      expect(largest).toBeLessThanOrEqual(bound * (1 + 2 ** -24));
      expect(largest).toBeGreaterThan(bound * (1 - 20 / n));
      expect(max).toBeGreaterThan(bound * (1 - 20 / n));
    } else expect(largest).toBeGreaterThan(3.5 * expected);
  });
}

test("a gain is a factor of every number", async () => {
  for (const init of [xavierNormal, heNormal, orthogonal]) {
    const one = await numbers(init([4, 6], { ...key, gain: 1 }));
    const two = await numbers(init([4, 6], { ...key, gain: 2 }));
    expect(two).toEqual(one.map((x) => 2 * x));
  }
});

test("given fans take the place of those of the shape, for a bias or a depthwise filter", async () => {
  const [largest] = (await numbers(xavierUniform([10_000], { ...key, fanIn: 2, fanOut: 4 }))).sort(
    (a, b) => b - a,
  );
  expect(largest).toBeGreaterThan(0.999);
  expect(largest).toBeLessThanOrEqual(1);
  expect(() => torchUniform([3], key)).toThrow(ShapeError);
});

test("the numbers are those of the stream of seed and purpose, whatever the shape is", async () => {
  const stream = randomStream({ seed: 7, purpose: "a.b" });
  const expected = Array.from({ length: 6 }, () => uniformFloat32(stream, -1, 2));
  for (const shape of [[6], [2, 3], [1, 3, 2]]) {
    expect(await numbers(uniformTensor(shape, { seed: 7, purpose: "a.b", low: -1, high: 2 }))).toEqual(
      expected,
    );
  }
  const others = await Promise.all(
    [
      { seed: 8, purpose: "a.b" },
      { seed: 7, purpose: "a.c" },
      { seed: 7, purpose: "a.b", index: 1 },
    ].map((other) => numbers(uniformTensor([6], { ...other, low: -1, high: 2 }))),
  );
  for (const other of others) expect(other).not.toEqual(expected);
});

for (const shape of [
  [5, 5],
  [8, 3],
  [3, 8],
  [2, 3, 4, 5],
  [1, 1, 9, 20],
  [40, 40],
]) {
  test(`orthogonal [${shape.join(", ")}]: rows or columns of length 1 at right angles`, async () => {
    const values = await numbers(orthogonal(shape, key));
    const columns = shape.at(-1)!;
    const rows = values.length / columns;
    const at = (i: number, j: number) =>
      rows < columns ? values[i * columns + j]! : values[j * columns + i]!;
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        let product = 0;
        for (let k = 0; k < length; k++) product += at(i, k) * at(j, k);
        // float32 rounding of both vectors: two relative errors of 2^-24 in a sum of at most 1
        expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(2 ** -23);
      }
    }
  });
}

test("orthogonal matrices are uniformly distributed: no sign or corner is preferred", async () => {
  // Without the sign of the diagonal of R, Householder's Q has one sign in each place of its diagonal.
  const n = 4000;
  const sums = { corner: 0, last: 0, square: 0, trace: 0 };
  for (let index = 0; index < n; index++) {
    const [a, b, c, d] = (await numbers(orthogonal([2, 2], { ...key, index }))) as [
      number,
      number,
      number,
      number,
    ];
    sums.corner += a;
    sums.last += d;
    sums.square += a * a;
    sums.trace += a * d - b * c; // the determinant: ±1, equally likely
  }
  // Variances: 1/2 of an entry, 1/8 of its square, 1 of the determinant; limits of five standard errors.
  const limit = 5 / Math.sqrt(n);
  expect(Math.abs(sums.corner / n)).toBeLessThan(limit * Math.SQRT1_2);
  expect(Math.abs(sums.last / n)).toBeLessThan(limit * Math.SQRT1_2);
  expect(Math.abs(sums.square / n - 0.5)).toBeLessThan(limit * Math.sqrt(1 / 8));
  expect(Math.abs(sums.trace / n)).toBeLessThan(limit);
});

test("initializers leave one tensor each, and refuse what is out of range", async () => {
  await expectNoLeak(() => {
    for (const init of [xavierUniform, xavierNormal, heUniform, heNormal, torchUniform, orthogonal]) {
      init([2, 3], key).dispose();
    }
    uniformTensor([2], key).dispose();
    normalTensor([2], key).dispose();
  });
  expect(() => xavierUniform([2, 3], { ...key, gain: 0 })).toThrow(
    new RangeError("xavierUniform: gain: expected a finite number, greater than 0, got 0"),
  );
  expect(() => heNormal([2, 3], { ...key, mode: "fan_in" as "fanIn" })).toThrow(
    new RangeError('heNormal: mode: expected "fanIn" or "fanOut", got "fan_in"'),
  );
  expect(() => normalTensor([2, -3], key)).toThrow(
    new RangeError("normalTensor: shape[1]: expected an integer, at least 0, got -3"),
  );
  expect(() => orthogonal([3], key)).toThrow(
    new ShapeError("orthogonal: shape: expected [.., in, out] without a 0, got [3]"),
  );
  expect(() => uniformTensor([2], { ...key, low: 1 })).toThrow(RangeError);
});
