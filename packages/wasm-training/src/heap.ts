/**
 * What the kernels of this package need of the backend's memory: tensors as
 * views of the WASM heap, and scratch that is given back.
 *
 * A view dies when the heap grows: allocate every output first, take views after.
 */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type DataType, type TensorInfo, util } from "@tensorflow/tfjs-core";

export type { BackendWasm, TensorInfo };

/** An uninitialized tensor on the heap. */
export function allocate(backend: BackendWasm, shape: number[], dtype: DataType = "float32"): TensorInfo {
  return backend.makeOutput(shape, dtype);
}

/** A tensor of zeros on the heap. */
export function allocateZeros(backend: BackendWasm, shape: number[]): TensorInfo {
  const out = allocate(backend, shape);
  floats(backend, out).fill(0);
  return out;
}

/** The elements of a float32 tensor, in place. */
export function floats(backend: BackendWasm, x: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(x) as Float32Array;
}

/** The elements of an int32 tensor, in place. */
export function integers(backend: BackendWasm, x: TensorInfo): Int32Array {
  return backend.typedArrayFromHeap(x) as Int32Array;
}

/** The same elements under another shape, without a copy; released like any other tensor. */
export function share(backend: BackendWasm, x: TensorInfo, shape: number[]): TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape, dtype: x.dtype };
}

export function release(backend: BackendWasm, ...tensors: TensorInfo[]): void {
  for (const x of tensors) backend.disposeData(x.dataId);
}

/** The elements of a tensor, in place: of strings, the strings. */
export function elementsOf(backend: BackendWasm, x: TensorInfo): ArrayLike<number> | string[] {
  if (x.dtype !== "string") return backend.typedArrayFromHeap(x);
  const bytes = backend.readSync(x.dataId) as unknown as Uint8Array[];
  return bytes.map((word) => util.decodeString(word));
}

/** The number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return util.sizeFromShape(shape as number[]);
}
