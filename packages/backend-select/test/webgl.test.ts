import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgl";
import {
  env,
  getKernel,
  getKernelsForBackend,
  registerBackend,
  registerKernel,
  removeBackend,
  setBackend,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWebgl } from "../src/browser/open-webgl.js";
import { quietly } from "../src/quiet.js";
import { run } from "../src/run.js";
import { runSettings, type SelectOptions } from "../src/select-options.js";
import { selfTest } from "../src/self-test.js";

/*
 * The rules for WebGL, on a context that answers as told; integration/browser has a real one. Flags of
 * tfjs say what the context can do, kernels are those of cpu.
 */
let lost = false;
/** Whether the fence of a read never passes. */
let stuck = false;
/** What the flag for small tensors was while values were read. */
const seenInReads = new Set<boolean>();
/** Whether every read gives zeros. */
let zeros = false;
let renderer = "ANGLE (NVIDIA, GeForce RTX 4090)";
const canvas = new EventTarget();
const gl = {
  canvas,
  RENDERER: 0x1f01,
  isContextLost: () => lost,
  getExtension: () => ({ UNMASKED_RENDERER_WEBGL: 0x9246 }),
  getParameter: (name: number) => (name === 0x9246 ? renderer : "WebKit WebGL"),
};
class Webgl extends MathBackendCPU {
  readonly gpgpu = { gl, itemsToPoll: [{}] };
  override async read(dataId: object) {
    seenInReads.add(env().getBool("WEBGL_CPU_FORWARD"));
    if (stuck) return new Promise<never>(() => {});
    const values = await super.read(dataId);
    return zeros ? (new Float32Array(values.length) as never) : values;
  }
}

let flags = {};
beforeEach(() => {
  flags = { ...env().getFlags() };
  lost = false;
  stuck = false;
  zeros = false;
  renderer = "ANGLE (NVIDIA, GeForce RTX 4090)";
  for (const flag of ["WEBGL_RENDER_FLOAT32_CAPABLE", "WEBGL_RENDER_FLOAT32_ENABLED"]) env().set(flag, true);
  env().set("WEBGL_VERSION", 2);
  for (const kernel of getKernelsForBackend("cpu")) {
    registerKernelQuietly({ ...kernel, backendName: "webgl" });
  }
  registerBackend("webgl", () => new Webgl(), 2);
});
afterEach(() => {
  removeBackend("webgl");
  env().setFlags(flags);
});

function registerKernelQuietly(kernel: Parameters<typeof registerKernel>[0]): void {
  env().set("PROD", true);
  registerKernel(kernel);
}

function select(options: SelectOptions = {}) {
  const platform = {
    candidates: new Map([
      ["webgl", (attempt: Parameters<typeof openWebgl>[0]) => openWebgl(attempt, async () => {})],
    ] as const),
    missing: "exists in Node only",
    advise: () => null,
  };
  return quietly(() =>
    run(platform, runSettings("selectBackend", { ...options, only: "webgl" }, platform, true)),
  );
}

test("a context with 32-bit floats is accepted, with the name of its GPU", async () => {
  const { candidates } = await select();
  expect(candidates).toMatchObject([
    { status: "selected", device: "ANGLE (NVIDIA, GeForce RTX 4090)", software: false },
  ]);
});

test.each([
  ["WEBGL_VERSION", 0, "this browser gives no WebGL context"],
  ["WEBGL_RENDER_FLOAT32_CAPABLE", false, "it renders to textures of 16 bits only, too few to train with"],
  [
    "WEBGL_RENDER_FLOAT32_ENABLED",
    false,
    "it is set to render to textures of 16 bits (WEBGL_RENDER_FLOAT32_ENABLED is false)",
  ],
])("%s = %s is a reason for rejection", async (flag, value, reason) => {
  env().set(flag, value);
  expect((await select()).candidates).toMatchObject([{ status: "rejected", reason }]);
});

test("an emulated GPU is rejected unless it is allowed", async () => {
  renderer = "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)";
  expect((await select()).candidates).toMatchObject([
    {
      status: "rejected",
      reason: "the GPU is emulated on the CPU (allowSoftwareGpu lets it pass)",
      software: true,
    },
  ]);
  expect((await select({ allowSoftwareGpu: true })).selected?.report).toMatchObject({ software: true });
});

test.each([true, false])(
  "small tensors are computed on the GPU during the self-test; WEBGL_CPU_FORWARD, %s before, is so again",
  async (before) => {
    env().set("WEBGL_CPU_FORWARD", before);
    seenInReads.clear();
    const seen = new Set<unknown>();
    const stock = getKernel("BatchMatMul", "webgl");
    unregisterKernel("BatchMatMul", "webgl");
    registerKernel({
      ...stock,
      kernelFunc: (args) => {
        seen.add(env().getBool("WEBGL_CPU_FORWARD"));
        return stock.kernelFunc(args);
      },
    });
    expect((await select()).candidates).toMatchObject([{ status: "selected" }]);
    expect(env().getBool("WEBGL_CPU_FORWARD")).toBe(before);
    zeros = true;
    expect((await select()).candidates).toMatchObject([{ status: "rejected" }]);
    expect(env().getBool("WEBGL_CPU_FORWARD")).toBe(before);
    expect([...seen]).toEqual([false]);
    // Others may compute while a read is awaited.
    expect([...seenInReads]).toEqual([before]);
    const signal = new AbortController().signal;
    await setBackend("webgl");
    await expect(selfTest("webgl", { gradients: false, signal })).rejects.toThrow("self-test: matMul");
    expect(env().getBool("WEBGL_CPU_FORWARD")).toBe(before);
    unregisterKernel("BatchMatMul", "webgl");
    await expect(selfTest("webgl", { gradients: false, signal })).rejects.toThrow("not registered");
    expect(env().getBool("WEBGL_CPU_FORWARD")).toBe(before);
  },
);

test("after the context was lost, reads throw and the selection says so", async () => {
  const { tensor1d } = await import("@tensorflow/tfjs-core");
  const { selected } = await select();
  const values = tensor1d([1]);
  lost = true;
  await expect(values.data()).rejects.toThrow("webgl: the context was lost");
  expect((await selected!.lost!).message).toContain("webgl: the context was lost");
  lost = false;
  values.dispose();
});

test("the event of a loss ends reads under way and polling; another selection takes another backend", async () => {
  const { backend, tensor1d } = await import("@tensorflow/tfjs-core");
  const { selected } = await select();
  const broken = backend() as unknown as Webgl;
  const values = tensor1d([1]);
  stuck = true;
  const underWay = values.data();
  canvas.dispatchEvent(new Event("webglcontextlost"));
  await expect(underWay).rejects.toThrow("webgl: the context was lost");
  expect(await selected!.lost!).toBeInstanceOf(Error);
  expect(broken.gpgpu.itemsToPoll).toEqual([]);
  stuck = false;
  // The browser restored the context; its textures are gone.
  expect((await select()).candidates).toMatchObject([{ status: "selected" }]);
  expect(backend()).not.toBe(broken);
  await expect(values.data()).rejects.toThrow("webgl: the context was lost");
  values.dispose();
});
