import { typeMismatch } from "./expect-argument.js";

/**
 * The bytes themselves, whichever way they are held; nothing is copied. Always a plain `Uint8Array`: the `slice` of a
 * `Buffer` of Node is a view where that of others is a copy.
 */
export function asBytes(where: string, bytes: Uint8Array | ArrayBufferLike): Uint8Array {
  if (bytes instanceof Uint8Array) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  if (typeof SharedArrayBuffer !== "undefined" && bytes instanceof SharedArrayBuffer) {
    return new Uint8Array(bytes);
  }
  throw typeMismatch(where, "a Uint8Array or ArrayBuffer", bytes);
}
