import { asBytes } from "./as-bytes.js";
import { decompress } from "./decompress.js";
import { expectInteger } from "./expect-values.js";
import {
  compressedElement,
  elementAt,
  type MatElement,
  type MatHeader,
  matHeader,
  matrixElement,
  numberTypes,
} from "./mat-format.js";

/** A variable of a MATLAB file, by what it says of itself. */
export interface MatVariable {
  readonly name: string;
  /**
   * The class of a matrix of real numbers (`"double"`, `"single"`, `"int8"` … `"uint64"`, `"logical"`), or in words what
   * it is instead: `"a struct"`, `"a cell array"`, `"text"`, `"a sparse matrix"`, `"complex numbers"`.
   */
  readonly kind: string;
  /** Whether `readMat` reads it. */
  readonly isMatrix: boolean;
  /** The length of every axis, at least two: rows, columns, …. */
  readonly shape: readonly number[];
}

/** A matrix of real numbers of a MATLAB file. */
export interface MatMatrix extends MatVariable {
  /** The numbers, column-major as MATLAB has them: row `i` of column `j` stands at `i + j · rows`. */
  readonly data: Float64Array;
}

export interface ReadMatOptions {
  /** The name of the matrix; the only one of the file unless given. */
  readonly variable?: string;
  /** The most bytes that its numbers may take, compressed or not; 2^30 unless given. */
  readonly maxBytes?: number;
}

const headerLength = 128;
const defaultMaxBytes = 2 ** 30;

/**
 * Whether bytes begin like a file that MATLAB wrote, of whatever version: text begins with no such thing.
 */
export function looksLikeMat(bytes: Uint8Array): boolean {
  const mark = String.fromCharCode(...bytes.subarray(126, 128));
  const start = String.fromCharCode(...bytes.subarray(0, 6));
  return start === "MATLAB" || isHdf5(bytes, 0) || isLevel4(bytes) || mark === "IM" || mark === "MI";
}

/**
 * The variables of a MATLAB level-5 file (`save -v6`, `-v7`), in its order; a nameless one is MATLAB's own business and
 * left out. Of a compressed variable no more is decompressed than says what it is.
 *
 * @param bytes The whole file; little- or big-endian.
 * @throws {RangeError} when it is of another version, breaks off or is damaged; the message names the byte.
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 * @see MathWorks, "MAT-File Format", chapter 1, level 5
 */
export async function listMat(bytes: Uint8Array | ArrayBufferLike): Promise<readonly MatVariable[]> {
  const variables: MatVariable[] = [];
  for await (const { header } of variablesOf("listMat: bytes", bytes)) {
    if (header.name !== "") variables.push(variableOf(header));
  }
  return variables;
}

/**
 * Reads a matrix of real numbers from a MATLAB level-5 file (`save -v6`, `-v7`): of any class and with any number of
 * axes, compressed or not. A 64-bit integer beyond 2^53 is rounded. Memory is taken for numbers that are there: 8 bytes
 * each, and the bytes of a compressed variable once, up to three times for a moment.
 *
 * @param bytes The whole file; little- or big-endian. Of two variables of one name, which MATLAB does not write, the last
 *   counts.
 * @returns Numbers in double precision, in an array of their own.
 * @throws {RangeError} when the file is of another version (4, or 7.3, which is HDF5), breaks off or is damaged (the
 *   message names the byte), when it has no matrix of that name, or several where none is named (it lists them), or when
 *   that is a struct, a cell array, text, sparse or complex.
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 * @see MathWorks, "MAT-File Format", chapter 1, level 5
 */
export async function readMat(
  bytes: Uint8Array | ArrayBufferLike,
  { variable, maxBytes = defaultMaxBytes }: ReadMatOptions = {},
): Promise<MatMatrix> {
  const where = "readMat: bytes";
  expectInteger("readMat: maxBytes", maxBytes, 1);
  if (variable !== undefined && typeof variable !== "string") {
    throw new TypeError(`readMat: variable: expected a name, got ${typeof variable}`);
  }
  const found: Found[] = [];
  for await (const one of variablesOf(where, bytes)) if (one.header.name !== "") found.push(one);
  const chosen = choose(found, variable);
  const { header, body } = chosen;
  if (8 * header.elements > maxBytes) {
    throw new RangeError(
      `readMat: ${header.name}: expected at most maxBytes = ${maxBytes} bytes, got ${8 * header.elements} ([${header.shape}])`,
    );
  }
  return { ...variableOf(header), data: numbersOf(await body(maxBytes), chosen) };
}

