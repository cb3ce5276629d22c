/**
 * What the kernels of this package need of the backend: tensors as views of
 * the WASM heap, other kernels by name, and scratch that is given back.
 *
 * A view dies when the heap grows: allocate every output first, take views after.
 */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  type DataType,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
  util,
} from "@tensorflow/tfjs-core";

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

/** Runs another kernel of the backend; the caller releases the result. */
export function run(
  backend: BackendWasm,
  kernelName: string,
  inputs: Record<string, TensorInfo>,
  attrs: Record<string, unknown> = {},
): TensorInfo {
  const kernel = getKernel(kernelName, "wasm");
  if (kernel === undefined) throw new Error(`wasm-training: the wasm backend has no kernel ${kernelName}`);
  return kernel.kernelFunc({ inputs, backend, attrs: attrs as NamedAttrMap }) as TensorInfo;
}

export interface KernelArguments {
  readonly inputs: NamedTensorInfoMap;
  readonly backend: BackendWasm;
  // biome-ignore lint/suspicious/noExplicitAny: each kernel knows its own attributes
  readonly attrs: any;
}

/** Kernels that this package made, and the stock kernels below them. */
const stockOf = new WeakMap<KernelConfig, KernelConfig>();

function stockKernel(kernelName: string): KernelConfig | undefined {
  const present = getKernel(kernelName, "wasm");
  return present && (stockOf.get(present) ?? present);
}

/** A kernel in tfjs's form, set up with the stock one that it replaces: other stock kernels call that one directly. */
export function kernel(
  kernelName: string,
  kernelFunc: (args: KernelArguments) => TensorInfo | TensorInfo[],
): KernelConfig {
  const stock = stockKernel(kernelName);
  const config: KernelConfig = {
    kernelName,
    backendName: "wasm",
    kernelFunc: kernelFunc as unknown as KernelFunc,
  };
  if (stock === undefined) return config;
  if (stock.setupFunc) config.setupFunc = stock.setupFunc;
  if (stock.disposeFunc) config.disposeFunc = stock.disposeFunc;
  stockOf.set(config, stock);
  return config;
}

/**
 * A kernel that hands some cases to the stock one; the stock one is set up
 * with it. Undefined if the backend has no such kernel.
 */
export function kernelOver(
  kernelName: string,
  kernelFunc: (args: KernelArguments, stock: KernelFunc) => TensorInfo | TensorInfo[],
): KernelConfig {
  const stock = stockKernel(kernelName);
  if (stock === undefined) throw new Error(`wasm-training: the wasm backend has no kernel ${kernelName}`);
  return kernel(kernelName, (args) => kernelFunc(args, stock.kernelFunc));
}

/** The elements of a tensor, in place: of strings, the strings. */
export function elementsOf(backend: BackendWasm, x: TensorInfo): ArrayLike<number> | string[] {
  if (x.dtype !== "string") return backend.typedArrayFromHeap(x);
  const bytes = backend.readSync(x.dataId) as unknown as Uint8Array[];
  return bytes.map((word) => util.decodeString(word));
}

/** Kernels that the wasm backend cannot compute refuse complex numbers before anything is written. */
export function expectReal(kernelName: string, ...tensors: (TensorInfo | undefined)[]): void {
  for (const x of tensors) {
    if (x?.dtype === "complex64") {
      throw new Error(
        `${kernelName}: expected real tensors, for the wasm backend has no complex numbers, got complex64`,
      );
    }
  }
}

/** The number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return util.sizeFromShape(shape as number[]);
}
