import { HOST_IS_LITTLE_ENDIAN, swapBytes } from "./byte-order.js";
import { compareCodePoints } from "./compare-code-points.js";
import { countElements } from "./count-elements.js";
import { describe, kindOf } from "./describe.js";
import { DTYPE_NAMES, DTYPES, isDtype, type RawTensor } from "./dtype.js";
import { isWellFormed } from "./json-scanner.js";
import { MAX_HEADER_LENGTH, METADATA_KEY, PREFIX_LENGTH } from "./safetensors-header.js";

/** Named values: a `Map`, any other iterable of pairs, or a record. */
export type Named<T> = Iterable<readonly [string, T]> | Readonly<Record<string, T>>;

export interface WriteOptions {
  /** Free strings, written as `__metadata__`, sorted by key; left out when there is none. */
  readonly metadata?: Named<string>;
}

/**
 * Writes a safetensors file. The same tensors and metadata give the same bytes, whatever their order: the tensors are
 * laid out like the reference writer does it, by dtype (I64, F64, F32, I32, BF16, F16, I16, I8, U8, BOOL) and then by
 * name in the order of code points, and the header is padded with spaces to a multiple of 8 bytes, so that every tensor
 * is aligned.
 *
 * @param tensors By name; a name is any string but `__metadata__`. The data is copied into the result.
 * @returns The whole file, in a buffer of its own.
 * @throws {RangeError} when a name comes twice or cannot be written, a dtype is unknown, a shape is no list of
 *   non-negative integers or does not fit the length of the data, a `BOOL` is neither 0 nor 1, or the header passes
 *   100 MB.
 * @throws {TypeError} when the data is not the typed array of its dtype, or the metadata is not strings.
 * @see https://github.com/huggingface/safetensors#format
 */
export function writeSafetensors(
  tensors: Named<RawTensor>,
  { metadata = [] }: WriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const entries = checkTensors("writeSafetensors", tensors);
  return layOut("writeSafetensors", entries, checkMetadata("writeSafetensors", metadata));
}

/** The file of tensors and metadata that were checked; `hostIsLittleEndian` is an argument for the tests alone. */
export function layOut(
  caller: string,
  tensors: readonly (readonly [string, RawTensor])[],
  metadata: readonly (readonly [string, string])[],
  hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN,
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort(
    ([a, { dtype: left }], [b, { dtype: right }]) =>
      DTYPE_NAMES.indexOf(left) - DTYPE_NAMES.indexOf(right) || compareCodePoints(a, b),
  );
  const members: string[] = [];
  const quote = (text: string) => JSON.stringify(text);
  if (metadata.length > 0) {
    const strings = [...metadata].sort(([a], [b]) => compareCodePoints(a, b));
    members.push(
      `"${METADATA_KEY}":{${strings.map(([key, text]) => `${quote(key)}:${quote(text)}`).join(",")}}`,
    );
  }
  let end = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    const begin = end;
    end += data.byteLength;
    members.push(
      `${quote(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${begin},${end}]}`,
    );
  }
  const header = new TextEncoder().encode(`{${members.join(",")}}`);
  const headerLength = Math.ceil(header.length / 8) * 8;
  if (headerLength > MAX_HEADER_LENGTH) {
    throw new RangeError(
      `${caller}: tensors: expected a header of at most ${MAX_HEADER_LENGTH} bytes, got ${headerLength}`,
    );
  }
  const file = new Uint8Array(PREFIX_LENGTH + headerLength + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(header, PREFIX_LENGTH);
  file.fill(0x20, PREFIX_LENGTH + header.length, PREFIX_LENGTH + headerLength);
  let at = PREFIX_LENGTH + headerLength;
  for (const [, { dtype, data }] of sorted) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    const { size } = DTYPES[dtype];
    if (size > 1 && !hostIsLittleEndian) swapBytes(file.subarray(at, at + data.byteLength), size);
    at += data.byteLength;
  }
  return file;
}

/** The tensors as pairs, each of them sound and no name twice. */
export function checkTensors(caller: string, tensors: Named<RawTensor>): [string, RawTensor][] {
  return checkNames(caller, "tensors", tensors, (name, tensor) => {
    if (name === METADATA_KEY) {
      throw new RangeError(`${caller}: tensors: expected names other than ${METADATA_KEY}, got it`);
    }
    checkTensor(`${caller}: tensor ${describe(name)}`, tensor);
  });
}

export function checkMetadata(caller: string, metadata: Named<string>): [string, string][] {
  return checkNames(caller, "metadata", metadata, (key, text) => {
    const subject = `${caller}: metadata ${describe(key)}`;
    if (typeof text !== "string") throw new TypeError(`${subject}: expected a string, got ${describe(text)}`);
    if (!isWellFormed(text))
      throw new RangeError(`${subject}: expected no lone surrogate, got ${describe(text)}`);
  });
}

function checkNames<T>(
  caller: string,
  argument: string,
  named: Named<T>,
  check: (name: string, value: T) => void,
): [string, T][] {
  const subject = `${caller}: ${argument}`;
  if (typeof named !== "object" || named === null) {
    throw new TypeError(`${subject}: expected a Map, pairs or a record, got ${describe(named)}`);
  }
  const pairs = Symbol.iterator in named ? named : Object.entries(named);
  const checked = new Map<string, T>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || typeof pair[0] !== "string") {
      throw new TypeError(`${subject}: expected pairs of a name and a value, got ${describe(pair)}`);
    }
    const [name, value] = pair as [string, T];
    if (!isWellFormed(name)) {
      throw new RangeError(`${subject}: expected names without lone surrogates, got ${describe(name)}`);
    }
    if (checked.has(name))
      throw new RangeError(`${subject}: expected every name once, got ${describe(name)} twice`);
    check(name, value);
    checked.set(name, value);
  }
  return [...checked];
}

function checkTensor(subject: string, tensor: RawTensor): void {
  if (typeof tensor !== "object" || tensor === null) {
    throw new TypeError(`${subject}: expected {dtype, shape, data}, got ${describe(tensor)}`);
  }
  const { dtype, shape, data } = tensor;
  if (!isDtype(dtype)) {
    throw new RangeError(
      `${subject}: dtype: expected one of ${DTYPE_NAMES.join(", ")}, got ${describe(dtype)}`,
    );
  }
  const isShape = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  const elements = isShape ? countElements(shape) : null;
  if (elements === null) {
    const expected = "non-negative integers with a product below 2^53";
    throw new RangeError(`${subject}: shape: expected ${expected}, got ${describe(shape)}`);
  }
  const kind = DTYPES[dtype].array.name;
  if (kindOf(data) !== kind) {
    throw new TypeError(`${subject}: data: expected a ${kind} for ${dtype}, got ${describe(data)}`);
  }
  if (data.length !== elements) {
    const expected = `${elements} elements for shape ${describe(shape)}`;
    throw new RangeError(`${subject}: data: expected ${expected}, got ${data.length}`);
  }
  if (dtype === "BOOL") {
    const wrong = (data as Uint8Array).findIndex((value) => value > 1);
    if (wrong >= 0) throw new RangeError(`${subject}: element ${wrong}: expected 0 or 1, got ${data[wrong]}`);
  }
}
