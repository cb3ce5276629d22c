import { multiplyHigh } from "./philox4x32.js";

const OFFSET_HIGH = 0xcbf29ce4;
const OFFSET_LOW = 0x84222325;
const PRIME_HIGH = 0x100; // the prime is 2^40 + 0x1b3
const PRIME_LOW = 0x1b3;

/**
 * The 64-bit FNV-1a hash of a text in UTF-8, as `[high, low]` unsigned words.
 *
 * Unlike `TextEncoder`, which makes U+FFFD of every lone surrogate, it encodes a lone surrogate as the
 * three bytes of its code: different strings are always different byte sequences.
 *
 * @see Noll, Vo, Eastlake, Hansen 2026, RFC 9923, https://www.rfc-editor.org/info/rfc9923
 */
export function fnv1a64(text: string): [high: number, low: number] {
  let high = OFFSET_HIGH;
  let low = OFFSET_LOW;
  const addByte = (byte: number) => {
    low ^= byte;
    high = (Math.imul(high, PRIME_LOW) + Math.imul(low, PRIME_HIGH) + multiplyHigh(low, PRIME_LOW)) | 0;
    low = Math.imul(low, PRIME_LOW);
  };
  let code = 0;
  for (let i = 0; i < text.length; i += code < 0x10000 ? 1 : 2) {
    code = text.codePointAt(i)!;
    if (code < 0x80) {
      addByte(code);
      continue;
    }
    if (code < 0x800) {
      addByte(0xc0 | (code >>> 6));
    } else {
      if (code < 0x10000) {
        addByte(0xe0 | (code >>> 12));
      } else {
        addByte(0xf0 | (code >>> 18));
        addByte(0x80 | ((code >>> 12) & 0x3f));
      }
      addByte(0x80 | ((code >>> 6) & 0x3f));
    }
    addByte(0x80 | (code & 0x3f));
  }
  return [high >>> 0, low >>> 0];
}
