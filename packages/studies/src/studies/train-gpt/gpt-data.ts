import {
  bytePairDictionary,
  type Corpus,
  type Dictionary,
  decodeIds,
  type SequenceTaskName,
  sequenceBatch,
  sequenceTask,
} from "@gradlab/datasets";
import { integer, randomStream } from "@gradlab/random";
import { hexDigest } from "../../declaration/hex-digest.js";
import type { InputFiles, InputsOf } from "../../declaration/option.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { readText } from "../../language-models/load-texts.js";
import type { TrainGptOptions, trainGptOptions } from "./train-gpt-options.js";
import type { TrainGptRecord } from "./train-gpt-record.js";

/** Sequences and the id that follows each token; -1 where it does not count. */
export interface TokenBatch {
  readonly ids: Int32Array;
  readonly labels: Int32Array;
  readonly shape: readonly [count: number, tokens: number];
}

/** What a small GPT learns from: a task, or a text. */
export interface GptData {
  readonly source: string;
  readonly kind: TrainGptRecord["data"]["kind"];
  /** Of a text. */
  readonly dictionary: Dictionary | null;
  readonly vocabulary: number;
  readonly context: number;
  /** How many characters a token of the test is on average; null of a task. */
  readonly charactersPerToken: number | null;
  /** SHA-256 of a text, and of the byte pairs that it is cut into; of a task its name and sizes. */
  readonly digest: string;
  readonly batch: (step: number) => TokenBatch;
  readonly test: readonly TokenBatch[];
  /** Prompts to go on with, and what should come. */
  readonly prompts: readonly { readonly ids: readonly number[]; readonly known: readonly number[] | null }[];
  /** How much is written after a prompt. */
  readonly written: number;
  readonly textOf: (ids: readonly number[]) => string;
}

const testCount = 200;

type GptFiles = Pick<InputsOf<typeof trainGptOptions>, "text" | "vocab" | "merges">;

export function loadGptData(options: TrainGptOptions, files: GptFiles): Promise<GptData> {
  const { text } = files;
  return text === undefined ? Promise.resolve(taskData(options)) : textData(options, { ...files, text });
}

function taskData({ task: name, length, symbols, batch, seed }: TrainGptOptions): GptData {
  const task = sequenceTask(name as SequenceTaskName, { length, symbols });
  const of = (purpose: string, count: number, index = 0) =>
    sequenceBatch(task, { count, seed, purpose, index });
  const examples = of("examples", 3);
  return {
    source: name,
    kind: "task",
    dictionary: null,
    vocabulary: task.vocabulary,
    context: task.tokens,
    charactersPerToken: null,
    digest: `${name} ${length} ${symbols}`,
    batch: (step) => of("train", batch, step),
    test: [of("test", testCount)],
    prompts: [0, 1, 2].map((row) => {
      const read = Array.from(examples.ids.subarray(row * task.tokens, row * task.tokens + length));
      return { ids: [...read, symbols], known: task.answer(read) };
    }),
    written: length,
    textOf: (ids) => ids.map((id) => (id === symbols ? "|" : `${id}`)).join(" "),
  };
}

/** A text as ids of its characters or byte pairs; the last tenth of it is not trained on. */
async function textData(
  options: TrainGptOptions,
  { text: file, ...files }: GptFiles & { readonly text: InputFiles },
): Promise<GptData> {
  const { context, batch, seed } = options;
  const { dictionary, ids } = await corpusOfFile(options, file, files);
  const unit = dictionary.level === "characters" ? "characters" : "tokens";
  const end = Math.floor(0.9 * ids.length);
  if (end <= context || ids.length - end <= context) {
    const least = 10 * (context + 1);
    throw new StudyError("input", `${file.label}: expected at least ${least} ${unit}, got ${ids.length}`);
  }
  const windows = (starts: readonly number[]): TokenBatch => {
    const shape = [starts.length, context] as const;
    const of = (by: number) => {
      const values = new Int32Array(starts.length * context);
      for (const [row, at] of starts.entries())
        values.set(ids.subarray(at + by, at + by + context), row * context);
      return values;
    };
    return { ids: of(0), labels: of(1), shape };
  };
  const count = Math.min(64, Math.floor((ids.length - end - 1) / context));
  const starts = Array.from({ length: count }, (_, i) => end + i * context);
  const test = Array.from({ length: Math.ceil(count / 32) }, (_, i) =>
    windows(starts.slice(32 * i, 32 * i + 32)),
  );
  const judged = ids.slice(end + 1, end + 1 + count * context);
  const digest = await hexDigest(await file.read(file.names[0]!));
  const promptLength = Math.min(16, context / 2);
  return {
    source: file.label,
    kind: "text",
    dictionary,
    vocabulary: dictionary.tokens.length,
    context,
    charactersPerToken: [...decodeIds(dictionary, judged)].length / judged.length,
    digest: dictionary.level === "characters" ? digest : await withDictionary(digest, dictionary),
    batch: (step) => {
      const stream = randomStream({ seed, purpose: "train-gpt windows", index: step });
      return windows(Array.from({ length: batch }, () => integer(stream, 0, end - context)));
    },
    test,
    prompts: [{ ids: Array.from(ids.subarray(end, end + Math.floor(promptLength))), known: null }],
    written: context - Math.floor(promptLength),
    textOf: (tokens) => decodeIds(dictionary, tokens),
  };
}

const withDictionary = (digest: string, dictionary: Dictionary): Promise<string> =>
  hexDigest(new TextEncoder().encode(digest + JSON.stringify(dictionary)));

/** The text of a file as ids of what the options cut it into. */
async function corpusOfFile(
  { bytePairs: vocabulary }: TrainGptOptions,
  file: InputFiles,
  { vocab, merges }: Omit<GptFiles, "text">,
): Promise<Corpus> {
  if (vocab !== undefined && merges !== undefined) {
    const [vocabText, mergesText] = [await textOf(vocab), await textOf(merges)];
    const dictionary = blame("input", `${vocab.label} and ${merges.label}`, () =>
      bytePairDictionary(vocabText, mergesText),
    );
    return readText(file, { dictionary });
  }
  if (vocabulary !== undefined) return readText(file, { level: "byte-pairs", vocabulary });
  return readText(file, { level: "characters" });
}

const textOf = async (file: InputFiles): Promise<string> =>
  new TextDecoder().decode(await file.read(file.names[0]!));
