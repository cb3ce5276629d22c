import { expect, test } from "vitest";
import { fillUniform, randomStream, uint32, uniform, uniformFloat32 } from "../src/index.js";
import golden from "./golden/streams.json" with { type: "json" };
import {
  CHI_SQUARE_LIMIT,
  chiSquare,
  correlation,
  countDraws,
  KOLMOGOROV_SMIRNOV_LIMIT,
  kolmogorovSmirnov,
  NORMAL_LIMIT,
} from "./statistics.js";

const stream = (index = 0) => randomStream({ seed: 0, purpose: "uniform", index });

test("uniform numbers are made of 53 or 24 bits as documented", () => {
  for (const { seed, purpose, index, position, ...numbers } of golden.streams) {
    const start = { seed, purpose, index, position };
    const [a, b] = [randomStream(start), randomStream(start)];
    expect(numbers.uniform.map(() => uniform(a))).toEqual(numbers.uniform);
    expect(numbers.uniformFloat32.map(() => uniformFloat32(b))).toEqual(numbers.uniformFloat32);
  }
});

test("uniform numbers fill 256 cells alike by their highest and by their lowest bits", () => {
  // The lowest bits tell a product in pieces that lost them from a right one.
  const s = stream();
  const high = countDraws(256, 200_000, () => Math.floor(uniform(s) * 256));
  const low = countDraws(256, 200_000, () => (uniform(s) * 2 ** 53) % 256);
  const single = countDraws(256, 200_000, () => (uniformFloat32(s) * 2 ** 24) % 256);
  for (const counts of [high, low, single]) expect(chiSquare(counts)).toBeLessThan(CHI_SQUARE_LIMIT[255]);
});

test("pairs of successive uniform numbers fill the square", () => {
  const s = stream(1);
  const counts = countDraws(
    1024,
    400_000,
    () => Math.floor(uniform(s) * 32) * 32 + Math.floor(uniform(s) * 32),
  );
  expect(chiSquare(counts)).toBeLessThan(CHI_SQUARE_LIMIT[1023]);
});

test("uniform numbers follow their distribution function", () => {
  const n = 200_000;
  for (const sample of [
    fillUniform(stream(2), new Float64Array(n)),
    fillUniform(stream(3), new Float32Array(n)),
  ]) {
    expect(kolmogorovSmirnov(sample, (x) => x)).toBeLessThan(KOLMOGOROV_SMIRNOV_LIMIT);
  }
  const scaled = fillUniform(stream(4), new Float64Array(n), -3, 5);
  expect(kolmogorovSmirnov(scaled, (x) => (x + 3) / 8)).toBeLessThan(KOLMOGOROV_SMIRNOV_LIMIT);
});

test("uniform numbers have mean 1/2 and variance 1/12 and no serial correlation", () => {
  const n = 400_000;
  const sample = fillUniform(stream(5), new Float64Array(n));
  const mean = sample.reduce((sum, x) => sum + x, 0) / n;
  const variance = sample.reduce((sum, x) => sum + (x - 0.5) ** 2, 0) / n;
  // Standard errors: √(1/12n), and √((1/80 - 1/144)/n) for the second moment.
  expect(Math.abs(mean - 1 / 2)).toBeLessThan(NORMAL_LIMIT * Math.sqrt(1 / 12 / n));
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(NORMAL_LIMIT * Math.sqrt(1 / 180 / n));
  for (const lag of [1, 2, 3, 4, 8, 2048]) {
    expect(Math.abs(correlation(sample.subarray(lag), sample.subarray(0, n - lag)))).toBeLessThan(
      NORMAL_LIMIT,
    );
  }
});

