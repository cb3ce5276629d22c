import { engine, getKernel, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import {
  type CompanionSettings,
  companionThreads,
  hasSharedMemory,
  stopCompanions,
  useCompanion,
} from "./companion/companion.js";
import { type Binary, compileCompanion, unpackBinaries } from "./companion/compile-companion.js";
import { allowRelaxedSimd, nodeParallelism, report } from "./companion/node-parts.js";
import { canShareMemory, prepareThreadedBackend } from "./companion/threaded-backend.js";
import type { BackendWasm } from "./heap.js";
import { fusedKernels, trainingKernels } from "./training-kernels.js";

export interface EnableWasmTrainingOptions {
  /**
   * Where the three `.wasm` files of `@tensorflow/tfjs-backend-wasm` are: a
   * folder, or a path for each file name. Node finds them by itself; pages need it.
   */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
  /** Load the files with tfjs's platform `fetch`, default false. */
  readonly usePlatformFetch?: boolean;
  /**
   * How many threads compute, this one included: an integer from 1; all cores, but at most 8, unless given. More than
   * one needs shared memory (Node, or a page that is cross-origin isolated) and a backend that has not started yet.
   */
  readonly threads?: number;
  /** Multiply and add in one instruction where the engine can, default true: faster, other last bits. */
  readonly relaxedSimd?: boolean;
  /**
   * True, the default: what trainings spend their time on runs in the companion module, in place on tfjs's tensors;
   * false: everything is composed of tfjs's own kernels and of loops, on one thread.
   */
  readonly companion?: boolean;
  /**
   * Told when a worker thread has died; one thread goes on with the same numbers. A process warning, or in a page a
   * reported error, unless given.
   */
  readonly onWorkerDeath?: (error: Error) => void;
  /** Address of the worker's script, `@gradlab/wasm-training/worker`, for pages whose policy forbids blobs. */
  readonly workerPath?: string;
}

/** What computes from now on. */
export interface WasmTraining {
  readonly threads: number;
  /** The companion module in use; null: composition. */
  readonly binary: Binary | null;
  /** Why it is not more, in one sentence; empty if it is all there is. */
  readonly reason: string;
  /** Ends the worker threads; the backend goes on with one. */
  stop(): void;
}

const MOST_THREADS = 8;

function coreCount(): number {
  const page = globalThis as { navigator?: { hardwareConcurrency?: number } };
  return nodeParallelism() ?? page.navigator?.hardwareConcurrency ?? 1;
}

function expectThreads(threads: number): void {
  if (Number.isSafeInteger(threads) && threads >= 1) return;
  throw new RangeError(`enableWasmTraining: threads: expected an integer of at least 1, got ${threads}`);
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

/** Those that may be used, the best one first. */
const binariesOf = ({ relaxedSimd = true }: EnableWasmTrainingOptions): Binary[] =>
  relaxedSimd ? ["relaxed", "plain"] : ["plain"];

/** Decides about the companion module and its threads. */
function decide(
  options: EnableWasmTrainingOptions,
  backend: BackendWasm | undefined,
): { settings?: CompanionSettings; result: WasmTraining } {
  const { threads: wanted, relaxedSimd = true, companion = true, workerPath, onWorkerDeath } = options;
  const stop = stopCompanions;
  if (!companion) {
    return { result: { threads: 1, binary: null, reason: "the companion module is not wanted", stop } };
  }
  if (relaxedSimd) allowRelaxedSimd();
  const binaries = binariesOf(options);
  const compiled = compileCompanion("shared", binaries);
  if (compiled === undefined) {
    return {
      result: { threads: 1, binary: null, reason: "this engine has no SIMD with shared memory", stop },
    };
  }
  let [threads, reason] = [wanted ?? Math.min(coreCount(), MOST_THREADS), ""];
  if (threads > 1 && !canShareMemory()) {
    [threads, reason] = [
      1,
      "memory is shared only in a page that is cross-origin isolated (headers COOP and COEP)",
    ];
  } else if (backend !== undefined && companionThreads(backend) !== undefined) {
    threads = companionThreads(backend)!;
  } else if (threads > 1 && backend !== undefined && !hasSharedMemory(backend)) {
    [threads, reason] = [1, "the backend had started before enableWasmTraining"];
  }
  const onDeath = onWorkerDeath ?? report;
  return {
    settings: { threads, binaries, workerPath, onDeath },
    result: { threads, binary: compiled.binary, reason, stop },
  };
}

/**
 * Makes the backend `wasm` of tfjs train: registers the kernels that it lacks,
 * replaces those that are wrong and those that are slow.
 *
 * Call it before or after `setBackend("wasm")`, any number of times. It neither
 * selects the backend nor registers gradients (`@tensorflow/tfjs` brings its own).
 * `wasmPaths` is without effect once the backend has been initialized.
 *
 * Unless `companion` is false, products, convolutions, pools, reductions, functions and the fused kernels that
 * `@gradlab/core` asks for run in a companion module in place on tfjs's tensors, on several threads where memory can be
 * shared; results do not depend on the number of threads. An engine without SIMD gets compositions.
 *
 * @throws {TypeError} when `wasmPaths` is neither a string nor a record of strings.
 * @throws {RangeError} when `threads` is no integer of at least 1.
 */
export async function enableWasmTraining(options: EnableWasmTrainingOptions = {}): Promise<WasmTraining> {
  const { wasmPaths, usePlatformFetch = false, threads } = options;
  if (wasmPaths !== undefined) expectPaths(wasmPaths);
  if (threads !== undefined) expectThreads(threads);
  const { setThreadsCount, setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  if (options.companion ?? true) await unpackBinaries();
  const initialized = "wasm" in engine().registry;
  if (wasmPaths !== undefined && !initialized) setWasmPaths(wasmPaths as string, usePlatformFetch);
  const running = engine().registry.wasm as BackendWasm | undefined;
  const { settings, result } = decide(options, running?.wasm === undefined ? undefined : running);
  if (result.threads > 1) {
    // XNNPACK itself runs on one thread in every build.
    setThreadsCount(1);
    prepareThreadedBackend();
  }
  useCompanion(settings);
  for (const { kernelName } of fusedKernels()) {
    if (getKernel(kernelName, "wasm")) unregisterKernel(kernelName, "wasm");
  }
  for (const kernel of [...trainingKernels(), ...(settings === undefined ? [] : fusedKernels())]) {
    if (getKernel(kernel.kernelName, "wasm")) unregisterKernel(kernel.kernelName, "wasm");
    registerKernel(kernel);
  }
  return result;
}
