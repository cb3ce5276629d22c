import { randomStream } from "@gradlab/random";
import fc from "fast-check";
import { expect, test } from "vitest";
import { greedy, sample, tokenProbabilities } from "../src/index.js";
import { golden } from "./tensors.js";

const { NEGATIVE_INFINITY: never, NaN: nan } = Number;

for (const { logits, temperature, topK, topP, probabilities } of golden.sampling) {
  test(`temperature ${temperature}, top ${topK}, p ${topP}: the probabilities of PyTorch`, () => {
    const options = { temperature, ...(topK === null ? {} : { topK }), ...(topP === null ? {} : { topP }) };
    const got = tokenProbabilities(logits, options);
    expect(Array.from(got, (p) => p > 0)).toEqual(probabilities.map((p) => p > 0));
    // double precision on both sides: exp of a number below 20, a sum of 20, a quotient
    for (const [i, p] of probabilities.entries()) expect(Math.abs(got[i]! - p)).toBeLessThan(1e-14);
  });
}

test("top-k keeps exactly k: of equal logits those with the lower index", () => {
  expect(Array.from(tokenProbabilities([1, 3, 3, 3, 0], { topK: 2 }))).toEqual([0, 0.5, 0.5, 0, 0]);
  expect(Array.from(tokenProbabilities([2, 2, 2, 2], { topK: 1 }))).toEqual([1, 0, 0, 0]);
});

test("top-k of all or more, p of 1 and temperature 1 change nothing", () => {
  const logits = [0.3, -1, 2, 0.3];
  const plain = tokenProbabilities(logits);
  for (const options of [{ topK: 4 }, { topK: 1000 }, { topP: 1 }, { temperature: 1 }]) {
    expect(tokenProbabilities(logits, options)).toEqual(plain);
  }
});

test("the nucleus is the fewest that reach p: one where p is tiny, two where the first is below it", () => {
  const logits = [Math.log(0.5), Math.log(0.25), Math.log(0.25)];
  expect(Array.from(tokenProbabilities(logits, { topP: 1e-12 }))).toEqual([1, 0, 0]);
  expect(Array.from(tokenProbabilities([0, 0, 0, 0], { topP: 0.5 }))).toEqual([0.5, 0.5, 0, 0]);
  expect(Array.from(tokenProbabilities([0, 0, 0, 0], { topP: 0.51 }), (p) => p > 0)).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test("p counts what top-k has left: of 4 equal ones cut to 2, one is half", () => {
  expect(Array.from(tokenProbabilities([0, 0, 0, 0], { topK: 2, topP: 0.5 }))).toEqual([1, 0, 0, 0]);
});

test("temperature 0 is greedy, with all other options too; a tiny one is no overflow", () => {
  const logits = [1, 5, 5, -3];
  expect(greedy(logits)).toBe(1);
  for (const options of [{}, { topK: 3 }, { topP: 0.9 }]) {
    expect(Array.from(tokenProbabilities(logits, { ...options, temperature: 0 }))).toEqual([0, 1, 0, 0]);
  }
  expect(Array.from(tokenProbabilities(logits, { temperature: 1e-320 }))).toEqual([0, 0.5, 0.5, 0]);
  expect(Array.from(tokenProbabilities([1e38, -1e38], { temperature: 1e-300 }))).toEqual([1, 0]);
});

test("-Infinity is never drawn, not even where top-k has room for it", () => {
  expect(Array.from(tokenProbabilities([never, 1, never, 1], { topK: 3 }))).toEqual([0, 0.5, 0, 0.5]);
  expect(greedy([never, -1e30, never])).toBe(1);
});

test("whatever the logits and options, probabilities add up to 1 and the kept are the largest", () => {
  const logits = fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 });
  const options = fc.record({
    temperature: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    topK: fc.integer({ min: 1, max: 50 }),
    topP: fc.double({ min: 1e-9, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(logits, options, (z, o) => {
      const p = tokenProbabilities(z, o);
      expect(Math.abs(p.reduce((s, x) => s + x, 0) - 1)).toBeLessThan(1e-14);
      expect(p[greedy(z)]).toBeGreaterThan(0);
      const kept = z.filter((_, i) => p[i]! > 0);
      const dropped = z.filter((_, i) => p[i] === 0 && Math.exp((z[i]! - z[greedy(z)]!) / o.temperature) > 0);
      expect(kept.length).toBeLessThanOrEqual(o.topK);
      expect(Math.min(...kept)).toBeGreaterThanOrEqual(Math.max(never, ...dropped));
    }),
  );
});

test("indices are drawn as often as their probabilities say", () => {
  const logits = Float32Array.of(2, -1, 0.5, 1, 0, -4, 1.5);
  // chi-square at 1 - 1e-6 for 6, 2 and 3 degrees of freedom: scipy.stats.chi2.isf(1e-6, df)
  for (const [options, limit] of [
    [{}, 38.26],
    [{ temperature: 2, topK: 3 }, 27.63],
    [{ temperature: 0.8, topP: 0.93 }, 30.66],
  ] as const) {
    const stream = randomStream({ seed: 0, purpose: "sample" });
    const n = 50_000;
    const counts = new Float64Array(logits.length);
    for (let i = 0; i < n; i++) counts[sample(stream, logits, options)]! += 1;
    const p = tokenProbabilities(logits, options);
    let chiSquare = 0;
    for (const [i, count] of counts.entries()) {
      if (p[i] === 0) expect(count).toBe(0);
      else chiSquare += (count - n * p[i]!) ** 2 / (n * p[i]!);
    }
    expect(chiSquare).toBeLessThan(limit);
  }
});

test("a draw takes 2 words whatever the options are, and the same state draws the same", () => {
  for (const options of [{}, { temperature: 0 }, { topK: 1 }, { topP: 0.1 }]) {
    const stream = randomStream({ seed: 3, purpose: "sample" });
    const first = sample(stream, [0, 1, 2], options);
    expect(stream.position).toBe(2);
    expect(sample(randomStream({ seed: 3, purpose: "sample" }), [0, 1, 2], options)).toBe(first);
  }
});

test("logits and options that are none are refused, and nothing is drawn then", () => {
  const stream = randomStream({ seed: 0, purpose: "sample" });
  const refused: [logits: number[], options: object, message: string][] = [
    [[1, nan], {}, "logits[1]: expected a number below Infinity, got NaN"],
    [[Number.POSITIVE_INFINITY], {}, "logits[0]: expected a number below Infinity, got Infinity"],
    [[], {}, "logits: expected at least one finite number, got none"],
    [[never, never], {}, "logits: expected at least one finite number, got -Infinity alone"],
    [[1], { temperature: -1 }, "temperature: expected a finite number, at least 0, got -1"],
    [[1], { topK: 0 }, "topK: expected an integer, at least 1, got 0"],
    [[1], { topP: 0 }, "topP: expected a number in (0, 1], got 0"],
    [[1], { topP: 1.1 }, "topP: expected a number in (0, 1], got 1.1"],
  ];
  for (const [logits, options, message] of refused) {
    expect(() => sample(stream, logits, options)).toThrow(new RangeError(`sample: ${message}`));
    expect(() => tokenProbabilities(logits, options)).toThrow(
      new RangeError(`tokenProbabilities: ${message}`),
    );
  }
  expect(() => greedy([nan])).toThrow(
    new RangeError("greedy: logits[0]: expected a number below Infinity, got NaN"),
  );
  expect(() => greedy(null as unknown as number[])).toThrow(
    new TypeError("greedy: logits: expected an array of numbers, got null"),
  );
  expect(stream.position).toBe(0);
});
