import type { CandidateReport } from "../candidate.js";

/** What to do in Node so that a candidate may pass. */
export function advise({ name, status, software }: CandidateReport): string | null {
  switch (name) {
    case "tfjs-node-gpu":
      return status === "absent"
        ? "tfjs-node-gpu: npm install @tensorflow/tfjs-node-gpu@4.22.0 (NVIDIA GPU with CUDA 11.2 and cuDNN 8.1; runs install scripts)"
        : "tfjs-node-gpu: needs an NVIDIA GPU with CUDA 11.2 and cuDNN 8.1 where the system's linker finds them";
    case "webgpu":
      if (status === "absent")
        return "webgpu: npm install webgpu @tensorflow/tfjs-backend-webgpu@4.22.0 (any GPU with a Vulkan, Metal or D3D12 driver)";
      return software === true
        ? "webgpu: only an emulated GPU was found; it is slower than wasm and passes only where software GPUs are allowed"
        : "webgpu: install the Vulkan driver of your GPU (vulkaninfo must list it)";
    case "tfjs-node":
      return status === "absent"
        ? "tfjs-node: npm install @tensorflow/tfjs-node@4.22.0 (TensorFlow's C library on the CPU; runs install scripts)"
        : "tfjs-node: reinstall @tensorflow/tfjs-node@4.22.0 and let its install scripts run (npm rebuild @tensorflow/tfjs-node)";
    default:
      return null;
  }
}
