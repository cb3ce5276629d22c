import { rangeMismatch } from "./expect-argument.js";
import { expectSafeInteger } from "./expect-values.js";
import { multiplyHigh } from "./philox4x32.js";
import { expectStream, nextWord, type RandomStream } from "./random-stream.js";

/**
 * An integer of the uniform distribution on [low, high), without bias. Where `high - low` is at most 2^32 it
 * draws 1 word, or more with a probability below (high - low) / 2^32 a time; else 2 words, at worst 4 on average.
 *
 * @param low Safe integer.
 * @param high Safe integer, greater than `low` by at most 2^53.
 * @throws {TypeError | RangeError} when `low` or `high` is not as stated.
 * @see Lemire 2019, "Fast random integer generation in an interval", §4, https://doi.org/10.1145/3230636
 */
export function integer(stream: RandomStream, low: number, high: number): number {
  expectStream("integer", stream, 1);
  expectSafeInteger("integer: low", low);
  expectSafeInteger("integer: high", high, low + 1, `a safe integer greater than low (${low})`);
  // high - low itself may be rounded where it is above 2^53; high - 2^53 is exact for a positive high.
  if (high > 0 && low < high - 2 ** 53) {
    throw rangeMismatch("integer: high", `at most 2^53 above low (${low})`, high);
  }
  const range = high - low;
  return low + (range <= 2 ** 32 ? nextBelow(stream, range) : nextBelowWide(stream, range));
}

/** An integer in [0, range), range in [1, 2^32]. The caller has checked the stream. */
export function nextBelow(stream: RandomStream, range: number): number {
  if (range === 2 ** 32) return nextWord(stream);
  // The product word * range is split at 2^32: its upper half is the result, once the words with
  // the smallest lower halves, 2^32 mod range of them, are refused, so that every result has as many words.
  for (;;) {
    const word = nextWord(stream);
    const lower = Math.imul(word, range) >>> 0;
    if (lower >= range || lower >= 2 ** 32 % range) return multiplyHigh(word, range) >>> 0;
  }
}

/** An integer in [0, range), range in (2^32, 2^53]: as many bits as `range - 1` has, until they are below it. */
function nextBelowWide(stream: RandomStream, range: number): number {
  const unusedBits = Math.clz32((range - 1) / 2 ** 32);
  for (;;) {
    const high = nextWord(stream) >>> unusedBits;
    const value = high * 2 ** 32 + nextWord(stream);
    if (value < range) return value;
  }
}
