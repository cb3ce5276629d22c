import {
  type Corpus,
  corpusOf,
  type Dictionary,
  generateText,
  grammarFacts,
  readCorpus,
  sentenceGrammar,
  type TextLevel,
} from "@gradlab/datasets";
import { hexDigest } from "../declaration/hex-digest.js";
import type { InputFiles } from "../declaration/option.js";
import { messageOf, StudyError } from "../declaration/study-error.js";

/** Texts to learn from, to watch, and to be judged by. */
export interface Texts {
  /** The file, or `sentences`. */
  readonly source: string;
  readonly dictionary: Dictionary;
  readonly train: Int32Array;
  readonly valid: Int32Array | null;
  readonly test: Int32Array | null;
  /** The lowest perplexity that there is; null where nobody knows. */
  readonly optimum: number | null;
  /** SHA-256 of the training text as ids, and of the dictionary. */
  readonly digest: string;
}

export interface LoadTextsOptions {
  readonly level: TextLevel;
  readonly minCount: number;
  /** How tokens are numbered. */
  readonly order: "appearance" | "frequency";
  readonly seed: number;
  /** How many tokens are generated. */
  readonly tokens: number;
}

/** Texts of files, or generated ones: their dictionary is that of the training text. */
export async function loadTexts(
  options: LoadTextsOptions,
  files: { readonly [name in "corpus" | "valid" | "test"]: InputFiles | undefined },
): Promise<Texts> {
  const { level, minCount, order, seed, tokens } = options;
  if (files.corpus === undefined) {
    const text = (index: number, count: number) => generateText({ tokens: count, seed, index });
    const { dictionary, ids } = corpusOf(text(0, tokens), { level, minCount, order });
    const held = Math.max(1, Math.ceil(tokens / 5));
    const other = (index: number) => corpusOf(text(index, held), { dictionary }).ids;
    return {
      source: "sentences",
      dictionary,
      train: ids,
      valid: other(1),
      test: other(2),
      optimum: level === "words" && minCount === 1 ? grammarFacts(sentenceGrammar).perplexity : null,
      digest: await digestOf(ids, dictionary),
    };
  }
  const { dictionary, ids } = await readText(files.corpus, { level, minCount, order });
  const other = async (file: InputFiles | undefined) =>
    file === undefined ? null : (await readText(file, { dictionary })).ids;
  return {
    source: files.corpus.label,
    dictionary,
    train: ids,
    valid: await other(files.valid),
    test: await other(files.test),
    optimum: null,
    digest: await digestOf(ids, dictionary),
  };
}

/** The text of a file as ids. */
export async function readText(file: InputFiles, options: Parameters<typeof readCorpus>[1]): Promise<Corpus> {
  const name = file.names[0]!;
  try {
    return await readCorpus(file.pieces?.(name) ?? (await file.read(name)), options);
  } catch (error) {
    // What could not be read is told as it is.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    const words = messageOf(error).replace(/^readCorpus: (text|bytes): /, "");
    const hint = words.includes("without <unk>")
      ? "; a {minCount} of 2 in the training makes room for it"
      : "";
    throw new StudyError("input", `${file.label}: ${words}${hint}`, { cause: error });
  }
}

async function digestOf(ids: Int32Array, dictionary: Dictionary): Promise<string> {
  const tokens = new TextEncoder().encode(JSON.stringify(dictionary));
  const bytes = new Uint8Array(ids.byteLength + tokens.length);
  bytes.set(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
  bytes.set(tokens, ids.byteLength);
  return hexDigest(bytes);
}
