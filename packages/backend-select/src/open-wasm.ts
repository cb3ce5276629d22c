import { enableWasmTraining } from "@gradlab/wasm-training";
import type { Attempt, OpenedBackend } from "./attempt.js";
import { keepRegistered } from "./backend-registry.js";

/** WASM with the kernels that training needs. */
export async function openWasm(attempt: Attempt): Promise<OpenedBackend> {
  await attempt.during(import("@tensorflow/tfjs-backend-wasm"));
  keepRegistered("wasm");
  const { wasmPaths } = attempt.settings;
  await attempt.during(enableWasmTraining(wasmPaths === undefined ? {} : { wasmPaths }));
  return { tfjsName: "wasm" };
}
