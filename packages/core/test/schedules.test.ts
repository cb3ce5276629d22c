import { expect, test } from "vitest";
import {
  constantRate,
  cosineRate,
  exponentialRate,
  oneCycleRate,
  type Schedule,
  stepRate,
  warmUp,
} from "../src/index.js";
import { golden } from "./tensors.js";

// PyTorch's schedulers multiply the rate of the step before: a rounding per step, against one power here.
const TOLERANCE = 20 * 2 ** -52;

const ofTorch: [name: string, schedule: Schedule][] = [
  ["step", stepRate(0.1, { every: 4, factor: 0.3 })],
  ["exponential", exponentialRate(0.1, { factor: 0.9 })],
  ["cosine", cosineRate(0.1, { steps: 10, final: 0.01 })],
  ["oneCycle", oneCycleRate(0.1, { steps: 20 })],
  ["oneCycleOptions", oneCycleRate(0.1, { steps: 17, rising: 0.25, initialDivisor: 10, finalDivisor: 100 })],
  ["warmUp", warmUp(constantRate(0.1), { steps: 5 })],
];
for (const [name, schedule] of ofTorch) {
  test(`${name}: the rates of PyTorch, in any order of the steps`, () => {
    const rates = golden.schedules[name]!;
    for (const step of [...rates.keys()].reverse()) {
      expect(Math.abs(schedule(step) / rates[step]! - 1), `step ${step}`).toBeLessThan(TOLERANCE);
    }
  });
}

test("a constant rate is constant", () => {
  expect([0, 1, 1e9].map(constantRate(0.5))).toEqual([0.5, 0.5, 0.5]);
});

test("cosine and one cycle stay at their last rate", () => {
  expect([10, 11, 1e9].map(cosineRate(1, { steps: 10, final: 0.25 }))).toEqual([0.25, 0.25, 0.25]);
  const cycle = oneCycleRate(1, { steps: 10, initialDivisor: 4, finalDivisor: 8 });
  expect([9, 10, 1e9].map(cycle)).toEqual([1 / 32, 1 / 32, 1 / 32]);
});

test("a warm-up ends with all of the rate and then starts the other schedule at its step 0", () => {
  const schedule = warmUp((step) => 10 - step, { steps: 4 });
  expect([0, 1, 2, 3, 4, 5, 6].map(schedule)).toEqual([2.5, 5, 7.5, 10, 10, 9, 8]);
  expect(warmUp((step) => 10 - step, { steps: 0 })(0)).toBe(10);
});

test("a cycle without a rise starts at the top, one of two steps has a top and an end", () => {
  expect(oneCycleRate(1, { steps: 10, rising: 0 })(0)).toBe(1);
  const short = oneCycleRate(1, { steps: 2, initialDivisor: 2, finalDivisor: 2 });
  expect([short(0), short(1)]).toEqual([1, 0.25]);
});

test("what is no step and what is no rate are refused", () => {
  for (const schedule of [
    constantRate(1),
    stepRate(1, { every: 1 }),
    warmUp(constantRate(1), { steps: 1 }),
  ]) {
    for (const step of [-1, 0.5, Number.NaN]) expect(() => schedule(step)).toThrow(RangeError);
  }
  expect(() => constantRate(-1)).toThrow(
    new RangeError("constantRate: rate: expected a finite number, at least 0, got -1"),
  );
  expect(() => stepRate(1, { every: 0 })).toThrow(
    new RangeError("stepRate: every: expected an integer, at least 1, got 0"),
  );
  expect(() => cosineRate(1, { steps: 0 })).toThrow(RangeError);
  expect(() => exponentialRate(1, { factor: Number.NaN })).toThrow(RangeError);
  expect(() => oneCycleRate(1, { steps: 5, rising: 1 })).toThrow(
    new RangeError("oneCycleRate: rising: expected a number in [0, 1), got 1"),
  );
});
