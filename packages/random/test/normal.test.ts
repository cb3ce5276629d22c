import { expect, test } from "vitest";
import { fillNormal, normal, normalFloat32, randomStream, uint32 } from "../src/index.js";
import { standardNormal32, standardNormal53 } from "../src/normal.js";
import { normalQuantile } from "../src/normal-quantile.js";
import golden from "./golden/streams.json" with { type: "json" };
import {
  correlation,
  KOLMOGOROV_SMIRNOV_LIMIT,
  kolmogorovSmirnov,
  NORMAL_LIMIT,
  normalDistribution,
} from "./statistics.js";

const stream = (index = 0) => randomStream({ seed: 0, purpose: "normal", index });

// AS 241 states 1e-16 for exact arithmetic; two polynomials, a quotient, a root and a logarithm in double precision
// add some units of 2^-53 = 1.1e-16.
const QUANTILE_TOLERANCE = 1e-15;

const relativeError = (got: number, exact: number) => Math.abs(got / exact - 1);

test("the normal quantile is right in the middle, in both tails and at the borders between them", () => {
  for (const [k, exact] of golden.quantile as [string, number][]) {
    const q = Number(2n * BigInt(k) + 1n - 2n ** 53n) * 2 ** -54;
    expect(relativeError(normalQuantile(q), exact), k).toBeLessThan(QUANTILE_TOLERANCE);
    expect(normalQuantile(-q)).toBe(-normalQuantile(q));
  }
});

test("normal numbers are the quantiles of the documented bits", () => {
  for (const { seed, purpose, index, position, ...numbers } of golden.streams) {
    const start = { seed, purpose, index, position };
    const [a, b] = [randomStream(start), randomStream(start)];
    for (const exact of numbers.normal)
      expect(relativeError(normal(a), exact)).toBeLessThan(QUANTILE_TOLERANCE);
    for (const exact of numbers.normalFloat32) {
      expect(relativeError(normalFloat32(b), exact)).toBeLessThan(2 ** -24 + QUANTILE_TOLERANCE);
    }
  }
});

test("the bits of normal numbers are the same in every engine", () => {
  // A checksum over 100,000 numbers: Math.log in place of the package's own changes it where the two differ.
  const numbers = fillNormal(stream(), new Float64Array(100_000));
  let checksum = 0;
  for (const word of new Uint32Array(numbers.buffer)) checksum = (Math.imul(checksum, 31) + word) >>> 0;
  expect(checksum).toMatchInlineSnapshot(`4070563493`);
});

test("normal numbers follow their distribution function", () => {
  const n = 200_000;
  for (const sample of [
    fillNormal(stream(1), new Float64Array(n)),
    fillNormal(stream(2), new Float32Array(n)),
  ]) {
    expect(kolmogorovSmirnov(sample, normalDistribution)).toBeLessThan(KOLMOGOROV_SMIRNOV_LIMIT);
  }
  const scaled = fillNormal(stream(3), new Float64Array(n), -2, 0.25);
  expect(kolmogorovSmirnov(scaled, (x) => normalDistribution((x + 2) / 0.25))).toBeLessThan(
    KOLMOGOROV_SMIRNOV_LIMIT,
  );
});

test("normal numbers have the moments 0, 1, 0, 3 and no serial correlation", () => {
  const n = 400_000;
  const sample = fillNormal(stream(4), new Float64Array(n));
  // The variance of x^k is (2k - 1)!! less the square of the moment: 1, 2, 15, 96.
  for (const [power, moment, variance] of [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ] as const) {
    const got = sample.reduce((sum, x) => sum + x ** power, 0) / n;
    expect(Math.abs(got - moment)).toBeLessThan(NORMAL_LIMIT * Math.sqrt(variance / n));
  }
  const squares = sample.map((x) => x * x); // a pair of Box-Muller without its angle fails here
  for (const values of [sample, squares]) {
    for (const lag of [1, 2, 3, 4]) {
      expect(Math.abs(correlation(values.subarray(lag), values.subarray(0, n - lag)))).toBeLessThan(
        NORMAL_LIMIT,
      );
    }
  }
});

test("the farthest normal numbers are finite, 8.29 and 6.34 standard deviations away on both sides", () => {
  // Without the half step to the middle of an interval, the word 0 is the probability 0: -Infinity.
  // scipy.stats.norm.ppf(2**-54) and (2**-33)
  for (const [lowest, highest, exact] of [
    [standardNormal53(0, 0), standardNormal53(0xffffffff, 0xffffffff), -8.292361075813597],
    [standardNormal32(0), standardNormal32(0xffffffff), -6.3379577545537895],
  ] as const) {
    expect(relativeError(lowest, exact)).toBeLessThan(QUANTILE_TOLERANCE);
    expect(highest).toBe(-lowest);
  }
});

test("filling gives the numbers of one draw after another, from any word and across chunks", () => {
  for (const drawn of [0, 1, 2, 3]) {
    for (const length of [0, 1, 2, 3, 5, 2049, 4097]) {
      const [filled, single] = [stream(drawn), stream(drawn)];
      for (let i = 0; i < drawn; i++) expect(uint32(filled)).toBe(uint32(single));
      expect(fillNormal(filled, new Float64Array(length), 1, 3)).toEqual(
        Float64Array.from({ length }, () => normal(single, 1, 3)),
      );
      expect(fillNormal(filled, new Float32Array(length), 1, 3)).toEqual(
        Float32Array.from({ length }, () => normalFloat32(single, 1, 3)),
      );
      expect(filled.position).toBe(drawn + 3 * length);
    }
  }
});

test("a standard deviation of 0 gives the mean", () => {
  expect(normal(stream(5), 7, 0)).toBe(7);
});

test("normal draws refuse a mean or standard deviation that is none, and draw nothing then", () => {
  const s = stream(6);
  expect(() => normal(s, Number.NaN)).toThrow(
    new RangeError("normal: mean: expected a finite number, got NaN"),
  );
  expect(() => normal(s, 0, -1)).toThrow(
    new RangeError("normal: std: expected a finite number, at least 0, got -1"),
  );
  expect(() => normalFloat32(s, 0, null as unknown as number)).toThrow(
    new TypeError("normalFloat32: std: expected a finite number, at least 0, got null"),
  );
  expect(() => fillNormal(s, new Float64Array(2), 0, Infinity)).toThrow(
    new RangeError("fillNormal: std: expected a finite number, at least 0, got Infinity"),
  );
  expect(() => fillNormal(s, new Int32Array(2) as unknown as Float32Array)).toThrow(
    new TypeError("fillNormal: target: expected a Float32Array or Float64Array, got Int32Array of length 2"),
  );
  expect(s.position).toBe(0);
});
