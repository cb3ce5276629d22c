import { enableWasmTraining, type WasmTraining } from "@gradlab/wasm-training";
import type { Attempt, OpenedBackend } from "./attempt.js";
import { isInitialized, keepRegistered, messageOf } from "./backend-registry.js";

/** The `wasmPaths` of the first initialization; tfjs takes them only until then. */
export async function openWasm(attempt: Attempt): Promise<OpenedBackend> {
  const { wasmPaths } = attempt.settings;
  try {
    const options = wasmPaths === undefined || isInitialized("wasm") ? {} : { wasmPaths };
    attempt.device = describe(await enableWasmTraining(options));
  } catch (error) {
    if (!messageOf(error)?.startsWith("The WASM backend was already initialized")) throw error;
    // tfjs keeps that it failed, and refuses other paths from then on.
    const reason = "its .wasm files failed to load before; other wasmPaths need a fresh page or process";
    throw new Error(reason, { cause: error });
  }
  attempt.signal.throwIfAborted();
  keepRegistered("wasm");
  return { tfjsName: "wasm" };
}

/** What computes, and why not more. */
function describe({ binary, threads, reason }: WasmTraining): string {
  const count = threads === 1 ? "1 thread" : `${threads} threads`;
  const simd = { relaxed: " with relaxed SIMD", plain: " with SIMD" };
  return `${count}${binary === null ? "" : simd[binary]}${reason === "" ? "" : ` (${reason})`}`;
}
