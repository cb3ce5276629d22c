import { enableWasmTraining } from "@gradlab/wasm-training";
import type { Attempt, OpenedBackend } from "./attempt.js";
import { isInitialized, keepRegistered, messageOf } from "./backend-registry.js";

/** The `wasmPaths` of the first initialization; tfjs takes them only until then. */
export async function openWasm(attempt: Attempt): Promise<OpenedBackend> {
  const { wasmPaths } = attempt.settings;
  try {
    await enableWasmTraining(wasmPaths === undefined || isInitialized("wasm") ? {} : { wasmPaths });
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
