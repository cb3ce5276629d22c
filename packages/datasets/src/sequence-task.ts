import { integer, randomStream } from "@gradlab/random";
import { rangeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

/** What is to be written after a separator: the symbols before it as they stand, from the end, or by value. */
export type SequenceTaskName = "copy" | "reverse" | "sort";

export interface SequenceTask {
  readonly name: SequenceTaskName;
  /** Symbols to be read, and to be written. */
  readonly length: number;
  /** Symbols are 0 … symbols - 1; the separator is the id after them. */
  readonly symbols: number;
  /** `symbols + 1`. */
  readonly vocabulary: number;
  /** Tokens of a sequence, `2 * length`: symbols, separator, and all that is written but the last. */
  readonly tokens: number;
  readonly answer: (symbols: readonly number[]) => number[];
}

export interface SequenceTaskOptions {
  /** At least 1; 8 unless given. */
  readonly length?: number;
  /** At least 1; 10 unless given. */
  readonly symbols?: number;
}

export interface SequenceBatchOptions {
  /** How many sequences, at least 1. */
  readonly count: number;
  readonly seed?: number;
  /** Names the set: sets of one seed and other names have other sequences. `"train"` unless given. */
  readonly purpose?: string;
  /** Of the batch: the step of a training. 0 unless given. */
  readonly index?: number;
}

/** Sequences for a model that predicts the next token. */
export interface SequenceBatch {
  /** `[count, tokens]`. */
  readonly ids: Int32Array;
  /** The id that follows each token where it is part of the answer, else -1, `[count, tokens]`. */
  readonly labels: Int32Array;
  readonly shape: readonly [count: number, tokens: number];
}

const answers: Readonly<Record<SequenceTaskName, SequenceTask["answer"]>> = {
  copy: (symbols) => [...symbols],
  reverse: (symbols) => symbols.toReversed(),
  sort: (symbols) => symbols.toSorted((a, b) => a - b),
};

export const sequenceTaskNames = Object.keys(answers) as readonly SequenceTaskName[];

/**
 * A task with sequences of symbols that needs no file.
 *
 * @throws {TypeError | RangeError} when there is no task of this name, or an option is out of range.
 */
export function sequenceTask(
  name: SequenceTaskName,
  { length = 8, symbols = 10 }: SequenceTaskOptions = {},
): SequenceTask {
  if (!Object.hasOwn(answers, name)) {
    throw rangeMismatch("sequenceTask: name", `one of ${sequenceTaskNames.join(", ")}`, name);
  }
  expectInteger("sequenceTask: length", length, 1);
  expectInteger("sequenceTask: symbols", symbols, 1);
  return { name, length, symbols, vocabulary: symbols + 1, tokens: 2 * length, answer: answers[name] };
}

/**
 * Random sequences of a task: `3 1 2 | 1 2`, whose labels are `- - - 1 2 3` where it is to sort. A sequence depends on
 * seed, purpose, index and its place alone: a larger batch begins with the smaller one's.
 *
 * @throws {TypeError | RangeError} when an option is out of range.
 */
export function sequenceBatch(
  { length, symbols, tokens, answer }: SequenceTask,
  { count, seed = 0, purpose = "train", index = 0 }: SequenceBatchOptions,
): SequenceBatch {
  expectInteger("sequenceBatch: count", count, 1);
  expectInteger("sequenceBatch: seed", seed, 0);
  expectInteger("sequenceBatch: index", index, 0);
  const stream = randomStream({ seed, purpose: `sequences ${purpose}`, index });
  const ids = new Int32Array(count * tokens);
  const labels = new Int32Array(count * tokens).fill(-1);
  for (let row = 0; row < count; row++) {
    const read = Array.from({ length }, () => integer(stream, 0, symbols));
    const written = answer(read);
    ids.set([...read, symbols, ...written.slice(0, -1)], row * tokens);
    labels.set(written, row * tokens + length);
  }
  return { ids, labels, shape: [count, tokens] };
}
