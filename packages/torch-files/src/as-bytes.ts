/**
 * A plain `Uint8Array` over the same memory.
 *
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 */
export function asBytes(caller: string, bytes: Uint8Array | ArrayBufferLike): Uint8Array {
  const kind = Object.prototype.toString.call(bytes).slice(8, -1);
  if (kind === "Uint8Array") {
    const view = bytes as Uint8Array;
    // A Node Buffer is rewrapped, because its `slice` does not copy.
    return unshared(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
  if (kind === "ArrayBuffer" || kind === "SharedArrayBuffer") {
    return unshared(new Uint8Array(bytes as ArrayBuffer));
  }
  throw new TypeError(`${caller}: bytes: expected a Uint8Array or an ArrayBuffer, got ${kind}`);
}

/** Text is not decoded from memory that another thread may write. */
function unshared(bytes: Uint8Array): Uint8Array {
  return Object.prototype.toString.call(bytes.buffer) === "[object SharedArrayBuffer]"
    ? bytes.slice()
    : bytes;
}