const variableOf = ({ name, kind, isNumeric, shape }: MatHeader): MatVariable => ({
  name,
  kind,
  isMatrix: isNumeric,
  shape,
});

/** A variable, whose numbers nobody has looked at. */
interface Found {
  readonly header: MatHeader;
  readonly little: boolean;
  /** Names a byte of its element in messages. */
  readonly at: (offset: number) => string;
  /** Its element, whole. */
  readonly body: (maxBytes: number) => Promise<Uint8Array>;
}

function choose(found: readonly Found[], variable: string | undefined): Found {
  const matrices = found.filter(({ header }) => header.isNumeric);
  const list = (all: readonly Found[]) =>
    all.length === 0
      ? "none"
      : all
          .slice(0, 20)
          .map(({ header }) => described(header))
          .join(", ");
  if (variable === undefined) {
    if (matrices.length === 1) return matrices[0]!;
    const [expected, got] =
      matrices.length === 0
        ? ["a matrix of real numbers", list(found)]
        : ["the name of one of several matrices", list(matrices)];
    throw new RangeError(`readMat: variable: expected ${expected}, got ${got}`);
  }
  const named = found.findLast(({ header }) => header.name === variable);
  if (named === undefined) {
    throw new RangeError(
      `readMat: variable: expected one of ${list(matrices)}, got ${JSON.stringify(variable)}`,
    );
  }
  if (named.header.isNumeric) return named;
  throw new RangeError(`readMat: ${variable}: expected a matrix of real numbers, got ${named.header.kind}`);
}

/** `A (100 x 3)`, or `s (a struct)`. */
const described = ({ name, kind, isNumeric, shape }: MatHeader) =>
  `${name} (${isNumeric ? shape.join(" x ") : kind})`;

const isHdf5 = (bytes: Uint8Array, at: number) =>
  [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[at + i] === byte);

/** A file of level 4 begins with a small number in 4 bytes, one of level 5 with text. */
const isLevel4 = (bytes: Uint8Array) => bytes.length >= 20 && bytes.subarray(0, 4).includes(0);

/** The byte order that the header of a file says. */
function byteOrder(where: string, bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes.subarray(0, 19));
  if (isHdf5(bytes, 0) || isHdf5(bytes, 512) || text === "MATLAB 7.3 MAT-file") {
    throw new RangeError(
      `${where}: expected MATLAB's level 5, got version 7.3, which is HDF5 (save it with -v7)`,
    );
  }
  if (isLevel4(bytes)) {
    throw new RangeError(
      `${where}: expected MATLAB's level 5, got level 4 or another file (save it with -v7)`,
    );
  }
  if (bytes.length < headerLength) {
    throw new RangeError(
      `${where}[${bytes.length}]: expected a header of 128 bytes, got the end of the file`,
    );
  }
  const mark = String.fromCharCode(bytes[126]!, bytes[127]!);
  if (mark !== "IM" && mark !== "MI") {
    throw new RangeError(
      `${where}[126]: expected IM or MI, the byte order of a MATLAB file, got another file`,
    );
  }
  const little = mark === "IM";
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint16(124, little);
  if (version !== 0x0100) {
    throw new RangeError(
      `${where}[124]: expected version 0x0100 (level 5), got 0x${version.toString(16).padStart(4, "0")}`,
    );
  }
  return little;
}

