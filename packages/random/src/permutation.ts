import { expectSafeInteger } from "./expect-values.js";
import { expectStream, type RandomStream } from "./random-stream.js";
import { shuffle } from "./shuffle.js";

/**
 * A random order of 0, 1, …, n - 1, each of the n! equally likely. Draws n - 1 words, rarely more.
 *
 * @param n Integer in [0, 2^32).
 * @returns A new array of length `n`; entry `i` is what stands at place `i`.
 * @throws {TypeError | RangeError} when `n` is not as stated, or the stream has fewer words left.
 * @see Durstenfeld 1964, "Algorithm 235: random permutation", https://doi.org/10.1145/364520.364540
 */
export function permutation(stream: RandomStream, n: number): Uint32Array {
  expectSafeInteger("permutation: n", n, 0, "an integer in [0, 2^32)", 2 ** 32 - 1);
  expectStream("permutation", stream, Math.max(0, n - 1));
  return shuffle(
    stream,
    Uint32Array.from({ length: n }, (_, i) => i),
  );
}
