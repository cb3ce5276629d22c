import { describe, kindOf } from "./describe.js";

/**
 * bfloat16 bits (the upper half of a float32) to float32: exact for every one of the 65,536 patterns, NaNs included.
 *
 * @param bits Raw `BF16` elements, of any length.
 * @returns A new array of the same length.
 * @throws {TypeError} when `bits` is no `Uint16Array`.
 */
export function decodeBfloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  if (kindOf(bits) !== "Uint16Array") {
    throw new TypeError(`decodeBfloat16: bits: expected a Uint16Array, got ${describe(bits)}`);
  }
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer); // written as bits, so that no NaN is made canonical
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return values;
}

/**
 * Float32 to bfloat16 bits, rounded to nearest, ties to even; the largest float32 values become infinite.
 * NaNs keep their sign and the top 7 bits of the payload, or become the quiet NaN 0x7fc0 where those are all zero.
 *
 * @param values Of any length.
 * @returns Raw `BF16` elements in a new array of the same length.
 * @throws {TypeError} when `values` is no `Float32Array`.
 */
export function encodeBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  if (kindOf(values) !== "Float32Array") {
    throw new TypeError(`encodeBfloat16: values: expected a Float32Array, got ${describe(values)}`);
  }
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const isNotANumber = (word & 0x7fffffff) > 0x7f800000;
    if (isNotANumber) bits[i] = (word >>> 16) | ((word >>> 16) & 0x7f ? 0 : 0x40);
    else bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}
