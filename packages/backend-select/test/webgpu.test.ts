import { existsSync } from "node:fs";
import {
  backend,
  engine,
  fill,
  getBackend,
  grad,
  memory,
  square,
  sum,
  tensor1d,
  tidy,
} from "@tensorflow/tfjs-core";
import { afterEach, expect, test, vi } from "vitest";
import { type BufferManager, boundFreeBuffers } from "../src/bound-free-buffers.js";
import { selectBackend } from "../src/index.js";

/*
 * WebGPU for real: Dawn (the npm package webgpu) on the emulated GPU that comes with
 * Debian's chromium, or on the driver that VK_ICD_FILENAMES names.
 */
const driver = process.env.VK_ICD_FILENAMES ?? "/usr/lib/chromium/vk_swiftshader_icd.json";
const missing = !existsSync(driver);

// Continuous integration installs chromium: there, a missing driver fails instead of passing by.
test.runIf(process.env.CI)("there is a driver for WebGPU", () => {
  expect(missing, driver).toBe(false);
});

afterEach(() => vi.unstubAllEnvs());

const onSwiftShader = () => vi.stubEnv("VK_ICD_FILENAMES", driver);
const webgpu = { only: "webgpu", allowSoftwareGpu: true } as const;
const globalsOfWebgpu = () =>
  ["GPUBuffer", "GPUBufferUsage", "GPUMapMode"].filter((name) => name in globalThis);
