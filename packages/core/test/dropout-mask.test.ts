import { expect, test } from "vitest";
import { dropoutMask } from "../src/index.js";
import { numbers } from "./tensors.js";

test("the stated share is 0, the rest is scaled so that the mean stays", async () => {
  const mask = await numbers(dropoutMask([40, 250], 0.3, { seed: 0, purpose: "dropout fc" }));
  const kept = mask.filter((x) => x !== 0);
  expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.7)]));
  // 10,000 draws: five standard deviations of the share are 0.023.
  expect(Math.abs(1 - kept.length / mask.length - 0.3)).toBeLessThan(0.023);
  expect(await numbers(dropoutMask([3], 0, { seed: 0, purpose: "" }))).toEqual([1, 1, 1]);
});

test("seed, purpose and index each decide the mask, and a larger batch begins with the smaller one's", async () => {
  const key = { seed: 0, purpose: "a", index: 0 };
  const of = (key: { seed: number; purpose: string; index?: number }, n = 20) =>
    numbers(dropoutMask([n, 5], 0.5, key));
  const first = await of(key);
  expect(await of({ seed: 0, purpose: "a" })).toEqual(first);
  for (const other of [{ seed: 1 }, { purpose: "b" }, { index: 1 }]) {
    expect(await of({ ...key, ...other })).not.toEqual(first);
  }
  expect((await of(key, 30)).slice(0, 100)).toEqual(first);
});

test("a rate of 1 and a size that is none are refused", () => {
  const key = { seed: 0, purpose: "" };
  expect(() => dropoutMask([2], 1, key)).toThrow("dropoutMask: rate: expected a number in [0, 1), got 1");
  expect(() => dropoutMask([-2], 0.5, key)).toThrow(
    "dropoutMask: shape[0]: expected an integer, at least 0, got -2",
  );
});
