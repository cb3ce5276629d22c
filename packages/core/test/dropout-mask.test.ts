import { slice, tidy } from "@tensorflow/tfjs-core";
import fc from "fast-check";
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

test("a part is what a slice would take of the whole", async () => {
  const axis = fc.integer({ min: 1, max: 6 }).chain((whole) =>
    fc.integer({ min: 0, max: whole }).chain((begin) =>
      fc.record({
        whole: fc.constant(whole),
        begin: fc.constant(begin),
        size: fc.integer({ min: 0, max: whole - begin }),
      }),
    ),
  );
  const key = { seed: 3, purpose: "part", index: 2, position: 5 };
  await fc.assert(
    fc.asyncProperty(fc.array(axis, { minLength: 1, maxLength: 4 }), async (axes) => {
      const of = (name: "whole" | "begin" | "size") => axes.map((one) => one[name]);
      const [shape, begin, size] = [of("whole"), of("begin"), of("size")];
      const part = dropoutMask(shape, 0.4, key, { begin, size });
      expect(part.shape).toEqual(size);
      const known = tidy(() => slice(dropoutMask(shape, 0.4, key), begin, size));
      expect(await numbers(part)).toEqual(await numbers(known));
    }),
  );
});

test("a part of a mask that no memory holds is there at once", async () => {
  const [shape, key] = [[2 ** 17, 2 ** 17], { seed: 0, purpose: "large" }];
  const corner = dropoutMask(shape, 0.5, key, { begin: [2 ** 17 - 1, 2 ** 17 - 8], size: [1, 8] });
  // The last two blocks of the stream.
  const stream = { ...key, position: 2 ** 34 - 8 };
  expect(await numbers(corner)).toEqual(await numbers(dropoutMask([1, 8], 0.5, stream)));
});

test("a part beyond the whole is refused", () => {
  const part = (begin: number[], size: number[]) => () =>
    dropoutMask([2, 3], 0.5, { seed: 0, purpose: "" }, { begin, size });
  expect(part([0, 2], [2, 2])).toThrow("dropoutMask: part: axis 1: expected an end of at most 3, got 4");
  expect(part([0], [2, 2])).toThrow(
    "dropoutMask: part.begin: expected one number for each of 2 axes, got an array of length 1",
  );
  expect(part([0, 0], [-1, 2])).toThrow("dropoutMask: part.size[0]: expected an integer, at least 0, got -1");
});

test("a rate of 1 and a size that is none are refused", () => {
  const key = { seed: 0, purpose: "" };
  expect(() => dropoutMask([2], 1, key)).toThrow("dropoutMask: rate: expected a number in [0, 1), got 1");
  expect(() => dropoutMask([-2], 0.5, key)).toThrow(
    "dropoutMask: shape[0]: expected an integer, at least 0, got -2",
  );
});
