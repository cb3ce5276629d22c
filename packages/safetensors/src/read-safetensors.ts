import { asBytes } from "./as-bytes.js";
import { viewTensor } from "./decode-tensor.js";
import type { RawTensor } from "./dtype.js";
import type { RawBytes } from "./foreign-dtype.js";
import { parseHeader } from "./safetensors-header.js";

/** The content of a file. */
export interface Safetensors {
  /** The tensors by name, in the order of the header. A Map, so that no name (`__proto__`) is special. */
  readonly tensors: Map<string, RawTensor>;
  /** Tensors of a dtype that cannot be used as numbers (`U16`, `F8_E4M3`, …): views of their bytes. */
  readonly raw: Map<string, RawBytes>;
  /** The free strings of `__metadata__`; empty when there is none. */
  readonly metadata: Map<string, string>;
}

/**
 * Reads a whole safetensors file. Nothing is copied: each tensor is a view of `bytes` when it is aligned in memory and
 * a copy when not (see `readTensor`), so that reading takes at most as much memory again as the file.
 *
 * @param bytes The whole file.
 * @throws {SafetensorsError} when the file is not valid; the message names the tensor.
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 * @see https://github.com/huggingface/safetensors#format
 */
export function readSafetensors(bytes: Uint8Array | ArrayBufferLike): Safetensors {
  return parseFile("readSafetensors", asBytes("readSafetensors", bytes));
}

/** `readSafetensors` for the public function `caller`, whose name stands in the messages. */
export function parseFile(caller: string, bytes: Uint8Array): Safetensors {
  const { tensors: entries, raw: others, metadata } = parseHeader(caller, bytes, bytes.length);
  const tensors = new Map<string, RawTensor>();
  for (const [name, entry] of entries) {
    tensors.set(name, viewTensor(caller, bytes, entry.byteOffset, entry));
  }
  const raw = new Map<string, RawBytes>();
  for (const [name, { dtype, shape, byteOffset, byteLength }] of others) {
    raw.set(name, { dtype, shape, bytes: bytes.subarray(byteOffset, byteOffset + byteLength) });
  }
  return { tensors, raw, metadata };
}
