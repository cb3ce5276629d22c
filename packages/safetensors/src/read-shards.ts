import { asBytes } from "./as-bytes.js";
import { describe } from "./describe.js";
import type { RawTensor } from "./dtype.js";
import { parseFile, type Safetensors } from "./read-safetensors.js";
import { SafetensorsError } from "./safetensors-error.js";
import type { ShardIndex } from "./shard-index.js";

/** Gives the bytes of one file of a sharded checkpoint, from wherever the caller keeps it. */
export type ReadShard = (
  file: string,
) => Uint8Array | ArrayBufferLike | Promise<Uint8Array | ArrayBufferLike>;

/** One file of a sharded checkpoint. */
export interface Shard extends Safetensors {
  readonly file: string;
}

/**
 * Reads a sharded checkpoint file by file, in the order in which the index first names them. Pulling the next file is
 * what reads it, so that a caller who lets go of each one never holds more than one. Each file must hold the tensors
 * that the index gives to it, and no other.
 *
 * @param index From `parseShardIndex`.
 * @param readShard Called once per file, when its turn comes.
 * @throws {SafetensorsError} when a file is not valid or its tensors are not those of the index.
 * @throws {TypeError} when `readShard` gives no bytes. What it throws itself passes through.
 */
export async function* readShards(
  index: ShardIndex,
  readShard: ReadShard,
): AsyncGenerator<Shard, void, void> {
  const namesOf = new Map<string, string[]>();
  for (const [name, file] of index.weightMap) {
    const names = namesOf.get(file);
    if (names) names.push(name);
    else namesOf.set(file, [name]);
  }
  for (const [file, names] of namesOf) {
    const caller = `readShards: ${describe(file)}`;
    const content = parseFile(caller, asBytes(caller, await readShard(file)));
    for (const name of names) {
      if (!content.tensors.has(name) && !content.raw.has(name)) {
        throw new SafetensorsError(
          `${caller}: expected tensor ${describe(name)} of the index, got a file without it`,
        );
      }
    }
    for (const name of [...content.tensors.keys(), ...content.raw.keys()]) {
      const owner = index.weightMap.get(name);
      if (owner !== file) {
        const expected = owner === undefined ? "only tensors of the index" : `it in ${describe(owner)}`;
        throw new SafetensorsError(`${caller}: tensor ${describe(name)}: expected ${expected}, got it here`);
      }
    }
    yield { file, ...content };
  }
}

/**
 * All tensors of a sharded checkpoint, in the order of the files. They are views of the files' bytes, so that as long
 * as one of them lives, its file does.
 *
 * @throws As `readShards`.
 */
export async function readShardedSafetensors(
  index: ShardIndex,
  readShard: ReadShard,
): Promise<Map<string, RawTensor>> {
  const all = new Map<string, RawTensor>();
  for await (const { tensors } of readShards(index, readShard)) {
    for (const [name, tensor] of tensors) all.set(name, tensor);
  }
  return all;
}
