import { asBytes } from "./as-bytes.js";
import { countElements } from "./count-elements.js";
import { describe } from "./describe.js";
import { DTYPE_NAMES, DTYPES, type Dtype, isDtype } from "./dtype.js";
import { foreignByteLength, isForeignDtype } from "./foreign-dtype.js";
import { JsonScanner, type Subject } from "./json-scanner.js";
import { SafetensorsError } from "./safetensors-error.js";

/*
 * The format in one screen. A file is
 *
 *   8 bytes    n, the length of the header: unsigned, little-endian
 *   n bytes    the header: JSON in UTF-8, padded with spaces to a multiple of 8
 *   the rest   the tensors' elements, little-endian, row-major, one tensor after the other
 *
 * and the header is
 *
 *   {"__metadata__": {"any": "string"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
 *
 * where the offsets count from the end of the header. The tensors fill the rest without overlap, hole or remainder.
 */

/** The bytes before the header: its length. */
export const PREFIX_LENGTH = 8;

/** The longest header that is read or written, in bytes; the reference reader has the same limit. */
export const MAX_HEADER_LENGTH = 100_000_000;

/** The key of the header that is not a tensor. */
export const METADATA_KEY = "__metadata__";

/** Where a tensor stands in its file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  /** `[]` for a scalar; a 0 makes the tensor empty. */
  readonly shape: readonly number[];
  /** The first byte of the data, counted from the start of the file. */
  readonly byteOffset: number;
  /** The bytes of the data: the product of `shape` times the size of the dtype. */
  readonly byteLength: number;
}

/** Where a tensor of a dtype that cannot be used stands. */
export interface RawEntry extends Omit<TensorEntry, "dtype"> {
  /** `U16`, `F8_E4M3`, … */
  readonly dtype: string;
}

/** What the header of a file says. */
export interface SafetensorsHeader {
  /** The tensors by name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Those of a dtype that cannot be used as numbers. */
  readonly raw: ReadonlyMap<string, RawEntry>;
  /** The free strings of `__metadata__`; empty when there is none. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The length of the whole file in bytes. */
  readonly fileByteLength: number;
}

export interface ReadHeaderOptions {
  /** The true length of the file in bytes, when it is known: a header that says otherwise is refused. */
  readonly fileByteLength?: number;
}

/**
 * How many bytes from the start of a file hold the length and the header together: `8 + n`.
 *
 * @param bytes The first 8 bytes of the file, or more.
 * @returns 10 to 100,000,008: what `readSafetensorsHeader` needs.
 * @throws {SafetensorsError} when there are fewer than 8 bytes, or the header is shorter than `{}` or over 100 MB.
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 */
export function safetensorsHeaderLength(bytes: Uint8Array | ArrayBufferLike): number {
  return headerLength("safetensorsHeaderLength", asBytes("safetensorsHeaderLength", bytes));
}

/**
 * Reads the header alone, for files of which only the first bytes are at hand (a range request, a file handle).
 * Everything that the header says is checked, so that each entry's byte range is safe to fetch.
 *
 * Unlike the reference reader, it refuses unknown keys in an entry and keys that come twice.
 *
 * @param bytes The first `safetensorsHeaderLength(bytes)` bytes of the file, or more.
 * @throws {SafetensorsError} when the header is not valid; the message names the tensor.
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 * @see https://github.com/huggingface/safetensors#format
 */
export function readSafetensorsHeader(
  bytes: Uint8Array | ArrayBufferLike,
  { fileByteLength }: ReadHeaderOptions = {},
): SafetensorsHeader {
  return parseHeader("readSafetensorsHeader", asBytes("readSafetensorsHeader", bytes), fileByteLength);
}

/** `readSafetensorsHeader` for the public function `caller`, whose name stands in the messages. */
export function parseHeader(caller: string, bytes: Uint8Array, fileByteLength?: number) {
  const dataStart = headerLength(caller, bytes);
  if (dataStart > bytes.length) {
    fail(caller, "bytes", `at least ${dataStart} for the length and the header`, `${bytes.length}`);
  }
  const scanner = new JsonScanner(
    caller,
    "the header",
    decodeText(caller, bytes.slice(PREFIX_LENGTH, dataStart)),
  );
  const entries: RawEntry[] = [];
  const metadata = new Map<string, string>();
  scanner.object("the header", (key) => {
    if (key !== METADATA_KEY) entries.push(readEntry(scanner, key, dataStart));
    else
      scanner.object(key, (name) =>
        metadata.set(
          name,
          scanner.string(() => `${key} ${describe(name)}`),
        ),
      );
  });
  scanner.end();
  const end = checkLayout(scanner, entries, dataStart);
  if (fileByteLength !== undefined && end !== fileByteLength) {
    const remainder = fileByteLength > end ? ` (${fileByteLength - end} after the last tensor)` : "";
    fail(caller, "bytes", `${end}, the length that the header implies`, `${fileByteLength}${remainder}`);
  }
  const tensors = new Map<string, TensorEntry>();
  const raw = new Map<string, RawEntry>();
  for (const entry of entries) {
    if (isKnown(entry)) tensors.set(entry.name, entry);
    else raw.set(entry.name, entry);
  }
  return { tensors, raw, metadata, fileByteLength: end } satisfies SafetensorsHeader;
}

