export { asBytes } from "./as-bytes.js";
export { decodeBfloat16, encodeBfloat16 } from "./bfloat16.js";
export { decodeTensor, readTensor } from "./decode-tensor.js";
export type { Dtype, DtypeArray, RawTensor, RawTensorOf } from "./dtype.js";
export { decodeFloat16, encodeFloat16 } from "./float16.js";
export { float32Values } from "./float32-values.js";
export type { RawBytes } from "./foreign-dtype.js";
export { readSafetensors, type Safetensors } from "./read-safetensors.js";
export { type ReadShard, readShardedSafetensors, readShards, type Shard } from "./read-shards.js";
export { SafetensorsError } from "./safetensors-error.js";
export {
  type RawEntry,
  type ReadHeaderOptions,
  readSafetensorsHeader,
  type SafetensorsHeader,
  safetensorsHeaderLength,
  type TensorEntry,
} from "./safetensors-header.js";
export { formatShardIndex, parseShardIndex, type ShardIndex } from "./shard-index.js";
export { type Named, type WriteOptions, writeSafetensors } from "./write-safetensors.js";
export { type NamedFile, type WriteShardsOptions, writeShards } from "./write-shards.js";
