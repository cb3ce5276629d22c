import type { Attempt, OpenedBackend } from "../attempt.js";
import { NotTriedError } from "../attempt.js";
import { currentGpu } from "../gpu.js";
import { openCpu } from "../open-cpu.js";
import { openWasm } from "../open-wasm.js";
import { openWebgpu, type WebgpuModule } from "../open-webgpu.js";
import type { Platform } from "../platform.js";
import { advise } from "./advise.js";
import { findPackage, importPackage } from "./find-package.js";
import { openTensorflow } from "./open-tensorflow.js";
import { provideDawn } from "./provide-dawn.js";

async function openWebgpuInNode(attempt: Attempt): Promise<OpenedBackend> {
  const backend = findPackage("@tensorflow/tfjs-backend-webgpu", attempt);
  const dawn = currentGpu() === undefined ? findPackage("webgpu", attempt) : null;
  const missing = [
    ...(backend === null ? ["@tensorflow/tfjs-backend-webgpu"] : []),
    ...(dawn === null && currentGpu() === undefined ? ["webgpu"] : []),
  ];
  if (missing.length > 0) throw new NotTriedError("absent", `not installed: ${missing.join(", ")}`);
  if (dawn !== null) await provideDawn(attempt, dawn);
  return openWebgpu(attempt, () => importPackage<WebgpuModule>(backend!));
}

export const platform: Platform = {
  candidates: new Map([
    ["tfjs-node-gpu", (attempt: Attempt) => openTensorflow(attempt, true)],
    ["webgpu", openWebgpuInNode],
    ["tfjs-node", (attempt: Attempt) => openTensorflow(attempt, false)],
    ["wasm", openWasm],
    ["cpu", openCpu],
  ]),
  missing: "exists in browsers only",
  advise,
};
