import { engine, getKernel, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import { trainingKernels } from "./training-kernels.js";

export interface EnableWasmTrainingOptions {
  /**
   * Where the three `.wasm` files of `@tensorflow/tfjs-backend-wasm` are: a
   * folder, or a path for each file name. Node finds them by itself; pages need it.
   */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
  /** Load the files with tfjs's platform `fetch`, default false. */
  readonly usePlatformFetch?: boolean;
}

function expectPaths(paths: unknown): void {
  const ok =
    typeof paths === "string" ||
    (typeof paths === "object" &&
      paths !== null &&
      Object.values(paths).every((path) => typeof path === "string"));
  if (ok) return;
  const got = paths === null ? "null" : typeof paths === "object" ? JSON.stringify(paths) : String(paths);
  throw new TypeError(
    `enableWasmTraining: wasmPaths: expected a folder or a record from file name to path, got ${got}`,
  );
}

/**
 * Makes the backend `wasm` of tfjs train: registers the kernels that it lacks,
 * replaces those that are wrong and those that are slow.
 *
 * Call it before or after `setBackend("wasm")`, any number of times. It neither
 * selects the backend nor registers gradients (`@tensorflow/tfjs` brings its own).
 * `wasmPaths` is without effect once the backend has been initialized.
 *
 * @throws {TypeError} when `wasmPaths` is neither a string nor a record of strings.
 */
export async function enableWasmTraining(options: EnableWasmTrainingOptions = {}): Promise<void> {
  const { wasmPaths, usePlatformFetch = false } = options;
  if (wasmPaths !== undefined) expectPaths(wasmPaths);
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  const initialized = "wasm" in engine().registry;
  if (wasmPaths !== undefined && !initialized) setWasmPaths(wasmPaths as string, usePlatformFetch);
  for (const kernel of trainingKernels()) {
    if (getKernel(kernel.kernelName, "wasm")) unregisterKernel(kernel.kernelName, "wasm");
    registerKernel(kernel);
  }
}
