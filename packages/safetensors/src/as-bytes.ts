import { describe, kindOf } from "./describe.js";

/**
 * A plain `Uint8Array` over the same memory. A Node `Buffer` is rewrapped, because its `slice` does not copy.
 *
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 */
export function asBytes(caller: string, bytes: Uint8Array | ArrayBufferLike): Uint8Array {
  const kind = kindOf(bytes);
  if (kind === "Uint8Array") {
    const view = bytes as Uint8Array;
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }
  if (kind === "ArrayBuffer" || kind === "SharedArrayBuffer") return new Uint8Array(bytes as ArrayBuffer);
  throw new TypeError(`${caller}: bytes: expected a Uint8Array or an ArrayBuffer, got ${describe(bytes)}`);
}
