import { engine, env, type KernelBackend, registerBackend } from "@tensorflow/tfjs-core";
import type { Attempt, OpenedBackend } from "./attempt.js";
import { isRegistered, removeQuietly } from "./backend-registry.js";
import { type BufferManager, boundFreeBuffers } from "./bound-free-buffers.js";
import { currentGpu, type GpuAdapter, type GpuAdapterInfo, type GpuDevice } from "./gpu.js";
import { guardOf, guardReads, type ReadGuard } from "./guard-reads.js";
import { repairKernels } from "./repair-kernels.js";
import { describeAdapter } from "./software-gpu.js";

/** What is used of `@tensorflow/tfjs-backend-webgpu`. */
export interface WebgpuModule {
  readonly WebGPUBackend: new (device: GpuDevice, info: GpuAdapterInfo) => WebgpuBackend;
}

interface WebgpuBackend extends Omit<KernelBackend, "read" | "readSync"> {
  readonly device: GpuDevice;
  readonly adapterInfo: GpuAdapterInfo;
  readonly bufferManager: BufferManager;
  readonly tensorMap: { get(dataId: object): { readonly values?: unknown; readonly dtype: string } };
  read(dataId: object): Promise<ArrayLike<number>>;
  readSync(dataId: object): ArrayLike<number>;
}

/** The limits that tfjs's kernels gain from; a device has the lowest ones where nothing is asked for. */
const wantedLimits = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup",
  "maxStorageBuffersPerShaderStage",
];

/**
 * Opens a device on the adapter of the current WebGPU, and registers tfjs's
 * backend on it.
 *
 * @param load Imports tfjs's backend; called only when the adapter is one to use.
 */
export async function openWebgpu(
  attempt: Attempt,
  load: () => Promise<WebgpuModule>,
): Promise<OpenedBackend> {
  const running = engine().registry.webgpu as unknown as WebgpuBackend | undefined;
  // One that failed is replaced; one that works holds somebody's tensors.
  if (running !== undefined && guardOf(running)?.failure == null) return reuse(attempt, running);
  const gpu = currentGpu();
  if (gpu === undefined) throw new Error("this platform has no WebGPU");
  const powerPreference = env().getFlags().WEBGPU_USE_LOW_POWER_GPU ? "low-power" : "high-performance";
  const adapter = await attempt.during(gpu.requestAdapter({ powerPreference }));
  if (adapter === null) throw new Error("WebGPU finds no adapter: no GPU, or no driver for it");
  const info = adapter.info ?? {};
  takeAdapter(attempt, info, adapter.isFallbackAdapter);
  const { WebGPUBackend } = await attempt.during(load());
  repairKernels("webgpu");
  const device = await requestDevice(attempt, adapter);
  const backend = new WebGPUBackend(device, info);
  boundFreeBuffers(backend.bufferManager);
  const guard = guardDevice(backend);
  attempt.lost = guard.lost;
  attempt.onClose(() => guard.fail("the backend was removed"));
  if (isRegistered("webgpu")) removeQuietly("webgpu");
  // tfjs's own factory asks for another device; this one is good for one initialization.
  let used = false;
  registerBackend(
    "webgpu",
    () => {
      if (used) throw new Error("its device is gone; select the backend anew");
      used = true;
      return backend as unknown as KernelBackend;
    },
    3,
  );
  return { tfjsName: "webgpu" };
}

function reuse(attempt: Attempt, backend: WebgpuBackend): OpenedBackend {
  takeAdapter(attempt, backend.device.adapterInfo ?? backend.adapterInfo);
  attempt.lost = guardDevice(backend).lost;
  return { tfjsName: "webgpu" };
}

function takeAdapter(attempt: Attempt, info: GpuAdapterInfo, isFallbackAdapter?: boolean): void {
  const { device, software } = describeAdapter(info, isFallbackAdapter ?? info.isFallbackAdapter);
  attempt.device = device;
  attempt.software = software;
  if (software && !attempt.settings.allowSoftwareGpu) {
    throw new Error("the adapter is emulated on the CPU (allowSoftwareGpu lets it pass)");
  }
}

async function requestDevice(attempt: Attempt, adapter: GpuAdapter): Promise<GpuDevice> {
  const features = ["timestamp-query", "bgra8unorm-storage"].filter((name) => adapter.features.has(name));
  const limits = wantedLimits.filter((name) => adapter.limits[name] !== undefined);
  const device = await adapter.requestDevice({
    requiredFeatures: features,
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
  attempt.onClose(() => device.destroy());
  attempt.signal.throwIfAborted();
  return device;
}

/** tfjs does not notice that its device is lost, or that a command was invalid. */
function guardDevice(backend: WebgpuBackend): ReadGuard {
  const present = guardOf(backend);
  if (present !== undefined) return present;
  const { device } = backend;
  if (!("OffscreenCanvas" in globalThis)) forbidSynchronousReads(backend);
  const guard = guardReads(backend, "webgpu");
  device.lost.then(({ message }) =>
    guard.fail(`the device was lost${message === "" ? "" : ` (${firstLine(message)})`}`),
  );
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    guard.fail(`a command failed on the GPU (${firstLine(event.error.message)})`);
  });
  return guard;
}

/** Without canvases, tfjs's synchronous read fails on the name of one. */
function forbidSynchronousReads(backend: WebgpuBackend): void {
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    const { values, dtype } = backend.tensorMap.get(dataId);
    if (values == null && dtype !== "complex64" && dtype !== "string") {
      throw new Error("webgpu: a tensor on the GPU cannot be read synchronously here; await its data()");
    }
    return readSync(dataId);
  };
}

const firstLine = (message: string): string => message.trim().split("\n")[0]!;
