import { expect, test } from "vitest";
import { philox4x32 } from "../src/index.js";

/** Ten rounds with exact integers, after the paper's figure; shares nothing with the sources. */
function philoxOfBigInts(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffff_ffffn;
  let [a, b, c, d] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k, l] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p = 0xd2511f53n * a;
    const q = 0xcd9e8d57n * c;
    [a, b, c, d] = [(q >> 32n) ^ b ^ k, q & mask, (p >> 32n) ^ d ^ l, p & mask];
    k = (k + 0x9e3779b9n) & mask;
    l = (l + 0xbb67ae85n) & mask;
  }
  return [a, b, c, d].map(Number);
}

test("the block function gives the known answers of Random123", () => {
  // kat_vectors, https://github.com/DEShawResearch/random123/blob/main/tests/kat_vectors
  const ones = 0xffffffff;
  const cases = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [ones, ones, ones, ones],
      [ones, ones],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const;
  for (const [counter, key, block] of cases) expect(Array.from(philox4x32(counter, key))).toEqual(block);
});

test("the block function agrees with exact integers on counters and keys of every kind", () => {
  // Words at the edges of the 16-bit halves are where a product in pieces loses a carry.
  const edges = [0, 1, 0xffff, 0x10000, 0x10001, 0x7fffffff, 0x80000000, 0xffff0000, 0xfffffffe, 0xffffffff];
  let state = 1;
  const word = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator, for the choice alone
    return state % 3 === 0 ? edges[(state >>> 8) % edges.length]! : (state ^ (state << 13)) >>> 0;
  };
  for (let i = 0; i < 5000; i++) {
    const counter = [word(), word(), word(), word()];
    const key = [word(), word()];
    expect(Array.from(philox4x32(counter, key))).toEqual(philoxOfBigInts(counter, key));
  }
});

test("the block function refuses what is not four and two words", () => {
  expect(() => philox4x32([0, 0, 0], [0, 0])).toThrow(
    new RangeError("philox4x32: counter: expected 4 integers in [0, 2^32), got an array of length 3"),
  );
  expect(() => philox4x32([0, 0, 0, 0], [0, 2 ** 32])).toThrow(
    new RangeError("philox4x32: key[1]: expected an integer in [0, 2^32), got 4294967296"),
  );
  expect(() => philox4x32([0, 0, 0.5, 0], [0, 0])).toThrow(
    new RangeError("philox4x32: counter[2]: expected an integer in [0, 2^32), got 0.5"),
  );
  expect(() => philox4x32([0, 0, 0, "1" as unknown as number], [0, 0])).toThrow(
    new TypeError('philox4x32: counter[3]: expected an integer in [0, 2^32), got "1"'),
  );
  expect(() => philox4x32(7 as unknown as number[], [0, 0])).toThrow(
    new TypeError("philox4x32: counter: expected 4 integers in [0, 2^32), got 7"),
  );
});
