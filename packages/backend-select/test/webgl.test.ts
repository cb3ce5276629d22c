import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgl";
import {
  env,
  getKernelsForBackend,
  registerBackend,
  registerKernel,
  removeBackend,
} from "@tensorflow/tfjs-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openWebgl } from "../src/browser/open-webgl.js";
import { quietly } from "../src/quiet.js";
import { run } from "../src/run.js";
import { runSettings, type SelectOptions } from "../src/select-options.js";

/*
 * The rules for WebGL, on a context that answers as told; integration/browser has a real one. Flags of
 * tfjs say what the context can do, kernels are those of cpu.
 */
let lost = false;
/** Whether the fence of a read never passes. */
let stuck = false;
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
  override read(dataId: object) {
    return stuck ? new Promise<never>(() => {}) : super.read(dataId);
  }
}

let flags = {};
beforeEach(() => {
  flags = { ...env().getFlags() };
  lost = false;
  stuck = false;
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
