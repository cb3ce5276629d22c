import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { registerBackend } from "@tensorflow/tfjs-core";
import type { Attempt, OpenedBackend } from "./attempt.js";
import { isRegistered, removeQuietly } from "./backend-registry.js";
import { failOnLoss } from "./fail-on-loss.js";

type WebgpuModule = typeof import("@tensorflow/tfjs-backend-webgpu");

/** How adapters that compute on the processor call themselves: SwiftShader, Mesa's llvmpipe, Microsoft's WARP. */
const emulators = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i;

/**
 * WebGPU on the adapter that the system prefers for speed. The backend is made here, from a device that is known
 * before, since tfjs's own factory takes any adapter and fails obscurely on none.
 *
 * @param load Imports tfjs's package. It looks for `navigator.gpu` while it is imported, so that must be there before.
 */
export async function openWebgpu(
  attempt: Attempt,
  gpu: GPU,
  load: () => Promise<WebgpuModule>,
): Promise<OpenedBackend> {
  const adapter = await attempt.during(gpu.requestAdapter({ powerPreference: "high-performance" }));
  if (adapter === null) throw new Error("no GPU adapter was found");
  const info = await attempt.during(infoOf(adapter));
  attempt.device = nameOf(info);
  attempt.software = isSoftware(adapter, info);
  if (attempt.software && !attempt.settings.allowSoftwareGpu) {
    throw new Error(
      `${attempt.device ?? "the adapter"} emulates a GPU on the processor (allowSoftwareGpu accepts it)`,
    );
  }
  const device = await attempt.during(adapter.requestDevice(descriptorFor(adapter)));
  attempt.onClose(() => device.destroy());
  const { WebGPUBackend } = await attempt.during(load());
  let backend: WebGPUBackend | undefined;
  if (isRegistered("webgpu")) removeQuietly("webgpu");
  registerBackend(
    "webgpu",
    async () => {
      backend = new WebGPUBackend(device, info as ConstructorParameters<typeof WebGPUBackend>[1]);
      failOnLoss(backend, device, attempt);
      return backend;
    },
    3,
  );
  return { tfjsName: "webgpu" };
}

async function infoOf(adapter: GPUAdapter): Promise<GPUAdapterInfo> {
  if ("info" in adapter) return adapter.info;
  // Before Chromium 127.
  return (adapter as { requestAdapterInfo: () => Promise<GPUAdapterInfo> }).requestAdapterInfo();
}

function nameOf({ description, vendor, architecture, device }: GPUAdapterInfo): string | null {
  return description || [vendor, architecture || device].filter(Boolean).join(" ") || null;
}

function isSoftware(adapter: GPUAdapter, info: GPUAdapterInfo): boolean {
  const { description, vendor, architecture, device } = info;
  const flagged = [adapter, info].some(
    (one) => (one as { isFallbackAdapter?: boolean }).isFallbackAdapter === true,
  );
  return flagged || emulators.test([description, vendor, architecture, device].join(" "));
}

/** What tfjs asks for: tensors and workgroups as large as the adapter can have them. */
function descriptorFor({ features, limits }: GPUAdapter): GPUDeviceDescriptor {
  const asked = [
    "maxComputeWorkgroupStorageSize",
    "maxComputeWorkgroupsPerDimension",
    "maxStorageBufferBindingSize",
    "maxBufferSize",
    "maxComputeWorkgroupSizeX",
    "maxComputeInvocationsPerWorkgroup",
  ] as const;
  return {
    requiredFeatures: (["timestamp-query", "bgra8unorm-storage"] as const).filter((name) =>
      features.has(name),
    ),
    requiredLimits: Object.fromEntries(asked.map((name) => [name, limits[name]])),
  };
}
