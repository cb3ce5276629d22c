import { type Dictionary, parseDictionary } from "@gradlab/datasets";
import { readSafetensorsHeader } from "@gradlab/safetensors";

/** What a checkpoint of a language model says of itself; `training.extra` holds it under this name. */
export const noteName = "language-model";

/** What every kind of language model says. What else stands in the note is the kind's own. */
export interface LanguageModelNote {
  /** A name of `languageModelKinds`. */
  readonly kind: string;
  /** How the model is built: plain data, the kind's own. */
  readonly spec: object;
  readonly dictionary: Dictionary;
}

/** Where `saveCheckpoint` keeps what is no tensor. */
const metadataKey = "gradlab.training";

/**
 * The note in the bytes of a checkpoint, or in bytes that begin with its header.
 *
 * @throws {RangeError} when they are no checkpoint of a language model.
 */
export function languageModelNote(bytes: Uint8Array): LanguageModelNote & Readonly<Record<string, unknown>> {
  const text = readSafetensorsHeader(bytes).metadata.get(metadataKey);
  if (text === undefined)
    throw new RangeError("expected a checkpoint of a language model, got tensors alone");
  const extra = (JSON.parse(text) as { extra?: Readonly<Record<string, unknown>> | null }).extra;
  const note = extra?.[noteName] as Partial<LanguageModelNote> | undefined;
  if (typeof note?.kind !== "string" || typeof note.spec !== "object" || note.spec === null) {
    throw new RangeError("expected a checkpoint of a language model, got one of another training");
  }
  return { ...note, kind: note.kind, spec: note.spec, dictionary: parseDictionary(note.dictionary) };
}