const gpuOfNavigator = () => (globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu;

/** What tfjs's backend has inside. */
interface Inside {
  readonly device: { destroy(): void };
  readonly bufferManager: BufferManager & { readonly constructor: new (device: object) => BufferManager };
}
const inside = () => backend() as unknown as Inside;

test("without an adapter, webgpu is rejected, and neither globals nor a registration are left", async () => {
  vi.stubEnv("VK_ICD_FILENAMES", "/nowhere.json");
  const { candidates } = await selectBackend({ only: ["webgpu", "wasm"], allowSoftwareGpu: true });
  expect(candidates[0]).toMatchObject({
    name: "webgpu",
    status: "rejected",
    reason: "Dawn finds no adapter: no GPU, or no Vulkan, Metal or D3D12 driver for it",
  });
  expect(globalsOfWebgpu()).toEqual([]);
  expect(gpuOfNavigator()).toBeUndefined();
  expect("webgpu" in engine().registryFactory).toBe(false);
});

test.skipIf(missing)("an emulated GPU is rejected by name unless it is allowed", async () => {
  onSwiftShader();
  const { candidates, backend: chosen } = await selectBackend({ only: ["webgpu", "wasm"] });
  expect(chosen).toBe("wasm");
  expect(candidates[0]).toMatchObject({
    status: "rejected",
    reason: "the adapter is emulated on the CPU (allowSoftwareGpu lets it pass)",
    device: expect.stringContaining("SwiftShader"),
    software: true,
  });
  expect(globalsOfWebgpu()).toEqual([]);
  expect(gpuOfNavigator()).toBeUndefined();
});

test.skipIf(missing)(
  "an emulated GPU that is allowed trains; a synchronous read says what to do instead",
  async () => {
    onSwiftShader();
    const selection = await selectBackend(webgpu);
    expect(selection).toMatchObject({ backend: "webgpu", tfjsBackend: "webgpu", software: true });
    expect(getBackend()).toBe("webgpu");
    const gradient = tidy(() => grad((x) => sum(square(x)))(fill([2000], 3)));
    expect(() => backend().readSync(gradient.dataId)).toThrow(
      "webgpu: a tensor on the GPU cannot be read synchronously here; await its data()",
    );
    expect((await gradient.data())[1999]).toBe(6);
    // What is on the CPU as well may be read.
    expect(backend().readSync(gradient.dataId)[0]).toBe(6);
    gradient.dispose();
    // A second selection keeps the device and what is on it.
    const device = inside().device;
    await selectBackend(webgpu);
    expect(inside().device).toBe(device);
  },
);

test.skipIf(missing)(
  "after a command that failed, every read throws instead of giving what was there",
  async () => {
    onSwiftShader();
    const { lost } = await selectBackend(webgpu);
    const before = tidy(() => square(fill([2000], 2)));
    // 2.16 GB, more than one buffer holds: tfjs alone goes on and computes a wrong sum.
    const impossible = tidy(() => sum(fill([60_000, 9_000], 1)));
    await expect(impossible.data()).rejects.toThrow(/^webgpu: a command failed on the GPU \(.*exceeds/);
    await expect(before.data()).rejects.toThrow("select a backend anew");
    expect(() => backend().readSync(before.dataId)).toThrow("select a backend anew");
    expect((await lost).message).toMatch(/^webgpu: a command failed/);
    before.dispose();
    impossible.dispose();
    const again = await selectBackend(webgpu);
    expect(again.backend).toBe("webgpu");
    const after = tidy(() => square(fill([2000], 2)));
    expect((await after.data())[0]).toBe(4);
    after.dispose();
  },
);

test.skipIf(missing)("after the device was lost, a read throws and the selection says so", async () => {
  onSwiftShader();
  const { lost } = await selectBackend(webgpu);
  const result = tidy(() => square(fill([2000], 2)));
  inside().device.destroy();
  await expect(result.data()).rejects.toThrow(/^webgpu: the device was lost/);
  expect((await lost).message).toMatch(/^webgpu: the device was lost/);
  result.dispose();
  // The next selection falls back when the GPU is gone for good.
  vi.stubEnv("VK_ICD_FILENAMES", "/nowhere.json");
  const { backend: next } = await selectBackend({ only: ["webgpu", "wasm"], allowSoftwareGpu: true });
  expect(["webgpu", "wasm"]).toContain(next);
});

test.skipIf(missing)(
  "free buffers are bounded, the longest unused go first, and those in use stay",
  async () => {
    onSwiftShader();
    await selectBackend(webgpu);
    const { device, bufferManager } = inside();
    const manager = new bufferManager.constructor(device);
    boundFreeBuffers(manager, 1000);
    const storage = 0x80;
    for (let size = 4; size <= 400; size += 4) manager.releaseBuffer(manager.acquireBuffer(size, storage));
    // The peak in use was 400 bytes, so that 3 x 400 may stay free.
    expect(manager.numBytesAllocated).toBeLessThanOrEqual(1200);
    expect(manager.numBytesAllocated).toBeGreaterThan(1200 - 400);
    expect(manager.freeBuffers.get(`400_${storage}`)).toHaveLength(1);
    expect(manager.freeBuffers.get(`4_${storage}`) ?? []).toHaveLength(0);
    // A working set that recurs is never given back: same buffers, step after step.
    const sizes = [100, 200, 300, 400];
    const step = () => {
      const buffers = sizes.map((size) => manager.acquireBuffer(size, storage));
      for (const buffer of buffers) manager.releaseBuffer(buffer);
      return buffers;
    };
    step();
    const first = step();
    for (const [i, buffer] of step().entries()) expect(buffer).toBe(first[i]);
    expect(manager.numBytesUsed).toBe(0);
  },
);

test.skipIf(missing)("training steps on webgpu leave neither tensors nor growing memory", async () => {
  onSwiftShader();
  await selectBackend(webgpu);
  const step = async () => {
    const loss = tidy(() => sum(square(tensor1d(Float32Array.from({ length: 3000 }, (_, i) => i)))));
    await loss.data();
    loss.dispose();
    return memory() as unknown as { numTensors: number; numBytesAllocatedInGPU: number };
  };
  await step();
  const { numTensors, numBytesAllocatedInGPU } = await step();
  expect(await step()).toMatchObject({ numTensors, numBytesAllocatedInGPU });
});

test("the description of an adapter tells emulated ones from others", async () => {
  const { describeAdapter } = await import("../src/software-gpu.js");
  expect(describeAdapter({ vendor: "nvidia", architecture: "hopper", description: "NVIDIA H100" })).toEqual({
    device: "NVIDIA H100",
    software: false,
  });
  expect(describeAdapter({ vendor: "apple", architecture: "metal-3", description: "" })).toEqual({
    device: "apple metal-3",
    software: false,
  });
  expect(describeAdapter({ vendor: "mesa", description: "llvmpipe (LLVM 15.0.6, 256 bits)" }).software).toBe(
    true,
  );
  expect(describeAdapter({ vendor: "google", architecture: "swiftshader" }).software).toBe(true);
  expect(describeAdapter({ description: "Microsoft Basic Render Driver" }).software).toBe(true);
  expect(describeAdapter({ description: "WarpTech 5000" }).software).toBe(false);
  expect(describeAdapter({ vendor: "", isFallbackAdapter: true })).toEqual({ device: null, software: true });
});