async function* variablesOf(where: string, given: Uint8Array | ArrayBufferLike): AsyncGenerator<Found> {
  const bytes = asBytes(where, given);
  const little = byteOrder(where, bytes);
  for (let place = headerLength; place < bytes.length; ) {
    const element = elementAt(bytes, place, little, (offset) => `${where}[${offset}]`);
    if (element === undefined) {
      throw new RangeError(
        `${where}[${bytes.length}]: expected the 8 bytes of a tag, got the end of the file`,
      );
    }
    const { type, start, end, next } = element;
    if (type !== matrixElement && type !== compressedElement) {
      throw new RangeError(
        `${where}[${place}]: expected a variable (14) or a compressed one (15), got type ${type}`,
      );
    }
    if (end > bytes.length) {
      throw new RangeError(
        `${where}[${place}]: expected ${end - start} bytes, got the end of the file after ${bytes.length - start}`,
      );
    }
    const content = bytes.subarray(start, end);
    yield type === matrixElement
      ? plainVariable(`${where}[${start}`, content, little)
      : await compressedVariable(`${where}[${start}]`, content, little);
    place = next;
  }
}

function plainVariable(where: string, content: Uint8Array, little: boolean): Found {
  const at = (offset: number) => `${where} + ${offset}]`;
  return { header: wholeHeader(content, little, at), little, at, body: async () => content };
}

function wholeHeader(body: Uint8Array, little: boolean, at: (offset: number) => string): MatHeader {
  const header = matHeader(body, little, at);
  if (header !== undefined) return header;
  throw new RangeError(
    `${at(body.length)}: expected flags, dimensions and a name, got the end of the variable`,
  );
}

async function compressedVariable(where: string, content: Uint8Array, little: boolean): Promise<Found> {
  const at = (offset: number) => `${where} (decompressed: ${offset + 8})`;
  /** How long the whole is, from its tag. */
  const matrix = (prefix: Uint8Array): MatElement | undefined => {
    const element = elementAt(prefix, 0, little, (offset) => at(offset - 8));
    if (element === undefined || (element.type === matrixElement && element.start === 8)) return element;
    throw new RangeError(`${at(-8)}: expected a variable (14), got type ${element.type}`);
  };
  const start = await decompress(
    where,
    content,
    (prefix) => {
      const element = matrix(prefix);
      if (element === undefined) return undefined;
      const header = matHeader(prefix.subarray(8, element.end), little, at);
      if (header !== undefined) return 8 + header.dataAt;
      // A variable that ends within its header.
      return prefix.length >= element.end ? element.end : undefined;
    },
    "deflate",
  );
  const { end } = matrix(start) ?? { end: start.length };
  return {
    header: wholeHeader(start.subarray(8, end), little, at),
    little,
    at,
    body: async (maxBytes) => {
      // The header is small; what follows are numbers of at most 8 bytes.
      const most = maxBytes + 2 ** 16;
      if (end > most) {
        throw new RangeError(`${at(-8)}: expected at most ${most} bytes, got ${end}`);
      }
      const whole = await decompress(where, content, (prefix) => matrix(prefix)?.end, "deflate");
      if (whole.length === end) return whole.subarray(8);
      const got = whole.length < end ? "the end of the stream" : "more";
      throw new RangeError(`${at(Math.min(whole.length, end) - 8)}: expected ${end} bytes, got ${got}`);
    },
  };
}

/** The numbers of a variable; of a header that lies about their number none is read. */
function numbersOf(body: Uint8Array, { header, little, at }: Found): Float64Array {
  const { dataAt, elements, shape } = header;
  const element = elementAt(body, dataAt, little, at);
  if (element === undefined) {
    if (elements === 0 && body.length === dataAt) return new Float64Array(0);
    throw new RangeError(`${at(body.length)}: expected the tag of the numbers, got the end of the variable`);
  }
  const { type, start, end } = element;
  const number = numberTypes.get(type);
  if (number === undefined) {
    throw new RangeError(
      `${at(dataAt)}: expected numbers (types ${[...numberTypes.keys()].join(", ")}), got type ${type}`,
    );
  }
  const { width, get } = number;
  if (end - start !== elements * width) {
    throw new RangeError(
      `${at(dataAt)}: expected ${elements} numbers ([${shape}]) of ${width} bytes, got ${end - start} bytes`,
    );
  }
  if (end > body.length) {
    throw new RangeError(
      `${at(dataAt)}: expected ${end - start} bytes of numbers, got the end of the variable`,
    );
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const data = new Float64Array(elements);
  for (let i = 0; i < elements; i++) data[i] = get(view, start + i * width, little);
  return data;
}
