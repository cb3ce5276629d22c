import { expectUint32s } from "./expect-values.js";

/**
 * The block function of Philox 4x32-10: ten rounds that turn a counter into four random words.
 *
 * A bijection of the 2^128 counters for every key, so that a generator needs no state besides the
 * counter: block 10⁹ costs as much as block 0.
 *
 * @param counter Four integers in [0, 2^32), the least significant first.
 * @param key Two integers in [0, 2^32).
 * @returns Four integers in [0, 2^32), a new array.
 * @throws {TypeError | RangeError} when `counter` or `key` has another length or holds anything else.
 * @see Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", §3.3,
 *   https://doi.org/10.1145/2063384.2063405
 */
export function philox4x32(counter: ArrayLike<number>, key: ArrayLike<number>): Uint32Array {
  expectUint32s("philox4x32: counter", counter, 4);
  expectUint32s("philox4x32: key", key, 2);
  const block = new Uint32Array(4);
  writeBlocks(block, 0, 4, counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!);
  return block;
}

/**
 * Fills `out[start]` to `out[end - 1]`, a multiple of four words, with the blocks of the counters
 * `(c0, c1, c2, c3), (c0 + 1, c1, c2, c3), …`; a carry out of `c0` is the caller's affair.
 */
export function writeBlocks(
  out: Uint32Array,
  start: number,
  end: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  key0: number,
  key1: number,
): void {
  // Constants of the function, not of the module: V8 multiplies by them 1.5 times as fast.
  const multiplier0 = 0xd2511f53;
  const multiplier1 = 0xcd9e8d57;
  const weyl0 = 0x9e3779b9; // of the golden ratio
  const weyl1 = 0xbb67ae85; // of √3 - 1
  for (let i = start; i < end; i += 4) {
    // Signed 32-bit integers throughout: that is what engines keep in registers.
    let x0 = (c0 + ((i - start) >>> 2)) | 0;
    let x1 = c1 | 0;
    let x2 = c2 | 0;
    let x3 = c3 | 0;
    let k0 = key0 | 0;
    let k1 = key1 | 0;
    for (let round = 0; round < 10; round++) {
      const high0 = multiplyHigh(x0, multiplier0);
      const high1 = multiplyHigh(x2, multiplier1);
      const low0 = Math.imul(x0, multiplier0);
      const low1 = Math.imul(x2, multiplier1);
      x0 = high1 ^ x1 ^ k0;
      x1 = low1;
      x2 = high0 ^ x3 ^ k1;
      x3 = low0;
      k0 = (k0 + weyl0) | 0;
      k1 = (k1 + weyl1) | 0;
    }
    out[i] = x0;
    out[i + 1] = x1;
    out[i + 2] = x2;
    out[i + 3] = x3;
  }
}

/**
 * The upper 32 bits of the 64-bit product of two unsigned 32-bit integers, as a signed integer.
 *
 * A double holds 53 bits, so the product is made of four 16-bit by 16-bit ones. Neither sum of the
 * middle column overflows: (2^16 - 1)^2 + 2^16 - 1 < 2^32.
 */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle0 = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const middle1 = (Math.imul(aLow, bHigh) + (middle0 & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle0 >>> 16) + (middle1 >>> 16)) | 0;
}
