import { expectFinite } from "./expect-argument.js";
import { expectAtLeast0, expectFloatArray } from "./expect-values.js";
import { normalQuantile } from "./normal-quantile.js";
import { CHUNK, expectStream, nextWord, nextWords, type RandomStream } from "./random-stream.js";

/**
 * A number of the normal distribution: `mean + std Φ⁻¹((k + ½) / 2^53)`, k of 53 random bits. Draws 2 words.
 *
 * The quantile function makes one normal number of one uniform number, without rejection: a stream always
 * advances by the same step, nothing is kept between draws, and number i of a stream can be had without the
 * ones before it. It uses `+ - * /` and `Math.sqrt` alone, so that the numbers are the same to the last
 * bit in every engine (polar and Box-Muller methods need `Math.log`, which is not). The farthest
 * numbers are ±8.29 standard deviations away.
 *
 * @param mean Finite; 0 unless given.
 * @param std Standard deviation, finite, at least 0; 1 unless given.
 * @throws {TypeError | RangeError} when `mean` or `std` is not as stated.
 * @see Wichura 1988, "Algorithm AS 241", https://doi.org/10.2307/2347330
 */
export function normal(stream: RandomStream, mean = 0, std = 1): number {
  expectStream("normal", stream, 2);
  expectMoments("normal", mean, std);
  const first = nextWord(stream);
  return mean + std * standardNormal53(first, nextWord(stream));
}

/**
 * A single-precision number of the normal distribution: `mean + std Φ⁻¹((k + ½) / 2^32)`, k of 32 random bits,
 * rounded. Draws 1 word.
 *
 * The farthest numbers are ±6.34 standard deviations away; one normal number in four billion would be farther.
 *
 * @param mean Finite; 0 unless given.
 * @param std Standard deviation, finite, at least 0; 1 unless given.
 * @throws {TypeError | RangeError} when `mean` or `std` is not as stated.
 */
export function normalFloat32(stream: RandomStream, mean = 0, std = 1): number {
  expectStream("normalFloat32", stream, 1);
  expectMoments("normalFloat32", mean, std);
  return Math.fround(mean + std * standardNormal32(nextWord(stream)));
}

/**
 * Fills `target` with numbers of the normal distribution: those that `normalFloat32` (for a `Float32Array`,
 * 1 word each) or `normal` (for a `Float64Array`, 2 words each) gives one after another.
 *
 * @param mean Finite; 0 unless given.
 * @param std Standard deviation, finite, at least 0; 1 unless given.
 * @returns `target`.
 * @throws {TypeError | RangeError} when an argument is not as stated; then nothing is drawn.
 */
export function fillNormal<T extends Float32Array | Float64Array>(
  stream: RandomStream,
  target: T,
  mean = 0,
  std = 1,
): T {
  expectFloatArray("fillNormal: target", target);
  expectMoments("fillNormal", mean, std);
  const { length } = target;
  if (target instanceof Float32Array) {
    expectStream("fillNormal", stream, length);
    for (let done = 0; done < length; done += CHUNK) {
      const words = nextWords(stream, Math.min(CHUNK, length - done));
      for (let i = 0; i < words.length; i++) target[done + i] = mean + std * standardNormal32(words[i]!);
    }
  } else {
    expectStream("fillNormal", stream, 2 * length);
    for (let done = 0; done < length; done += CHUNK / 2) {
      const words = nextWords(stream, Math.min(CHUNK, 2 * (length - done)));
      for (let i = 0; i < words.length; i += 2) {
        target[done + i / 2] = mean + std * standardNormal53(words[i]!, words[i + 1]!);
      }
    }
  }
  return target;
}

function expectMoments(where: string, mean: number, std: number): void {
  expectFinite(`${where}: mean`, mean);
  expectAtLeast0(`${where}: std`, std);
}

/** Φ⁻¹((k + ½) / 2^53), k being the upper 27 bits of one word before the upper 26 of the next. */
export function standardNormal53(first: number, second: number): number {
  const k = ((first >>> 5) - 2 ** 26) * 2 ** 26 + (second >>> 6); // less 2^52, to be centred
  return normalQuantile((k + 0.5) * 2 ** -53); // exact
}

/** Φ⁻¹((k + ½) / 2^32), k being a word. */
export function standardNormal32(word: number): number {
  return normalQuantile((word - 2 ** 31 + 0.5) * 2 ** -32); // exact
}
