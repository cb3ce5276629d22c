import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Selection, SelectOptions } from "@gradlab/backend-select";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { openPage } from "./open-page.js";

// A bundled page that selects a backend and trains two steps, from packed packages.
const consumer = inject("consumer");
const folder = mkdtempSync(join(tmpdir(), "gradlab-select-"));
afterAll(() => rmSync(folder, { recursive: true }));

const page = `
import { doctor, selectBackend } from "@gradlab/backend-select";
import * as tf from "@tensorflow/tfjs-core";

globalThis.selectAndTrain = async (options) => {
  const { lost, ...selection } = await selectBackend(options);
  const w = tf.variable(tf.tensor2d([0.5, -0.5], [2, 1]));
  const [x, y] = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([1, 2], [2, 1])];
  const optimizer = tf.train.adam(0.1);
  const losses = [];
  for (let step = 0; step < 2; step++) {
    const loss = optimizer.minimize(() => tf.mean(tf.square(tf.sub(tf.matMul(x, w), y))), true);
    losses.push((await loss.data())[0]);
  }
  return { ...selection, active: tf.getBackend(), losses };
};
globalThis.lose = async () => {
  const { lost } = await selectBackend({ only: "webgpu", allowSoftwareGpu: true });
  const first = tf.square(tf.fill([2000], 2));
  const impossible = tf.sum(tf.fill([60000, 20000], 1));
  const read = (tensor) => tensor.data().then((values) => "value " + values[0], (error) => error.message);
  const reads = [await read(impossible), await read(first)];
  const again = await selectBackend({ only: "webgpu", allowSoftwareGpu: true });
  return { reads, lost: (await lost).message, again: await read(tf.square(tf.fill([2000], 2))) };
};
globalThis.loseContext = async () => {
  const { lost } = await selectBackend({ only: "webgl", allowSoftwareGpu: true });
  const tensor = tf.square(tf.fill([2000], 2));
  tf.backend().gpgpu.gl.getExtension("WEBGL_lose_context").loseContext();
  const read = await tensor.data().then((values) => "value " + values[0], (error) => error.message);
  return { read, lost: (await lost).message };
};
globalThis.dilate = async (backend) => {
  await selectBackend({ only: backend, allowSoftwareGpu: true, wasmPaths: "/wasm/" });
  const x = tf.tensor4d(Array.from({ length: 32 }, (_, i) => Math.sin(7 * i)), [1, 4, 4, 2]);
  const filter = tf.tensor3d(Array.from({ length: 8 }, (_, i) => Math.cos(3 * i)), [2, 2, 2]);
  const { numTensors } = tf.memory();
  const gradients = tf.grads((a, b) => tf.dilation2d(a, b, 1, "valid"))([x, filter]);
  const values = [];
  for (const gradient of gradients) values.push(Array.from(await gradient.data()));
  tf.dispose(gradients);
  return { values, left: tf.memory().numTensors - numTensors };
};
globalThis.diagnose = (options) => doctor(options);
globalThis.ready = true;
`;

interface Page {
  selectAndTrain(options: SelectOptions): Omit<Selection, "lost"> & { active: string; losses: number[] };
  lose(): { reads: string[]; lost: string; again: string };
  loseContext(): { read: string; lost: string };
  dilate(backend: string): { values: number[][]; left: number };
  diagnose(options: SelectOptions): { candidates: Selection["candidates"]; advice: string[] };
}

beforeAll(async () => {
  await build({
    stdin: { contents: page, resolveDir: consumer },
    outdir: folder,
    entryNames: "page",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    logLevel: "error",
  });
  const binaries = join(consumer, "node_modules/@tensorflow/tfjs-backend-wasm/dist");
  mkdirSync(join(folder, "wasm"));
  for (const name of readdirSync(binaries).filter((file) => file.endsWith(".wasm"))) {
    copyFileSync(join(binaries, name), join(folder, "wasm", name));
  }
  writeFileSync(
    join(folder, "index.html"),
    '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
  );
});