const isKnown = (entry: RawEntry): entry is TensorEntry => isDtype(entry.dtype);

function headerLength(caller: string, bytes: Uint8Array): number {
  if (bytes.length < PREFIX_LENGTH) fail(caller, "bytes", `at least ${PREFIX_LENGTH}`, `${bytes.length}`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length < 2n || length > MAX_HEADER_LENGTH) {
    fail(caller, "header length", `2 to ${MAX_HEADER_LENGTH} bytes`, `${length}`);
  }
  return PREFIX_LENGTH + Number(length);
}

function decodeText(caller: string, header: Uint8Array): string {
  if (header[0] !== 0x7b)
    fail(caller, "the header", 'a first byte 0x7b ("{")', `0x${header[0]!.toString(16)}`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    return fail(caller, "the header", "UTF-8", "bytes that are not");
  }
}

const ENTRY_KEYS = "the keys dtype, shape and data_offsets";

function readEntry(scanner: JsonScanner, name: string, dataStart: number): RawEntry {
  const subject = () => `tensor ${describe(name)}`;
  const dtypeOf = () => `${subject()}: dtype`;
  const shapeOf = () => `${subject()}: shape`;
  const offsetsOf = () => `${subject()}: data_offsets`;
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  scanner.object(subject, (key) => {
    if (key === "dtype") {
      const found = scanner.string(dtypeOf);
      if (!isDtype(found) && !isForeignDtype(found)) {
        scanner.fail(dtypeOf, `one of ${DTYPE_NAMES.join(", ")}`, describe(found));
      }
      dtype = found;
    } else if (key === "shape") {
      shape = readIntegers(scanner, shapeOf);
    } else if (key === "data_offsets") {
      offsets = readIntegers(scanner, offsetsOf);
    } else {
      scanner.fail(subject, ENTRY_KEYS, describe(key));
    }
  });
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    const missing = dtype === undefined ? "dtype" : shape === undefined ? "shape" : "data_offsets";
    return scanner.fail(subject, ENTRY_KEYS, `no ${missing}`);
  }
  const [begin = 0, end = 0] = offsets;
  if (offsets.length !== 2 || begin > end || end > Number.MAX_SAFE_INTEGER - dataStart) {
    scanner.fail(offsetsOf, "[begin, end] with begin <= end < 2^53", describe(offsets));
  }
  const elements = countElements(shape);
  if (elements === null) scanner.fail(shapeOf, "fewer than 2^53 elements", describe(shape));
  // The product may pass 2^53 and be rounded; the difference of offsets cannot, so that the two then differ.
  const byteLength = isDtype(dtype)
    ? elements * DTYPES[dtype].size
    : (foreignByteLength(dtype, elements) ?? end - begin);
  if (end - begin !== byteLength) {
    const wanted = `${byteLength} bytes between them for ${dtype} ${describe(shape)}`;
    scanner.fail(offsetsOf, wanted, `${end - begin} (${describe(offsets)})`);
  }
  return { name, dtype, shape, byteOffset: dataStart + begin, byteLength };
}

function readIntegers(scanner: JsonScanner, subject: Subject): number[] {
  const integers: number[] = [];
  scanner.array(subject, () => integers.push(scanner.integer(subject)));
  return integers;
}

/** Checks that the tensors stand one after the other without overlap or hole; returns where the last one ends. */
function checkLayout(scanner: JsonScanner, entries: readonly RawEntry[], dataStart: number): number {
  const sorted = [...entries].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let end = dataStart;
  let before: string | undefined;
  for (const { name, byteOffset, byteLength } of sorted) {
    if (byteOffset !== end) {
      const fault = byteOffset < end ? "an overlap with" : "a hole after";
      scanner.fail(
        `tensor ${describe(name)}: data_offsets`,
        `begin ${end - dataStart}, where ${before === undefined ? "the header" : describe(before)} ends`,
        `${byteOffset - dataStart}: ${fault} it`,
      );
    }
    end = byteOffset + byteLength;
    before = name;
  }
  return end;
}

function fail(caller: string, subject: string, expected: string, got: string): never {
  throw new SafetensorsError(`${caller}: ${subject}: expected ${expected}, got ${got}`);
}
