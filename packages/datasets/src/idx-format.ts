import { rangeMismatch } from "./expect-argument.js";

/** The array that holds each type of IDX data. */
interface IdxData {
  readonly uint8: Uint8Array;
  readonly int8: Int8Array;
  readonly int16: Int16Array;
  readonly int32: Int32Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
}

/** The name of a type of IDX data: codes 08, 09, 0B, 0C, 0D, 0E. */
export type IdxDtype = keyof IdxData;

/** The content of an IDX file; the type of `data` follows from `dtype`. */
export type IdxArray = {
  readonly [D in IdxDtype]: {
    readonly dtype: D;
    /** The length of every axis, the slowest first. */
    readonly shape: readonly number[];
    /** The numbers, row-major, in the byte order of this machine. */
    readonly data: IdxData[D];
  };
}[IdxDtype];

interface IdxType {
  readonly dtype: IdxDtype;
  /** The third byte of a file of this type. */
  readonly code: number;
  /** Bytes of one number. */
  readonly width: number;
}

export const idxTypes: readonly IdxType[] = [
  { dtype: "uint8", code: 0x08, width: 1 },
  { dtype: "int8", code: 0x09, width: 1 },
  { dtype: "int16", code: 0x0b, width: 2 },
  { dtype: "int32", code: 0x0c, width: 4 },
  { dtype: "float32", code: 0x0d, width: 4 },
  { dtype: "float64", code: 0x0e, width: 8 },
];

export interface IdxHeader extends IdxType {
  readonly shape: readonly number[];
  /** How many numbers follow. */
  readonly elements: number;
  /** Where the first of them starts. */
  readonly start: number;
  /** How long the whole file is. */
  readonly end: number;
}

const hex = (byte: number) => `0x${byte.toString(16).padStart(2, "0")}`;

/** How long the header is that starts with these bytes, if they are enough to say so. */
export function idxHeaderLength(prefix: Uint8Array): number | undefined {
  return prefix.length < 4 ? undefined : 4 + 4 * prefix[3]!;
}

/** The header of an IDX file; `at` names a byte in messages. */
export function parseIdxHeader(bytes: Uint8Array, at: (offset: number) => string): IdxHeader {
  const missing = (offset: number, expected: string) =>
    new RangeError(`${at(offset)}: expected ${expected}, got the end of the file`);
  for (const offset of [0, 1]) {
    if (offset >= bytes.length) throw missing(offset, "a header of at least 4 bytes");
    if (bytes[offset] !== 0) {
      throw new RangeError(`${at(offset)}: expected 0x00 (IDX), got ${hex(bytes[offset]!)}`);
    }
  }
  if (bytes.length < 4) throw missing(bytes.length, "a header of at least 4 bytes");
  const type = idxTypes.find(({ code }) => code === bytes[2]);
  if (type === undefined) {
    const codes = idxTypes.map(({ code }) => hex(code)).join(", ");
    throw new RangeError(`${at(2)}: expected a type of data, one of ${codes}, got ${hex(bytes[2]!)}`);
  }
  const rank = bytes[3]!;
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw missing(bytes.length, `${rank} dimensions of 4 bytes each`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis, false));
  let elements = shape.includes(0) ? 0 : 1;
  for (const [axis, length] of shape.entries()) {
    elements *= length;
    if (!Number.isSafeInteger(elements * type.width + start)) {
      throw rangeMismatch(at(4 + 4 * axis), "a file of fewer than 2^53 bytes", length);
    }
  }
  return { ...type, shape, elements, start, end: start + elements * type.width };
}
