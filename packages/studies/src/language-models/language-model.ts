import type { GeneratedId, GenerateOptions } from "@gradlab/core";
import type { Dictionary } from "@gradlab/datasets";
import type { GradientFlow } from "@gradlab/rnn-lm";
import type { LanguageModelNote } from "./language-model-note.js";

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
  /** Of a recurrent one: how gradients fare on their way back through a text, layer by layer. */
  readonly flow?: (ids: ArrayLike<number>) => Promise<readonly GradientFlow[]>;
  readonly dispose: () => void;
}

/** Opens the models of a kind. */
export interface LanguageModelKind {
  /** Tensors are made: the backend is there. */
  readonly open: (bytes: Uint8Array, note: LanguageModelNote) => LanguageModel;
}
