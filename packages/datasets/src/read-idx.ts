import { asBytes } from "./as-bytes.js";
import { decompress, isGzip } from "./decompress.js";
import { expectInteger } from "./expect-values.js";
import { type IdxArray, type IdxHeader, idxHeaderLength, parseIdxHeader } from "./idx-format.js";

/** What `readIdx` takes beside the bytes. */
export interface ReadIdxOptions {
  /** The most bytes that a compressed file may hold; 2^30 unless given. */
  readonly maxBytes?: number;
}

/**
 * Reads an IDX file: `00 00 type rank`, a 32-bit length per axis, the numbers, all big-endian.
 *
 * A file that starts with `1f 8b` is decompressed first (gzip), no further than its own header says and no further than
 * `maxBytes`. Reading takes the memory of the content once, three times at worst when it is compressed.
 *
 * @param bytes The whole file, of any type and rank.
 * @returns The numbers in an array of their own, in the byte order of this machine.
 * @throws {RangeError} when the file is not IDX, breaks off, goes on, or is too large; the message names the byte
 *   (of the content, where the file is compressed).
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 * @see LeCun, Cortes, Burges, "The MNIST database of handwritten digits", file formats
 */
export async function readIdx(
  bytes: Uint8Array | ArrayBufferLike,
  options: ReadIdxOptions = {},
): Promise<IdxArray> {
  const { maxBytes = defaultMaxBytes } = options;
  expectInteger("readIdx: maxBytes", maxBytes, 1);
  return (await parseIdx("readIdx: bytes", bytes, maxBytes)).array;
}

/** What a file may hold unless `maxBytes` says otherwise. */
export const defaultMaxBytes = 2 ** 30;

/** `readIdx` for another public function; `where` begins the messages about the file. */
export async function parseIdx(
  where: string,
  bytes: Uint8Array | ArrayBufferLike,
  maxBytes: number,
): Promise<{ readonly array: IdxArray; readonly header: IdxHeader }> {
  const file = asBytes(where, bytes);
  const at = (offset: number) => `${where}[${offset}]${isGzip(file) ? " (decompressed)" : ""}`;
  const content = isGzip(file) ? await decompress(where, file, endOfContent) : file;
  const header = parseIdxHeader(content, at);
  const { shape, end } = header;
  if (content.length < end) {
    throw new RangeError(
      `${at(content.length)}: expected ${end} bytes (shape [${shape}]), got the end of the file`,
    );
  }
  if (content.length > end) {
    throw new RangeError(`${at(end)}: expected the end of the file (shape [${shape}]), got more bytes`);
  }
  return { array: decode(content, header, content !== file), header };

  function endOfContent(prefix: Uint8Array): number | undefined {
    const length = idxHeaderLength(prefix);
    if (length === undefined || prefix.length < length) return undefined;
    const { shape, end } = parseIdxHeader(prefix.subarray(0, length), at);
    if (end > maxBytes) {
      throw new RangeError(
        `${at(4)}: expected at most maxBytes = ${maxBytes} bytes, got ${end} (shape [${shape}])`,
      );
    }
    return end;
  }
}

/** The numbers of a whole file; bytes are not copied where they are `owned`. */
function decode(content: Uint8Array, header: IdxHeader, owned: boolean): IdxArray {
  const { dtype, shape, elements, start, end, width } = header;
  const view = new DataView(content.buffer, content.byteOffset + start, end - start);
  const fill = <T extends Int16Array | Int32Array | Float32Array | Float64Array>(
    data: T,
    get: (offset: number) => number,
  ): T => {
    for (let i = 0; i < elements; i++) data[i] = get(i * width);
    return data;
  };
  switch (dtype) {
    case "uint8":
      return { dtype, shape, data: owned ? content.subarray(start, end) : content.slice(start, end) };
    case "int8":
      return { dtype, shape, data: new Int8Array(content.slice(start, end).buffer) };
    case "int16":
      return { dtype, shape, data: fill(new Int16Array(elements), (at) => view.getInt16(at)) };
    case "int32":
      return { dtype, shape, data: fill(new Int32Array(elements), (at) => view.getInt32(at)) };
    case "float32":
      return { dtype, shape, data: fill(new Float32Array(elements), (at) => view.getFloat32(at)) };
    case "float64":
      return { dtype, shape, data: fill(new Float64Array(elements), (at) => view.getFloat64(at)) };
  }
}
