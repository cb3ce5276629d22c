import { expectStream, nextWord, type RandomStream } from "./random-stream.js";

/**
 * The next 32 random bits: an integer in [0, 2^32). Draws 1 word.
 *
 * @throws {RangeError} when the stream's 2^34 words are drawn.
 */
export function uint32(stream: RandomStream): number {
  expectStream("uint32", stream, 1);
  return nextWord(stream);
}
