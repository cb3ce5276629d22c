/** The kinds of numbers in a file, by the type of the element that holds them. */
export interface NumberType {
  readonly width: number;
  readonly get: (view: DataView, at: number, little: boolean) => number;
}

export const numberTypes: ReadonlyMap<number, NumberType> = new Map([
  [1, { width: 1, get: (view, at) => view.getInt8(at) }],
  [2, { width: 1, get: (view, at) => view.getUint8(at) }],
  [3, { width: 2, get: (view, at, little) => view.getInt16(at, little) }],
  [4, { width: 2, get: (view, at, little) => view.getUint16(at, little) }],
  [5, { width: 4, get: (view, at, little) => view.getInt32(at, little) }],
  [6, { width: 4, get: (view, at, little) => view.getUint32(at, little) }],
  [7, { width: 4, get: (view, at, little) => view.getFloat32(at, little) }],
  [9, { width: 8, get: (view, at, little) => view.getFloat64(at, little) }],
  [12, { width: 8, get: (view, at, little) => Number(view.getBigInt64(at, little)) }],
  [13, { width: 8, get: (view, at, little) => Number(view.getBigUint64(at, little)) }],
] as const satisfies readonly (readonly [number, NumberType])[]);

/** Elements that a file is made of. */
export const matrixElement = 14;
export const compressedElement = 15;

const opaque = 17;

/** Classes of arrays: those of real numbers have a name in MATLAB, the others are told by what they are. */
const numericClasses: ReadonlyMap<number, string> = new Map([
  [6, "double"], [7, "single"], [8, "int8"], [9, "uint8"], [10, "int16"], [11, "uint16"],
  [12, "int32"], [13, "uint32"], [14, "int64"], [15, "uint64"],
]); // biome-ignore format: a table

const otherClasses: ReadonlyMap<number, string> = new Map([
  [1, "a cell array"], [2, "a struct"], [3, "an object"], [4, "text"], [5, "a sparse matrix"],
  [16, "a function"], [opaque, "an opaque object"],
]); // biome-ignore format: a table

/** An element of a file: its type, where its data lies and where the next one begins. */
export interface MatElement {
  readonly type: number;
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

/**
 * The element whose tag stands at a place: 4 bytes of type and 4 of length, or both in 4 bytes and the data in the other
 * 4 (a small element). Of a larger one the data need not be there.
 *
 * @param at Names a byte in messages.
 * @returns Undefined where the tag is not whole.
 * @throws {RangeError} when it says that more than 4 bytes stand in 4.
 */
export function elementAt(
  bytes: Uint8Array,
  place: number,
  little: boolean,
  at: (offset: number) => string,
): MatElement | undefined {
  if (bytes.length < place + 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = view.getUint32(place, little);
  const small = word >>> 16;
  if (small > 4) {
    throw new RangeError(`${at(place)}: expected at most 4 bytes in a small element, got ${small}`);
  }
  if (small > 0) {
    return { type: word & 0xffff, start: place + 4, end: place + 4 + small, next: place + 8 };
  }
  const length = view.getUint32(place + 4, little);
  const start = place + 8;
  // Only compressed elements are not filled up to 8 bytes.
  const filled = word === compressedElement ? length : 8 * Math.ceil(length / 8);
  return { type: word, start, end: start + length, next: start + filled };
}

/** What an array says of itself before its numbers. */
export interface MatHeader {
  readonly name: string;
  /** `"double"`, `"uint8"`, …, or what it is instead: `"a struct"`, `"complex numbers"`. */
  readonly kind: string;
  readonly isNumeric: boolean;
  readonly shape: readonly number[];
  /** How many numbers it has. */
  readonly elements: number;
  /** Where the element of its numbers begins. */
  readonly dataAt: number;
}

const mostAxes = 32;
const longestName = 4096;

/**
 * The header of an array from the first bytes of its element: flags, dimensions, name.
 *
 * @param at Names a byte in messages.
 * @returns Undefined where the bytes are too few to say.
 * @throws {RangeError} when they are no header.
 */
export function matHeader(
  body: Uint8Array,
  little: boolean,
  at: (offset: number) => string,
): MatHeader | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const fail = (offset: number, expected: string, got: unknown): never => {
    throw new RangeError(`${at(offset)}: expected ${expected}, got ${got}`);
  };
  const flags = elementAt(body, 0, little, at);
  if (flags === undefined) return undefined;
  if (flags.type !== 6 || flags.end - flags.start !== 8) {
    fail(0, "the flags of an array, 8 bytes of type 6", `${flags.end - flags.start} of type ${flags.type}`);
  }
  if (body.length < flags.end) return undefined;
  const word = view.getUint32(flags.start, little);
  // An opaque object has no dimensions.
  if ((word & 0xff) === opaque) return nameAfter(16, { ...kindOf(word), shape: [], elements: 0 });
  const dims = elementAt(body, 16, little, at);
  if (dims === undefined) return undefined;
  const axes = (dims.end - dims.start) / 4;
  if (dims.type !== 5 || !Number.isInteger(axes) || axes < 2 || axes > mostAxes) {
    fail(16, `2 to ${mostAxes} dimensions of type 5`, `${axes} of type ${dims.type}`);
  }
  if (body.length < dims.next) return undefined;
  const shape = Array.from({ length: axes }, (_, axis) => {
    const size = view.getInt32(dims.start + 4 * axis, little);
    return size >= 0 ? size : fail(dims.start + 4 * axis, "a size of at least 0", size);
  });
  const elements = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  return nameAfter(dims.next, { ...kindOf(word), shape, elements });

  function nameAfter(place: number, rest: Omit<MatHeader, "name" | "dataAt">): MatHeader | undefined {
    const name = elementAt(body, place, little, at);
    if (name === undefined) return undefined;
    const length = name.end - name.start;
    if (![1, 2, 16].includes(name.type) || length > longestName) {
      fail(place, `a name of at most ${longestName} bytes of type 1`, `${length} bytes of type ${name.type}`);
    }
    if (body.length < name.next) return undefined;
    return { name: textOf(body.subarray(name.start, name.end)), ...rest, dataAt: name.next };
  }
}

/** Numbers with an imaginary part are no matrix of real numbers; logical ones are 0 and 1. */
function kindOf(flags: number): Pick<MatHeader, "kind" | "isNumeric"> {
  const code = flags & 0xff;
  const numeric = numericClasses.get(code);
  if (numeric === undefined) {
    return { kind: otherClasses.get(code) ?? `an array of class ${code}`, isNumeric: false };
  }
  if ((flags & 0x800) !== 0) return { kind: "complex numbers", isNumeric: false };
  return { kind: (flags & 0x200) !== 0 ? "logical" : numeric, isNumeric: true };
}

/** A name; what is not printable ASCII is shown as a question mark. */
const textOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (code) => (code > 0x1f && code < 0x7f ? String.fromCharCode(code) : "?")).join("");
