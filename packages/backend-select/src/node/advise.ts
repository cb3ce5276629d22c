import type { CandidateReport } from "../candidate.js";

/** What to do in Node so that a candidate may pass. */
export function advise({ name, status, software }: CandidateReport): string | null {
  switch (name) {
    case "tfjs-node-gpu":
      return status === "absent"
        ? "tfjs-node-gpu: npm install @tensorflow/tfjs-node-gpu@4.22.0 (Linux or Windows on x64, NVIDIA GPU with CUDA 11.2 and cuDNN 8.1; its install script downloads TensorFlow 2.9.1)"
        : "tfjs-node-gpu: needs an NVIDIA GPU of compute capability 3.5 or higher, its driver (450.80.02 or newer), and CUDA 11.2 with cuDNN 8.1 where the dynamic linker finds them (LD_LIBRARY_PATH): libcudart.so.11.0, libcublas.so.11, libcufft.so.10, libcusolver.so.11, libcusparse.so.11, libcudnn.so.8; the libraries of CUDA 12 have other names";
    case "webgpu":
      if (status === "absent")
        return "webgpu: npm install webgpu @tensorflow/tfjs-backend-webgpu@4.22.0 (any GPU with a Vulkan, Metal or D3D12 driver)";
      return software === true
        ? "webgpu: only an emulated GPU was found; it is slower than wasm and passes only where software GPUs are allowed"
        : "webgpu: install the Vulkan driver of your GPU (vulkaninfo must list it)";
    case "tfjs-node":
      return status === "absent"
        ? "tfjs-node: npm install @tensorflow/tfjs-node@4.22.0 (TensorFlow's C library on the CPU; its install script downloads it, and where it cannot, the README of @gradlab/backend-select says how to build it)"
        : "tfjs-node: reinstall @tensorflow/tfjs-node@4.22.0 and let its install script run (npm rebuild @tensorflow/tfjs-node); where its download is blocked, the README of @gradlab/backend-select says how to build it";
    default:
      return null;
  }
}
