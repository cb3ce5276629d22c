import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger, expectOneOf } from "./expect-values.js";
import { type IdxArray, idxTypes } from "./idx-format.js";

/**
 * Writes an IDX file: `00 00 type rank`, a 32-bit length per axis, the numbers, all big-endian. What `readIdx` reads
 * back is equal to the last bit.
 *
 * @param array The numbers and their shape: at most 255 axes, each in [0, 2^32).
 * @returns The whole file, not compressed.
 * @throws {TypeError | RangeError} when the type is unknown, or the data does not have its type or the length of
 *   its shape.
 */
export function writeIdx(array: IdxArray): Uint8Array<ArrayBuffer> {
  const { dtype, shape, data } = array;
  expectOneOf(
    "writeIdx: dtype",
    dtype,
    idxTypes.map((type) => type.dtype),
  );
  const { code, width } = idxTypes.find((type) => type.dtype === dtype)!;
  const kind = `${dtype[0]!.toUpperCase()}${dtype.slice(1)}Array`;
  if (data?.[Symbol.toStringTag] !== kind) {
    throw typeMismatch("writeIdx: data", `${kind.startsWith("I") ? "an" : "a"} ${kind}`, data);
  }
  expectInteger("writeIdx: shape.length", shape.length, 0, 255);
  for (const [axis, length] of shape.entries()) {
    expectInteger(`writeIdx: shape[${axis}]`, length, 0, 2 ** 32 - 1);
  }
  const elements = shape.reduce((product, length) => product * length, 1);
  if (data.length !== elements) {
    throw rangeMismatch("writeIdx: data", `${elements} numbers (shape [${shape}])`, data);
  }
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(start + elements * width);
  bytes.set([0, 0, code, shape.length]);
  const view = new DataView(bytes.buffer);
  for (const [axis, length] of shape.entries()) view.setUint32(4 + 4 * axis, length);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  if (width > 1 && isLittleEndian()) {
    for (let at = start; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
  }
  return bytes;
}

function isLittleEndian(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}
