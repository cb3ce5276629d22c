import { expectSafeInteger } from "./expect-values.js";
import { expectStream, type RandomStream } from "./random-stream.js";

/**
 * Skips words of the stream, as if they had been drawn, at the cost of one block whatever their number.
 *
 * @param words How many, a non-negative integer; no more than the stream has left of its 2^34.
 * @throws {TypeError | RangeError} when `words` is not as stated.
 */
export function skip(stream: RandomStream, words: number): void {
  expectSafeInteger("skip: words", words, 0);
  expectStream("skip", stream, words);
  stream.moveTo(stream.position + words);
}
