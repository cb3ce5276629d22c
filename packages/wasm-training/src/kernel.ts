/** Kernels in tfjs's form: how this package makes its own, and how it calls others by name. */
import {
  getKernel,
  type KernelConfig,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
} from "@tensorflow/tfjs-core";
import type { BackendWasm, TensorInfo } from "./heap.js";

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
