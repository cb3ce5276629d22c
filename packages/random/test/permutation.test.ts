import { expect, test } from "vitest";
import { permutation, type RandomStream, randomStream, shuffle } from "../src/index.js";
import { CHI_SQUARE_LIMIT, chiSquare } from "./statistics.js";

const stream = (index = 0) => randomStream({ seed: 0, purpose: "permutation", index });

test("each of the 24 orders of four things is equally likely", () => {
  // The swap with any of all n places, and the one that never leaves a place as it is, fail here.
  const s = stream();
  const counts = new Map<string, number>();
  for (let i = 0; i < 48_000; i++) {
    const order = permutation(s, 4).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  expect(chiSquare([...counts.values()])).toBeLessThan(CHI_SQUARE_LIMIT[23]);
});

test("a permutation holds every number once", () => {
  const order = permutation(stream(1), 100_000);
  expect(order).toBeInstanceOf(Uint32Array);
  expect(order.toSorted()).toEqual(Uint32Array.from({ length: 100_000 }, (_, i) => i));
  expect(permutation(stream(1), 0)).toEqual(new Uint32Array(0));
  expect(permutation(stream(1), 1)).toEqual(new Uint32Array(1));
});

test("shuffling in place gives the order of the permutation", () => {
  const letters = [..."abcdefghij"];
  const order = permutation(stream(2), 10);
  expect(shuffle(stream(2), letters)).toBe(letters);
  expect(letters).toEqual(Array.from(order, (i) => "abcdefghij"[i]));
});

test("a permutation refuses a length that is none, and a stream that ends too early", () => {
  const end = randomStream({ seed: 0, purpose: "x", position: 2 ** 34 - 2 });
  expect(() => permutation(stream(), -1)).toThrow(
    new RangeError("permutation: n: expected an integer in [0, 2^32), got -1"),
  );
  expect(() => permutation(stream(), 2 ** 32)).toThrow(
    new RangeError("permutation: n: expected an integer in [0, 2^32), got 4294967296"),
  );
  expect(() => permutation(stream(), "4" as unknown as number)).toThrow(
    new TypeError('permutation: n: expected an integer in [0, 2^32), got "4"'),
  );
  expect(() => shuffle(stream(), "abc" as unknown as string[])).toThrow(
    new TypeError('shuffle: items: expected an array or typed array, got "abc"'),
  );
  expect(() => shuffle({} as RandomStream, [1])).toThrow(
    new TypeError("shuffle: stream: expected what randomStream returns, got an object (Object)"),
  );
  const items = [1, 2, 3, 4];
  expect(() => shuffle(end, items)).toThrow(
    new RangeError("shuffle: stream: expected 3 of its 2^34 words to be left, got 2"),
  );
  expect(items).toEqual([1, 2, 3, 4]);
});
