import { existsSync } from "node:fs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { backend, env, setBackend } from "@tensorflow/tfjs-core";
import { swiftShader } from "./swift-shader.js";

export interface Adapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True when the CPU stands in for the GPU. */
  readonly software: boolean;
  /** The manifests of the Vulkan drivers that were asked. */
  readonly drivers: readonly string[];
  readonly device: GPUDevice;
}

/**
 * Makes `webgpu` the backend of tfjs in Node: Dawn on the Vulkan driver that `VK_ICD_FILENAMES` names, or else
 * on SwiftShader. Every op then runs on the adapter, small ones too, which tfjs otherwise computes on the CPU.
 *
 * @throws {Error} when there is no driver, no adapter, or tfjs does not take the backend.
 */
export async function createWebgpu(): Promise<Adapter> {
  process.env.VK_ICD_FILENAMES ||= swiftShader;
  const drivers = process.env.VK_ICD_FILENAMES.split(":");
  const missing = drivers.find((file) => !existsSync(file));
  if (missing !== undefined) {
    throw new Error(
      `createWebgpu: no Vulkan driver: ${missing} does not exist; install chromium, or set VK_ICD_FILENAMES to the manifest of a driver`,
    );
  }
  // Dawn reads the environment when it is loaded; the backend looks for navigator.gpu when it is loaded.
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  if (globalThis.navigator === undefined) {
    Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  }
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true });
  const adapter = await gpu.requestAdapter();
  if (adapter === null) {
    throw new Error(
      `createWebgpu: Dawn found no adapter with ${drivers.join(":")}; is the Vulkan loader (libvulkan.so.1, in Debian's libvulkan1) installed?`,
    );
  }
  const { vendor, architecture, description } = adapter.info;
  await import("@tensorflow/tfjs-backend-webgpu");
  env().set("WEBGPU_CPU_FORWARD", false);
  if (!(await setBackend("webgpu"))) throw new Error("createWebgpu: setBackend returned false");
  const software = architecture === "swiftshader" || /swiftshader|llvmpipe/i.test(description);
  const { device } = backend() as WebGPUBackend;
  return { vendor, architecture, description, software, drivers, device };
}
