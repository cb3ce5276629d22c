import {
  type Dictionary,
  decodeIds,
  type SequenceTaskName,
  sequenceBatch,
  sequenceTask,
} from "@gradlab/datasets";
import { integer, randomStream } from "@gradlab/random";
import type { InputFiles } from "../../declaration/option.js";
import { StudyError } from "../../declaration/study-error.js";
import { readText } from "../../language-models/load-texts.js";
import type { TrainGptOptions } from "./train-gpt-options.js";
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
  /** SHA-256 of a text; of a task its name and sizes. */
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

export function loadGptData(options: TrainGptOptions, file: InputFiles | undefined): Promise<GptData> {
  return file === undefined ? Promise.resolve(taskData(options)) : textData(options, file);
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

/** Characters as ids; the last tenth of the text is not trained on. */
async function textData({ context, batch, seed }: TrainGptOptions, file: InputFiles): Promise<GptData> {
  const { dictionary, ids } = await readText(file, { level: "characters" });
  const end = Math.floor(0.9 * ids.length);
  if (end <= context || ids.length - end <= context) {
    const least = 10 * (context + 1);
    throw new StudyError("input", `${file.label}: expected at least ${least} characters, got ${ids.length}`);
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
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", Uint8Array.from(await file.read(file.names[0]!))),
  );
  const promptLength = Math.min(16, context / 2);
  return {
    source: file.label,
    kind: "text",
    dictionary,
    vocabulary: dictionary.tokens.length,
    context,
    digest: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    batch: (step) => {
      const stream = randomStream({ seed, purpose: "train-gpt windows", index: step });
      return windows(Array.from({ length: batch }, () => integer(stream, 0, end - context)));
    },
    test: Array.from({ length: Math.ceil(count / 32) }, (_, i) => windows(starts.slice(32 * i, 32 * i + 32))),
    prompts: [{ ids: Array.from(ids.subarray(end, end + Math.floor(promptLength))), known: null }],
    written: context - Math.floor(promptLength),
    textOf: (tokens) => decodeIds(dictionary, tokens),
  };
}
