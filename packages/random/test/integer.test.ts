import { expect, test } from "vitest";
import { integer, randomStream, uint32 } from "../src/index.js";
import { CHI_SQUARE_LIMIT, chiSquare, countDraws } from "./statistics.js";

const stream = (index = 0) => randomStream({ seed: 0, purpose: "integer", index });

test("integers of a small range are equally likely, and all are drawn", () => {
  const s = stream();
  const counts = countDraws(10, 100_000, () => integer(s, -4, 6) + 4);
  expect(chiSquare(counts)).toBeLessThan(CHI_SQUARE_LIMIT[9]);
});

test("integers of a range of 3 · 2^30 show the bias of neither a remainder nor a bare product", () => {
  // word mod range: the first third twice as often as the others. ⌊word · range / 2^32⌋ without refusals: every
  // third value twice as often.
  const range = 3 * 2 ** 30;
  const s = stream(1);
  const draws = Float64Array.from({ length: 30_000 }, () => integer(s, 0, range));
  let i = 0;
  const thirds = countDraws(3, draws.length, () => Math.floor(draws[i++]! / 2 ** 30));
  i = 0;
  const remainders = countDraws(3, draws.length, () => draws[i++]! % 3);
  expect(chiSquare(thirds)).toBeLessThan(CHI_SQUARE_LIMIT[2]);
  expect(chiSquare(remainders)).toBeLessThan(CHI_SQUARE_LIMIT[2]);
});

test("integers of a range of 3 · 2^51 are unbiased by their highest and lowest bits", () => {
  // 53 bits mod range: the first third twice as often. A product of a 53-bit fraction: every third value of four.
  const range = 3 * 2 ** 51;
  const s = stream(2);
  const thirds = countDraws(3, 30_000, () => Math.floor(integer(s, 0, range) / 2 ** 51));
  const remainders = countDraws(3, 30_000, () => integer(s, 0, range) % 3);
  const low = countDraws(256, 50_000, () => integer(s, 0, range) % 256);
  expect(chiSquare(thirds)).toBeLessThan(CHI_SQUARE_LIMIT[2]);
  expect(chiSquare(remainders)).toBeLessThan(CHI_SQUARE_LIMIT[2]);
  expect(chiSquare(low)).toBeLessThan(CHI_SQUARE_LIMIT[255]);
});

test("integers stay in their range and reach both of its halves and parities, for every width", () => {
  const s = stream(3);
  const safe = Number.MAX_SAFE_INTEGER;
  const ranges: [number, number][] = [
    [0, safe],
    [-safe, 1],
    [-(2 ** 52), 2 ** 52],
    [1 - 2 ** 53, 1],
    [safe - 2, safe],
  ];
  for (let bit = 1; bit <= 52; bit++) ranges.push([5, 5 + 2 ** bit], [-7, 2 ** bit - 6], [0, 2 ** bit + 2]);
  for (const [low, high] of ranges) {
    const draws = Array.from({ length: 64 }, () => integer(s, low, high));
    expect(draws.every((x) => Number.isSafeInteger(x) && x >= low && x < high)).toBe(true);
    // 64 draws miss a part of probability 1/3 or more with probability below 1e-11.
    const middle = low / 2 + high / 2;
    expect(draws.some((x) => x < middle) && draws.some((x) => x >= middle), `[${low}, ${high})`).toBe(true);
    expect(draws.some((x) => x % 2 === 0) && draws.some((x) => x % 2 !== 0), `[${low}, ${high})`).toBe(true);
  }
});

test("a range of a power of two refuses no word", () => {
  const s = stream(4);
  expect(integer(s, 9, 10)).toBe(9);
  for (let bit = 1; bit <= 32; bit++) integer(s, 0, 2 ** bit);
  expect(s.position).toBe(33);
  for (let bit = 33; bit <= 52; bit++) integer(s, 0, 2 ** bit);
  integer(s, -(2 ** 52), 2 ** 52);
  expect(s.position).toBe(33 + 2 * 21);
});

/** A stream that draws these words, at most three, before its own. */
function wordsThenMore(...words: readonly number[]) {
  const s = stream(6);
  uint32(s);
  s.words.set(words, 4 - words.length);
  s.cursor = 4 - words.length;
  return s;
}

test("a wide range refuses its own width, and gives what is one below it", () => {
  // 33 bits: the highest of the first word, then the second.
  const range = 2 ** 32 + 1;
  expect(integer(wordsThenMore(2 ** 31, 0), 0, range)).toBe(2 ** 32);
  expect(integer(wordsThenMore(2 ** 31, 0), -5, range - 5)).toBe(2 ** 32 - 5);
  const s = wordsThenMore(2 ** 31, 1, 0); // 2^32 + 1 is refused, then 0 and a word of the stream's own
  const next = stream(6);
  for (let i = 0; i < 4; i++) uint32(next);
  expect(integer(s, 0, range)).toBe(uint32(next));
  expect(s.position).toBe(5);
});

test("a range refuses the words whose products are too low, and no others", () => {
  // Lower halves of word · 3 · 2^30 below 2^32 mod 3 · 2^30 = 2^30: those of the multiples of 4.
  const range = 3 * 2 ** 30;
  expect(integer(wordsThenMore(3), 0, range)).toBe(2); // 9 · 2^30: lower half 2^30, just enough
  const s = wordsThenMore(4, 0, 7); // 12 · 2^30, 0: lower halves 0; 21 · 2^30
  expect(integer(s, 0, range)).toBe(5);
  expect(s.position).toBe(4);
  expect(integer(wordsThenMore(0, 1), 0, range)).toBe(0);
});

test("the widest ranges are 2^53, wherever they begin", () => {
  for (const [low, high] of [
    [-(2 ** 52), 2 ** 52],
    [1 - 2 ** 53, 1],
    [1 - 2 ** 53, 0],
    [-5, 2 ** 53 - 5],
  ] as const) {
    expect(integer(wordsThenMore(0, 0), low, high)).toBe(low);
    expect(integer(wordsThenMore(2 ** 21 - 1, 2 ** 32 - 2), low, high)).toBeGreaterThan(low);
  }
  expect(() => integer(stream(), -6, 2 ** 53 - 5)).toThrow(
    "integer: high: expected at most 2^53 above low (-6)",
  );
  expect(() => integer({} as never, 0, 1)).toThrow("integer: stream: expected what randomStream returns");
});

test("integers refuse a range that is none", () => {
  const s = stream(5);
  expect(() => integer(s, 3, 3)).toThrow(
    new RangeError("integer: high: expected a safe integer greater than low (3), got 3"),
  );
  expect(() => integer(s, 0.5, 3)).toThrow(new RangeError("integer: low: expected a safe integer, got 0.5"));
  expect(() => integer(s, 0, 2 ** 53)).toThrow(
    new RangeError("integer: high: expected a safe integer greater than low (0), got 9007199254740992"),
  );
  expect(() => integer(s, 0, undefined as unknown as number)).toThrow(
    new TypeError("integer: high: expected a safe integer greater than low (0), got undefined"),
  );
  // 2^53 + 1, which a double rounds to 2^53.
  expect(() => integer(s, 1 - 2 ** 53, 2)).toThrow(
    new RangeError("integer: high: expected at most 2^53 above low (-9007199254740991), got 2"),
  );
  expect(s.position).toBe(0);
});
