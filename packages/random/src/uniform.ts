import { rangeMismatch } from "./expect-argument.js";
import { expectFloatArray, expectInterval } from "./expect-values.js";
import { float32Below, float32Ceil, float64Below } from "./next-float.js";
import { CHUNK, expectStream, nextWord, nextWords, type RandomStream } from "./random-stream.js";

/**
 * A number of the uniform distribution on [low, high), with 53 random bits: `low + (high - low) k / 2^53`.
 * Draws 2 words.
 *
 * It is at least `low` and always less than `high`, also where the formula would round up to `high`.
 *
 * @param low Finite; 0 unless given.
 * @param high Finite, greater than `low`; 1 unless given.
 * @throws {TypeError | RangeError} when `low` or `high` is not as stated or `high - low` overflows.
 */
export function uniform(stream: RandomStream, low = 0, high = 1): number {
  expectStream("uniform", stream, 2);
  expectInterval("uniform", low, high);
  return float64Within(low + (high - low) * nextUnit53(stream), high);
}

/**
 * A single-precision number of the uniform distribution on [low, high), with 24 random bits:
 * `low + (high - low) k / 2^24`. Draws 1 word.
 *
 * A `Float32Array` holds the result exactly, and it is at least `low` and less than `high` even where those
 * two are not single-precision numbers: noise from [-8/255, 8/255) does not leave it by being rounded.
 *
 * @param low Finite; 0 unless given.
 * @param high Finite, greater than `low`; 1 unless given.
 * @throws {TypeError | RangeError} when `low` or `high` is not as stated, `high - low` overflows, or no
 *   single-precision number lies in [low, high).
 */
export function uniformFloat32(stream: RandomStream, low = 0, high = 1): number {
  expectStream("uniformFloat32", stream, 1);
  expectFloat32Interval("uniformFloat32", low, high);
  return float32Within(low + (high - low) * unit24(nextWord(stream)), low, high);
}

/**
 * Fills `target` with numbers of the uniform distribution on [low, high): those that `uniformFloat32` (for a
 * `Float32Array`, 1 word each) or `uniform` (for a `Float64Array`, 2 words each) gives one after another.
 *
 * @param low Finite; 0 unless given.
 * @param high Finite, greater than `low`; 1 unless given.
 * @returns `target`.
 * @throws {TypeError | RangeError} as those two do, and when `target` is another kind of array; then nothing
 *   is drawn.
 */
export function fillUniform<T extends Float32Array | Float64Array>(
  stream: RandomStream,
  target: T,
  low = 0,
  high = 1,
): T {
  expectFloatArray("fillUniform: target", target);
  const { length } = target;
  if (target instanceof Float32Array) {
    expectStream("fillUniform", stream, length);
    expectFloat32Interval("fillUniform", low, high);
    const width = high - low;
    for (let done = 0; done < length; done += CHUNK) {
      const words = nextWords(stream, Math.min(CHUNK, length - done));
      for (let i = 0; i < words.length; i++) {
        target[done + i] = float32Within(low + width * unit24(words[i]!), low, high);
      }
    }
  } else {
    expectStream("fillUniform", stream, 2 * length);
    expectInterval("fillUniform", low, high);
    const width = high - low;
    for (let done = 0; done < length; done += CHUNK / 2) {
      const words = nextWords(stream, Math.min(CHUNK, 2 * (length - done)));
      for (let i = 0; i < words.length; i += 2) {
        target[done + i / 2] = float64Within(low + width * unit53(words[i]!, words[i + 1]!), high);
      }
    }
  }
  return target;
}

/** k / 2^53, k of 53 random bits. The caller has checked the stream. */
export function nextUnit53(stream: RandomStream): number {
  const first = nextWord(stream);
  return unit53(first, nextWord(stream));
}

/** The upper 27 bits of one word before the upper 26 of the next, as a fraction of 2^53. */
function unit53(first: number, second: number): number {
  return ((first >>> 5) * 2 ** 26 + (second >>> 6)) * 2 ** -53;
}

/** The upper 24 bits of a word, as a fraction of 2^24. */
function unit24(word: number): number {
  return (word >>> 8) * 2 ** -24;
}

/** The double in [low, high) for an `x` that rounding may have brought up to `high`. */
function float64Within(x: number, high: number): number {
  return x < high ? x : float64Below(high);
}

/** The single-precision number in [low, high) nearest to `x`. */
function float32Within(x: number, low: number, high: number): number {
  const rounded = Math.fround(x);
  if (rounded < low) return float32Ceil(low);
  return rounded < high ? rounded : float32Below(high);
}

function expectFloat32Interval(where: string, low: number, high: number): void {
  expectInterval(where, low, high);
  if (float32Ceil(low) >= high) {
    throw rangeMismatch(`${where}: high`, `a single-precision number in [low, high) (low is ${low})`, high);
  }
}
