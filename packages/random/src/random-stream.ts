import { typeMismatch } from "./expect-argument.js";
import { expectSafeInteger, expectString } from "./expect-values.js";
import { fnv1a64 } from "./fnv1a64.js";
import { writeBlocks } from "./philox4x32.js";

const MAX_BLOCKS = 2 ** 32;
const MAX_WORDS = 4 * MAX_BLOCKS;

/** Where a stream stands: plain JSON, and all that `randomStream` needs to go on from there. */
export interface StreamState {
  /** Safe integer, at least 0; 0 is a seed like any other. */
  readonly seed: number;
  /** What the numbers are for: any string, compared by its code points. */
  readonly purpose: string;
  /** Which of the streams of this seed and purpose (the sample, the layer): safe integer, at least 0. */
  readonly index: number;
  /** How many 32-bit words have been drawn, in [0, 2^34]. */
  readonly position: number;
}

/** What `randomStream` takes: `index` and `position` are 0 unless given. */
export type StreamOptions = Pick<StreamState, "seed" | "purpose"> & Partial<StreamState>;

/** A sequence of 2^34 random words that the draws advance; made by `randomStream`. */
export class RandomStream {
  readonly seed: number;
  readonly purpose: string;
  readonly index: number;
  /** @internal */ readonly key0: number;
  /** @internal */ readonly key1: number;
  /** @internal */ readonly counter1: number;
  /** @internal */ readonly counter2: number;
  /** @internal */ readonly counter3: number;
  /** @internal The number of blocks computed, the one in `words` included. */
  blocks = 0;
  /** @internal The next word to draw; at the end of `words` the next block is due. */
  cursor = 4;
  /** @internal */ readonly words = new Uint32Array(4);

  /** @internal */
  constructor(seed: number, purpose: string, index: number, position: number) {
    this.seed = seed;
    this.purpose = purpose;
    this.index = index;
    const [hashHigh, hashLow] = fnv1a64(purpose);
    const tagHigh = hashHigh & 0x3f_ffff; // 22 bits
    const tagLow = hashLow ^ (hashHigh >>> 22);
    this.key0 = seed | 0;
    this.key1 = Math.floor(seed / 2 ** 32) | (tagHigh << 21);
    this.counter1 = index | 0;
    this.counter2 = Math.floor(index / 2 ** 32) | ((tagHigh >>> 11) << 21);
    this.counter3 = tagLow | 0;
    this.moveTo(position);
  }

  /** @internal */
  moveTo(position: number): void {
    const cursor = position % 4;
    this.blocks = Math.floor(position / 4);
    this.cursor = 4;
    if (cursor === 0) return;
    nextWord(this);
    this.cursor = cursor;
  }

  /** How many 32-bit words have been drawn, in [0, 2^34]. */
  get position(): number {
    return 4 * this.blocks - 4 + this.cursor;
  }

  /** The state as plain data, so that `JSON.stringify(stream)` saves a stream. */
  toJSON(): StreamState {
    return { seed: this.seed, purpose: this.purpose, index: this.index, position: this.position };
  }
}

/**
 * The stream of random numbers that belongs to `(seed, purpose, index)`.
 *
 * Its words are the blocks `philox4x32([b, i₀, i₁ + 2^21 p₂, p₀], [s₀, s₁ + 2^21 p₁])` for
 * `b = 0, 1, …, 2^32 - 1`, where `s₀ + 2^32 s₁` is the seed, `i₀ + 2^32 i₁` the index and
 * `p₀ + 2^32 p₁ + 2^43 p₂` the FNV-1a hash of the purpose in UTF-8, xor-folded from 64 to 54 bits. The 53 bits of
 * seed and index are copied and a block is a bijection of its counter, so two streams of one purpose never
 * share a (key, counter) pair; two purposes do only if their hashes collide (for a thousand purposes
 * the probability that any two do is below 3e-11).
 *
 * A stream is a few numbers and one block (about 200 bytes): make one per sample, and the sample's numbers
 * depend neither on the batch it is in nor on the order of the work. `JSON.stringify(stream)` saves
 * one, `randomStream(JSON.parse(text))` goes on with the next number.
 *
 * @param options `seed` and `index`: safe integers, at least 0. `purpose`: a string. `position`: how many
 *   words to have drawn already, in [0, 2^34].
 * @throws {TypeError | RangeError} when one of them is missing or out of range.
 * @see Salmon et al. 2011, §2.2 (a counter-based generator is keyed by what the numbers are for),
 *   https://doi.org/10.1145/2063384.2063405
 */
export function randomStream(options: StreamOptions): RandomStream {
  if (typeof options !== "object" || options === null) {
    throw typeMismatch("randomStream: options", "{seed, purpose, index, position}", options);
  }
  const { seed, purpose, index = 0, position = 0 } = options;
  expectSafeInteger("randomStream: seed", seed, 0);
  expectString("randomStream: purpose", purpose);
  expectSafeInteger("randomStream: index", index, 0);
  expectSafeInteger("randomStream: position", position, 0, "an integer in [0, 2^34]", MAX_WORDS);
  return new RandomStream(seed, purpose, index, position);
}

/** The next 32 random bits, as an unsigned integer. The caller has checked the stream. */
export function nextWord(stream: RandomStream): number {
  if (stream.cursor === 4) {
    // A draw that refuses words can need more than what expectStream has seen to be left.
    if (stream.blocks === MAX_BLOCKS)
      throw new RangeError("stream: expected one of its 2^34 words to be left, got 0");
    const { words, blocks, counter1, counter2, counter3, key0, key1 } = stream;
    writeBlocks(words, 0, 4, blocks, counter1, counter2, counter3, key0, key1);
    stream.blocks = blocks + 1;
    stream.cursor = 0;
  }
  return stream.words[stream.cursor++]!;
}

/** How many words a fill computes at once: few enough to stay in the first-level cache. */
export const CHUNK = 4096;

/** The next `count` words of the stream, the same that `nextWord` gives, at twice its speed. */
export function nextWords(stream: RandomStream, count: number): Uint32Array {
  const words = new Uint32Array(count);
  let i = 0;
  while (i < count && stream.cursor < 4) words[i++] = nextWord(stream);
  const end = count - ((count - i) % 4);
  const { blocks, counter1, counter2, counter3, key0, key1 } = stream;
  writeBlocks(words, i, end, blocks, counter1, counter2, counter3, key0, key1);
  stream.blocks = blocks + (end - i) / 4;
  for (i = end; i < count; i++) words[i] = nextWord(stream);
  return words;
}

/** Throws unless `stream` is one and has `words` words left. */
export function expectStream(where: string, stream: RandomStream, words: number): void {
  if (!(stream instanceof RandomStream)) {
    throw typeMismatch(`${where}: stream`, "what randomStream returns", stream);
  }
  if (stream.position + words > MAX_WORDS) {
    throw new RangeError(
      `${where}: stream: expected ${words} of its 2^34 words to be left, got ${MAX_WORDS - stream.position}`,
    );
  }
}
