import { readSafetensorsHeader } from "@gradlab/safetensors";
import { STATE_PREFIX } from "./checkpoint-format.js";
import { type CheckpointNote, parseNote } from "./checkpoint-note.js";

/** What a checkpoint says of itself without its tensors. */
export interface CheckpointHeader extends CheckpointNote {
  /** The shape of each tensor of the state, by path. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * Reads what stands before the tensors of a checkpoint: step, configuration, `extra` and shapes. No tensor is made.
 *
 * @param bytes The first `safetensorsHeaderLength(bytes)` bytes of the file (of `@gradlab/safetensors`), or more.
 * @throws {SafetensorsError} when the header of the file is not valid.
 * @throws {RangeError} when the file is no checkpoint, or one of another format version.
 */
export function readCheckpointHeader(bytes: Uint8Array): CheckpointHeader {
  const { tensors, metadata } = readSafetensorsHeader(bytes);
  const note = parseNote("readCheckpointHeader", metadata);
  const shapes = [...tensors].flatMap(([name, { shape }]): [string, readonly number[]][] =>
    name.startsWith(STATE_PREFIX) ? [[name.slice(STATE_PREFIX.length), shape]] : [],
  );
  return { ...note, shapes: new Map(shapes) };
}
