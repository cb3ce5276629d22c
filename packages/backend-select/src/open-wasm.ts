import { enableWasmTraining } from "@gradlab/wasm-training";
import type { Attempt, OpenedBackend } from "./attempt.js";
import { isInitialized, keepRegistered } from "./backend-registry.js";

/** The `wasmPaths` of the first initialization; tfjs takes them only until then. */
export async function openWasm(attempt: Attempt): Promise<OpenedBackend> {
  const { wasmPaths } = attempt.settings;
  await enableWasmTraining(wasmPaths === undefined || isInitialized("wasm") ? {} : { wasmPaths });
  attempt.signal.throwIfAborted();
  keepRegistered("wasm");
  return { tfjsName: "wasm" };
}
