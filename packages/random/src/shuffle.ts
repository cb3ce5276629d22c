import { expectArrayLike } from "./expect-values.js";
import { nextBelow } from "./integer.js";
import { expectStream, type RandomStream } from "./random-stream.js";

/**
 * Puts the entries of `items` into a random order, in place, each of the n! orders equally likely. Draws
 * n - 1 words, rarely more.
 *
 * @param items An array or typed array of fewer than 2^32 entries; it is changed.
 * @returns `items`.
 * @throws {TypeError | RangeError} when `items` is not an array, or the stream has fewer words left.
 * @see Durstenfeld 1964, "Algorithm 235: random permutation", https://doi.org/10.1145/364520.364540
 */
export function shuffle<T extends { readonly length: number; [index: number]: unknown }>(
  stream: RandomStream,
  items: T,
): T {
  expectArrayLike("shuffle: items", items, "an array or typed array");
  expectStream("shuffle", stream, Math.max(0, items.length - 1));
  for (let i = items.length - 1; i > 0; i--) {
    const j = nextBelow(stream, i + 1);
    const item = items[i];
    items[i] = items[j];
    items[j] = item;
  }
  return items;
}
