import { asBytes } from "./as-bytes.js";
import { HOST_IS_LITTLE_ENDIAN, swapBytes } from "./byte-order.js";
import { describe } from "./describe.js";
import { DTYPE_NAMES, DTYPES, type RawTensor } from "./dtype.js";
import { SafetensorsError } from "./safetensors-error.js";
import type { SafetensorsHeader, TensorEntry } from "./safetensors-header.js";

/**
 * One tensor out of a whole file in memory; the rest is not touched.
 *
 * The data is a view of `bytes` (writing to one writes to the other) when it is aligned in memory, which it is in every
 * file of this package's or the reference's writer that starts at a multiple of 8 bytes in its buffer; otherwise, and
 * on a big-endian machine, it is a copy of this tensor's bytes.
 *
 * @param bytes The whole file.
 * @param header What `readSafetensorsHeader` returned for it.
 * @throws {RangeError} when there is no tensor `name`, or `bytes` is not as long as the header says.
 * @throws {SafetensorsError} when a `BOOL` is neither 0 nor 1.
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 */
export function readTensor(
  bytes: Uint8Array | ArrayBufferLike,
  header: SafetensorsHeader,
  name: string,
): RawTensor {
  const file = asBytes("readTensor", bytes);
  const entry = header.tensors.get(name);
  if (entry === undefined) {
    const other = header.raw.get(name);
    if (other !== undefined) {
      const subject = `readTensor: tensor ${describe(name)}: dtype`;
      throw new RangeError(
        `${subject}: expected one of ${DTYPE_NAMES.join(", ")}, got ${describe(other.dtype)}`,
      );
    }
    const known = describe([...header.tensors.keys()]);
    throw new RangeError(`readTensor: name: expected one of ${known}, got ${describe(name)}`);
  }
  if (file.length !== header.fileByteLength) {
    throw new RangeError(`readTensor: bytes: expected ${header.fileByteLength}, got ${file.length}`);
  }
  return viewTensor("readTensor", file, entry.byteOffset, entry);
}

/**
 * One tensor out of its own bytes, such as a range request for `entry` brings them. A view of `bytes` when that is
 * aligned in memory, a copy when not: see `readTensor`.
 *
 * @param bytes The `entry.byteLength` bytes of the file from `entry.byteOffset` on.
 * @throws {RangeError} when there are more or fewer bytes.
 * @throws {SafetensorsError} when a `BOOL` is neither 0 nor 1.
 * @throws {TypeError} when `bytes` is neither a `Uint8Array` nor an `ArrayBuffer`.
 */
export function decodeTensor(bytes: Uint8Array | ArrayBufferLike, entry: TensorEntry): RawTensor {
  const own = asBytes("decodeTensor", bytes);
  if (own.length !== entry.byteLength) {
    const expected = `${entry.byteLength} for tensor ${describe(entry.name)}`;
    throw new RangeError(`decodeTensor: bytes: expected ${expected}, got ${own.length}`);
  }
  return viewTensor("decodeTensor", own, 0, entry);
}

/** The tensor whose data starts at `start` in `bytes`; `hostIsLittleEndian` is an argument for the tests alone. */
export function viewTensor(
  caller: string,
  bytes: Uint8Array,
  start: number,
  { name, dtype, shape, byteLength }: TensorEntry,
  hostIsLittleEndian = HOST_IS_LITTLE_ENDIAN,
): RawTensor {
  const { size, array: TypedArray } = DTYPES[dtype];
  const swap = size > 1 && !hostIsLittleEndian;
  let own = bytes.subarray(start, start + byteLength);
  if (swap || own.byteOffset % size !== 0) own = own.slice();
  if (swap) swapBytes(own, size);
  if (dtype === "BOOL") {
    const wrong = own.findIndex((value) => value > 1);
    if (wrong >= 0) {
      const subject = `${caller}: tensor ${describe(name)}: element ${wrong}`;
      throw new SafetensorsError(`${subject}: expected a BOOL of 0 or 1, got ${own[wrong]}`);
    }
  }
  const data = new TypedArray(own.buffer, own.byteOffset, byteLength / size);
  return { dtype, shape: [...shape], data } as RawTensor;
}
