import type { CandidateReport } from "../candidate.js";
import { openCpu } from "../open-cpu.js";
import { openWasm } from "../open-wasm.js";
import type { Platform } from "../platform.js";
import { openBrowserWebgpu } from "./open-browser-webgpu.js";
import { openWebgl } from "./open-webgl.js";

/** Browsers, and whatever is not Node. */
export const platform: Platform = {
  candidates: new Map([
    ["webgpu", openBrowserWebgpu],
    ["webgl", openWebgl],
    ["wasm", openWasm],
    ["cpu", openCpu],
  ]),
  missing: "it exists in Node only",
  advise,
};

function advise({ name, status, reason }: CandidateReport): string | null {
  if (status !== "absent" && status !== "rejected") return null;
  if (name === "webgpu" || name === "webgl") {
    if (status === "absent" && reason?.includes("not part of this page")) {
      return `${name}: add @tensorflow/tfjs-backend-${name}@4.22.0 to the page`;
    }
    if (name === "webgpu" && status === "absent") {
      return "webgpu: use a browser with WebGPU, on a page from https or localhost";
    }
  }
  if (name === "wasm")
    return "wasm: serve the .wasm files of @tensorflow/tfjs-backend-wasm and say where (wasmPaths)";
  return null;
}