/** Calls a function of the page, and returns with its result what the console held. */
async function call<K extends keyof Page>(
  gpu: boolean,
  name: K,
  ...args: Parameters<Page[K]>
): Promise<{ result: ReturnType<Page[K]>; messages: readonly string[] }> {
  const { page: opened, messages, close } = await openPage(folder, { gpu });
  try {
    await opened.waitForFunction(() => "ready" in globalThis, null, { timeout: 30_000 });
    const result = await opened.evaluate(
      ([key, values]) =>
        (globalThis as unknown as Record<string, (...values: unknown[]) => unknown>)[key]!(...values),
      [name, args] as const,
    );
    return { result: result as ReturnType<Page[K]>, messages };
  } catch (error) {
    throw new Error([(error as Error).message, ...messages].join("\n"));
  } finally {
    await close();
  }
}

const wasmPaths = "/wasm/";

test("a page without a GPU selects wasm, trains two steps, and tfjs says nothing", async () => {
  const { result, messages } = await call(false, "selectAndTrain", { wasmPaths });
  expect(result).toMatchObject({ backend: "wasm", active: "wasm" });
  expect(result.losses[1]!).toBeLessThan(result.losses[0]!);
  expect(result.candidates.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "webgpu rejected",
    "webgl rejected",
    "wasm selected",
    "cpu untried",
    "tfjs-node-gpu untried",
    "tfjs-node untried",
  ]);
  // Chromium itself may speak of missing GPUs; the libraries do not.
  expect(messages.filter((message) => /tfjs|tensorflow|backend|wasm/i.test(message))).toEqual([]);
});

test.each(["webgpu", "webgl"] as const)(
  "a page selects %s on an emulated GPU, which it names, and trains as on cpu",
  async (only) => {
    const { result } = await call(true, "selectAndTrain", { only, allowSoftwareGpu: true });
    // First the adapter, then the backend.
    expect(result.device).toMatch(/swiftshader/i);
    expect(result).toMatchObject({ backend: only, active: only, software: true });
    const { result: cpu } = await call(false, "selectAndTrain", { only: "cpu" });
    for (const [i, loss] of cpu.losses.entries()) {
      expect(Math.abs(result.losses[i]! - loss) / loss).toBeLessThan(1e-4);
    }
  },
);

test("emulated GPUs that are not allowed are rejected by name, and advice says what to do", async () => {
  const { result } = await call(true, "diagnose", { wasmPaths });
  const [webgpu, webgl, wasm, cpu] = result.candidates;
  for (const report of [webgpu, webgl]) {
    expect(report).toMatchObject({
      status: "rejected",
      software: true,
      reason: expect.stringContaining("emulated on the CPU"),
      device: expect.stringMatching(/swiftshader/i),
    });
  }
  expect([wasm!.status, cpu!.status]).toEqual(["selected", "usable"]);
  expect(result.advice).toHaveLength(2);
});

test("after a command failed on the GPU, reads throw instead of giving a wrong sum, until a new selection", async () => {
  const { result } = await call(true, "lose");
  expect(result.reads[0]).toMatch(/^webgpu: a command failed on the GPU/);
  expect(result.reads[1]).toMatch(/^webgpu: a command failed on the GPU/);
  expect(result.lost).toMatch(/^webgpu: a command failed on the GPU/);
  expect(result.again).toBe("value 4");
});

test("after the WebGL context was lost, a read throws", async () => {
  const { result } = await call(true, "loseContext");
  expect(result.read).toMatch(/^webgl: the context was lost/);
  expect(result.lost).toBe(result.read);
});

test("webgl has the gradients of dilation2d that tfjs lacks there, with the numbers of cpu", async () => {
  const { result: webgl } = await call(true, "dilate", "webgl");
  const { result: cpu } = await call(false, "dilate", "cpu");
  expect(webgl.left).toBe(0);
  for (const [i, values] of cpu.values.entries()) {
    // Each gradient is a count of the windows that chose the element: exact.
    expect(webgl.values[i]).toEqual(values);
  }
});
