import { describe } from "./describe.js";
import type { RawTensor } from "./dtype.js";
import { formatShardIndex, isShardName, SHARD_NAME } from "./shard-index.js";
import { checkMetadata, checkTensors, layOut, type Named, type WriteOptions } from "./write-safetensors.js";

export interface WriteShardsOptions extends WriteOptions {
  /** The most bytes of tensor data per file, headers not counted. Default 10^9 (the reference tools take 5·10^9). */
  readonly maxShardSize?: number;
  /** What the files' names start with. Default `"model"`. */
  readonly name?: string;
}

/** One file to be stored by the caller. */
export interface NamedFile {
  readonly file: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Writes tensors as a sharded checkpoint: `model-00001-of-00003.safetensors` and so on, then the index,
 * `model.safetensors.index.json`. A single file is called `model.safetensors`. The tensors fill the files in the order
 * given; one that is larger than `maxShardSize` gets a file of its own. Each file is built when it is pulled, so that
 * no more than one is in memory; do not change the tensors before the last one is out.
 *
 * @param tensors As for `writeSafetensors`.
 * @returns The files one by one, the index last.
 * @throws As `writeSafetensors`, at once; and {RangeError} when `maxShardSize` is not positive or `name` is no plain
 *   file name.
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/serialization
 */
export function writeShards(
  tensors: Named<RawTensor>,
  { maxShardSize = 1e9, name = "model", metadata = [] }: WriteShardsOptions = {},
): Generator<NamedFile, void, void> {
  if (!(maxShardSize > 0)) {
    throw new RangeError(`writeShards: maxShardSize: expected bytes > 0, got ${describe(maxShardSize)}`);
  }
  if (typeof name !== "string" || !isShardName(`${name}.safetensors`)) {
    throw new RangeError(`writeShards: name: expected the start of ${SHARD_NAME}, got ${describe(name)}`);
  }
  const shards = splitBySize(checkTensors("writeShards", tensors), maxShardSize);
  return generateFiles(shards, name, checkMetadata("writeShards", metadata));
}

type Entries = [string, RawTensor][];

function splitBySize(entries: Entries, maxShardSize: number): Entries[] {
  const shards: Entries[] = [[]];
  let size = 0;
  for (const entry of entries) {
    const { byteLength } = entry[1].data;
    const current = shards.at(-1)!;
    if (current.length > 0 && size + byteLength > maxShardSize) {
      shards.push([entry]);
      size = byteLength;
    } else {
      current.push(entry);
      size += byteLength;
    }
  }
  return shards;
}

function* generateFiles(
  shards: Entries[],
  name: string,
  metadata: [string, string][],
): Generator<NamedFile, void, void> {
  const weightMap = new Map<string, string>();
  let totalSize = 0;
  const five = (number: number) => String(number).padStart(5, "0");
  for (const [i, entries] of shards.entries()) {
    const suffix = shards.length === 1 ? "" : `-${five(i + 1)}-of-${five(shards.length)}`;
    const file = `${name}${suffix}.safetensors`;
    for (const [tensorName, { data }] of entries) {
      weightMap.set(tensorName, file);
      totalSize += data.byteLength;
    }
    yield { file, bytes: layOut("writeShards", entries, metadata) };
  }
  const index = formatShardIndex({ weightMap, totalSize });
  yield { file: `${name}.safetensors.index.json`, bytes: new TextEncoder().encode(index) };
}