test("filling gives the numbers of one draw after another, from any word and across chunks", () => {
  for (const drawn of [0, 1, 2, 3]) {
    for (const length of [0, 1, 2, 3, 5, 2047, 4095, 4097, 9001]) {
      const [filled, single] = [stream(drawn), stream(drawn)];
      for (let i = 0; i < drawn; i++) expect(uint32(filled)).toBe(uint32(single));
      expect(fillUniform(filled, new Float64Array(length), -1, 2)).toEqual(
        Float64Array.from({ length }, () => uniform(single, -1, 2)),
      );
      expect(fillUniform(filled, new Float32Array(length), -0.1, 0.2)).toEqual(
        Float32Array.from({ length }, () => uniformFloat32(single, -0.1, 0.2)),
      );
      expect(filled.position).toBe(drawn + 3 * length);
      expect(uint32(filled)).toBe(uint32(single));
    }
  }
});

test("a uniform number is never `high`, also where the formula rounds up to it", () => {
  // [1, 1 + 2^-52) holds the number 1 alone; low + (high - low) k / 2^53 rounds to high for half of all k.
  const high = 1 + 2 ** -52;
  const s = stream(6);
  for (let i = 0; i < 100; i++) expect(uniform(s, 1, high)).toBe(1);
  expect(fillUniform(s, new Float64Array(100), 1, high).every((x) => x === 1)).toBe(true);
  // Below 0 and at 0 the number before lies on the other side.
  for (let i = 0; i < 100; i++) expect(uniform(s, -high, -1)).toBe(-high);
  for (let i = 0; i < 100; i++) expect(uniform(s, -Number.MIN_VALUE, 0)).toBe(-Number.MIN_VALUE);
});

test("single-precision uniform numbers stay in [low, high) when they are rounded", () => {
  // fround(0.1) > 0.1 and fround(-0.1) < -0.1: rounding alone would leave the interval at both ends.
  const s = stream(7);
  for (const [low, high] of [
    [-0.1, 0.1],
    [-8 / 255, 8 / 255],
    [0.1 - 1e-8, 0.1],
    [-0.1, -0.1 + 1e-8],
    [-1.5e-45, 0],
    [1, 1 + 2 ** -23],
    [-(2 ** 127), 2 ** 127],
  ] as const) {
    for (const x of [...fillUniform(s, new Float32Array(2000), low, high), uniformFloat32(s, low, high)]) {
      expect(x >= low && x < high && Math.fround(x) === x, `${x} in [${low}, ${high})`).toBe(true);
    }
  }
});

test("uniform draws refuse an interval that is none, and draw nothing then", () => {
  const s = stream(8);
  expect(() => uniform(s, 3, 3)).toThrow(
    new RangeError("uniform: high: expected a finite number greater than low (3), got 3"),
  );
  expect(() => uniform(s, Number.NaN, 3)).toThrow(
    new RangeError("uniform: low: expected a finite number, got NaN"),
  );
  expect(() => uniform(s, 0, Infinity)).toThrow(
    new RangeError("uniform: high: expected a finite number greater than low (0), got Infinity"),
  );
  expect(() => uniform(s, -1e308, 1e308)).toThrow(
    new RangeError("uniform: high: expected high - low to be finite (low is -1e+308), got 1e+308"),
  );
  expect(() => uniform(s, "0" as unknown as number)).toThrow(
    new TypeError('uniform: low: expected a finite number, got "0"'),
  );
  expect(() => uniformFloat32(s, 0.1, 0.1 + 2 ** -56)).toThrow(
    new RangeError(
      "uniformFloat32: high: expected a single-precision number in [low, high) (low is 0.1), got 0.10000000000000002",
    ),
  );
  expect(() => fillUniform(s, new Float32Array(3), 1, 0)).toThrow(
    new RangeError("fillUniform: high: expected a finite number greater than low (1), got 0"),
  );
  expect(() => fillUniform(s, [0, 0] as unknown as Float32Array)).toThrow(
    new TypeError("fillUniform: target: expected a Float32Array or Float64Array, got an array of length 2"),
  );
  const end = randomStream({ seed: 0, purpose: "uniform", position: 2 ** 34 - 7 });
  expect(() => fillUniform(end, new Float64Array(4))).toThrow(
    new RangeError("fillUniform: stream: expected 8 of its 2^34 words to be left, got 7"),
  );
  expect([s.position, end.position]).toEqual([0, 2 ** 34 - 7]);
});
