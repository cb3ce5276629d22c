import { type RawTensor, readSafetensors } from "@gradlab/safetensors";
import { STATE_PREFIX } from "./checkpoint-format.js";
import { parseNote } from "./checkpoint-note.js";

const dtypes = ["F32", "I32", "BOOL"];

/**
 * The state of a training, out of a file of `saveCheckpoint`: its numbers alone, without an optimizer, a tensor or a
 * gradient. What the optimizer remembers is not looked at.
 *
 * @param bytes The whole file; the arrays may be views of it.
 * @returns By path.
 * @throws {SafetensorsError} when the bytes are no safetensors file.
 * @throws {RangeError} when the file is no checkpoint, or a part of its state is of another dtype or missing; the message
 *   names the entry.
 */
export function checkpointState(bytes: Uint8Array): ReadonlyMap<string, RawTensor> {
  const { tensors, raw, metadata } = readSafetensors(bytes);
  const { trained } = parseNote("checkpointState", metadata);
  const state = new Map<string, RawTensor>();
  for (const [name, entry] of [...tensors, ...raw]) {
    if (!name.startsWith(STATE_PREFIX)) continue;
    if (!dtypes.includes(entry.dtype)) {
      throw new RangeError(`checkpointState: ${name}: expected F32, I32 or BOOL, got ${entry.dtype}`);
    }
    state.set(name.slice(STATE_PREFIX.length), entry as RawTensor);
  }
  for (const path of trained) {
    const dtype = state.get(path)?.dtype ?? "none";
    if (dtype !== "F32") {
      throw new RangeError(`checkpointState: ${STATE_PREFIX}${path}: expected a tensor of F32, got ${dtype}`);
    }
  }
  return state;
}
