import type { GeneratedId, GenerateOptions } from "@gradlab/core";
import type { Dictionary } from "@gradlab/datasets";
import type { InputFiles, InputOption } from "../declaration/option.js";
import { blame, StudyError } from "../declaration/study-error.js";
import { lastCheckpoint } from "../networks/checkpoint.js";
import { type LanguageModelNote, languageModelNote } from "./language-model-note.js";

/** A language model of whatever kind, out of its checkpoint. */
export interface LanguageModel {
  /** `LSTM of 256 units, 6,022 words`. */
  readonly name: string;
  readonly params: number;
  readonly dictionary: Dictionary;
  /** Goes on with some ids, as `generate` of core does. */
  readonly generate: (
    prompt: readonly number[],
    options: GenerateOptions,
  ) => AsyncGenerator<GeneratedId, void, undefined>;
  /** `-log p`, in nats, of each of some ids but the first. */
  readonly surprises: (
    ids: ArrayLike<number>,
    options: { readonly signal?: AbortSignal },
  ) => Promise<Float64Array>;
  /** The vectors of the tokens, row by row. */
  readonly embeddings: () => Promise<{ readonly table: Float32Array; readonly size: number }>;
  readonly dispose: () => void;
}

/** Opens the models of a kind. */
export interface LanguageModelKind {
  /** Tensors are made: the backend is there. */
  readonly open: (bytes: Uint8Array, note: LanguageModelNote) => LanguageModel;
}

/** The kinds of language models, by the name in their checkpoints. A kind of your own is a file and a line here. */
const languageModelKinds: Readonly<Record<string, () => Promise<LanguageModelKind>>> = {
  "rnn-lm": async () => (await import("./recurrent-kind.js")).recurrentKind,
};

/** Names the model in every study that uses one. */
export const modelOption = {
  kind: "file",
  inFolder: lastCheckpoint,
  help: "a checkpoint of gradlab train-lm, or its folder",
} as const satisfies InputOption;

/** The model in a checkpoint. The backend must be there. */
export async function openLanguageModel(file: InputFiles | undefined): Promise<LanguageModel> {
  if (file === undefined) throw new StudyError("usage", "{model}: expected a checkpoint, got none");
  const bytes = await file.read(file.names[0]!);
  const note = blame("input", file.label, () => languageModelNote(bytes));
  const kind = languageModelKinds[note.kind];
  if (kind === undefined) {
    const known = Object.keys(languageModelKinds).join(", ");
    throw new StudyError("input", `${file.label}: expected a model of the kind ${known}, got ${note.kind}`);
  }
  const { open } = await kind();
  return blame("input", file.label, () => open(bytes, note));
}
