import type { CandidateReport } from "../candidate.js";

/** What to do so that a candidate may pass in a page. */
export function advise({ name, status, software }: CandidateReport): string | null {
  if (name === "wasm") {
    return "wasm: serve the .wasm files of @tensorflow/tfjs-backend-wasm, and say where (wasmPaths)";
  }
  if (name !== "webgpu" && name !== "webgl") return null;
  if (status === "absent")
    return `${name}: npm install @tensorflow/tfjs-backend-${name}@4.22.0, and bundle again`;
  if (software === true) return `${name}: turn on hardware acceleration in the browser's settings`;
  return name === "webgpu"
    ? "webgpu: serve the page over https (or from localhost) to a browser with WebGPU"
    : "webgl: use a browser with WebGL 2 and hardware acceleration";
}
