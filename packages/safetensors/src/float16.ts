import { describe, kindOf } from "./describe.js";

/**
 * IEEE 754 binary16 bits to float32: exact for every one of the 65,536 patterns. NaNs keep sign and payload.
 *
 * @param bits Raw `F16` elements, of any length.
 * @returns A new array of the same length.
 * @throws {TypeError} when `bits` is no `Uint16Array`.
 */
export function decodeFloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  if (kindOf(bits) !== "Uint16Array") {
    throw new TypeError(`decodeFloat16: bits: expected a Uint16Array, got ${describe(bits)}`);
  }
  const values = new Float32Array(bits.length);
  const words = new Uint32Array(values.buffer); // written as bits, so that no NaN is made canonical
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0x1f) words[i] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) words[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else values[i] = (sign < 0 ? -fraction : fraction) * 2 ** -24; // zero and subnormals; -0 stays -0
  }
  return values;
}

/**
 * Float32 to IEEE 754 binary16 bits, rounded to nearest, ties to even: magnitudes from 65520 on become infinite,
 * those up to 2^-25 zero. NaNs keep their sign and the top 10 bits of the payload, or become the quiet NaN 0x7e00
 * where those bits are all zero.
 *
 * @param values Of any length.
 * @returns Raw `F16` elements in a new array of the same length.
 * @throws {TypeError} when `values` is no `Float32Array`.
 */
export function encodeFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  if (kindOf(values) !== "Float32Array") {
    throw new TypeError(`encodeFloat16: values: expected a Float32Array, got ${describe(values)}`);
  }
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    bits[i] = ((word >>> 16) & 0x8000) | encodeMagnitude(word & 0x7fffffff);
  }
  return bits;
}

function encodeMagnitude(word: number): number {
  if (word > 0x7f800000) return 0x7c00 | ((word >>> 13) & 0x3ff || 0x200); // NaN
  if (word >= 0x477ff000) return 0x7c00; // 65520 rounds to 2^16, which is infinity
  if (word >= 0x38800000) {
    // 2^-14 and more: rebias the exponent by 112, then round 13 bits away; a carry lands in the exponent.
    return (word - 0x38000000 + 0xfff + ((word >>> 13) & 1)) >>> 13;
  }
  if (word <= 0x33000000) return 0; // 2^-25 is a tie, and zero is even
  const significand = (word & 0x7fffff) | 0x800000;
  const dropped = 126 - (word >>> 23); // 14 to 24 bits below the unit 2^-24
  const kept = significand >>> dropped;
  const rest = significand & ((1 << dropped) - 1);
  const half = 1 << (dropped - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}
