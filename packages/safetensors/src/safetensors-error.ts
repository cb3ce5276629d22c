/**
 * A file that is not valid safetensors (or a shard index that is not valid): the bytes are at fault.
 * Wrong arguments are plain `TypeError`s and `RangeError`s instead.
 */
export class SafetensorsError extends RangeError {
  override readonly name = "SafetensorsError";
}
