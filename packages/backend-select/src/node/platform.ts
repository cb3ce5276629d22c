import type { CandidateReport } from "../candidate.js";
import { openCpu } from "../open-cpu.js";
import { openWasm } from "../open-wasm.js";
import type { Platform } from "../platform.js";
import { openDawn } from "./open-dawn.js";
import { openTfjsNode, openTfjsNodeGpu } from "./open-tfjs-node.js";

export const platform: Platform = {
  candidates: new Map([
    ["tfjs-node-gpu", openTfjsNodeGpu],
    ["webgpu", openDawn],
    ["tfjs-node", openTfjsNode],
    ["wasm", openWasm],
    ["cpu", openCpu],
  ]),
  missing: "it exists in browsers only",
  advise,
};

const hasPrebuiltDawn = ["darwin", "linux", "win32"].includes(process.platform);

function advise({ name, status, reason, software }: CandidateReport): string | null {
  if (status !== "absent" && status !== "rejected") return null;
  switch (name) {
    case "tfjs-node-gpu":
      if (
        status === "absent" &&
        (process.platform === "linux" || process.platform === "win32") &&
        process.arch === "x64"
      ) {
        return "tfjs-node-gpu: on a machine with CUDA 11.2 and cuDNN 8.1: npm install @tensorflow/tfjs-node-gpu@4.22.0";
      }
      return null;
    case "webgpu":
      if (status === "absent" && hasPrebuiltDawn) {
        return "webgpu: npm install webgpu @tensorflow/tfjs-backend-webgpu@4.22.0";
      }
      if (software)
        return "webgpu: a GPU with a Vulkan, Metal or Direct3D 12 driver, or accept a software one";
      if (reason?.startsWith("Dawn found no GPU adapter") && process.platform === "linux") {
        return "webgpu: install the Vulkan loader (libvulkan1) and the Vulkan driver of the GPU, or name a driver by VK_ICD_FILENAMES";
      }
      return null;
    case "tfjs-node":
      if (status === "absent") {
        return "tfjs-node: npm install @tensorflow/tfjs-node@4.22.0 (it downloads TensorFlow when it is installed)";
      }
      return null;
    default:
      return null;
  }
}
