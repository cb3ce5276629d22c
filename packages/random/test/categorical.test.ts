import { expect, test } from "vitest";
import { bernoulli, categorical, randomStream, uint32, uniform } from "../src/index.js";
import { CHI_SQUARE_LIMIT, chiSquare, countDraws, NORMAL_LIMIT } from "./statistics.js";

const stream = (index = 0) => randomStream({ seed: 0, purpose: "categorical", index });

test("an index is drawn as often as its weight says, whatever the weights add up to", () => {
  for (const weights of [
    [0.1, 0.2, 0.3, 0.4],
    new Float32Array([5, 10, 15, 20]),
    [1e-300, 2e-300, 3e-300, 4e-300],
  ]) {
    const s = stream();
    const counts = countDraws(4, 50_000, () => categorical(s, weights));
    expect(chiSquare(counts, [0.1, 0.2, 0.3, 0.4])).toBeLessThan(CHI_SQUARE_LIMIT[3]);
  }
});

test("an index of weight 0 is never drawn, at the beginning, in the middle and at the end", () => {
  const s = stream(1);
  const counts = countDraws(6, 20_000, () => categorical(s, [0, 1, 0, 0, 1, 0]));
  expect([counts[0], counts[2], counts[3], counts[5]]).toEqual([0, 0, 0, 0]);
  expect(chiSquare([counts[1]!, counts[4]!])).toBeLessThan(CHI_SQUARE_LIMIT[1]);
});

test("a threshold that is rounded up to the total draws the last index with a weight", () => {
  // With a total of one subnormal step the product u · total is rounded to the total for every u above 1/2.
  const weights = [0, Number.MIN_VALUE, 0];
  const s = stream(2);
  for (let i = 0; i < 50; i++) expect(categorical(s, weights)).toBe(1);
});

/** A stream whose next number in [0, 1) of 53 bits is `first · 2^-32` and a bit of `second`. */
function nextWords(first: number, second: number) {
  const s = stream(6);
  uint32(s);
  s.words.set([first, second], 1);
  return s;
}

test("each index has the half-open part of the line that is its own", () => {
  const half = () => nextWords(2 ** 31, 0); // 1/2
  const below = () => nextWords(2 ** 31 - 1, 2 ** 32 - 1); // 1/2 - 2^-53
  expect(categorical(half(), [1, 1])).toBe(1);
  expect(categorical(below(), [1, 1])).toBe(0);
  expect(categorical(nextWords(0, 0), [0, 1, 1])).toBe(1);
  expect(categorical(half(), [1, 0, 1])).toBe(2);
  expect(categorical(nextWords(2 ** 32 - 1, 2 ** 32 - 1), [1, 1, 0])).toBe(1);
  expect([bernoulli(half(), 0.5), bernoulli(below(), 0.5)]).toEqual([false, true]);
  expect(bernoulli(nextWords(0, 0), 0)).toBe(false);
});

test("weights that are none are refused, and nothing is drawn then", () => {
  const s = stream(3);
  expect(() => categorical(s, [1, -2])).toThrow(
    new RangeError("categorical: weights[1]: expected a finite number, at least 0, got -2"),
  );
  expect(() => categorical(s, [Number.NaN])).toThrow(
    new RangeError("categorical: weights[0]: expected a finite number, at least 0, got NaN"),
  );
  expect(() => categorical(s, ["1"] as unknown as number[])).toThrow(
    new TypeError('categorical: weights[0]: expected a finite number, at least 0, got "1"'),
  );
  for (const weights of [[], [0, 0]]) {
    expect(() => categorical(s, weights)).toThrow(
      new RangeError("categorical: weights: expected a positive finite sum, got 0"),
    );
  }
  expect(() => categorical(s, [1e308, 1e308])).toThrow(
    new RangeError("categorical: weights: expected a positive finite sum, got Infinity"),
  );
  expect(() => categorical(s, null as unknown as number[])).toThrow(
    new TypeError("categorical: weights: expected an array of numbers, got null"),
  );
  expect(s.position).toBe(0);
});

test("a Bernoulli draw is true as often as its probability says: never for 0, always for 1", () => {
  const s = stream(4);
  const n = 100_000;
  for (const probability of [0, 0.001, 0.3, 1]) {
    let count = 0;
    for (let i = 0; i < n; i++) count += bernoulli(s, probability) ? 1 : 0;
    const deviation = NORMAL_LIMIT * Math.sqrt(n * probability * (1 - probability));
    expect(Math.abs(count - n * probability)).toBeLessThanOrEqual(deviation);
  }
  expect(bernoulli(stream(5), 0.5)).toBe(uniform(stream(5)) < 0.5);
});

test("a Bernoulli draw refuses what is no probability", () => {
  for (const probability of [-0.1, 1.1, Number.NaN]) {
    expect(() => bernoulli(stream(), probability)).toThrow(
      new RangeError(`bernoulli: probability: expected a number in [0, 1], got ${probability}`),
    );
  }
  expect(() => bernoulli(stream(), true as unknown as number)).toThrow(
    new TypeError("bernoulli: probability: expected a number in [0, 1], got true"),
  );
});
