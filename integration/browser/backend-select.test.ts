import type { Selection, SelectOptions } from "@gradlab/backend-select";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type BundledPage, bundlePage } from "./bundle-page.js";
import { openPage } from "./open-page.js";

// A bundled page that selects a backend and trains two steps, from packed packages.
const page = `
import { selectBackend } from "@gradlab/backend-select";
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
globalThis.ready = true;
`;

interface Page {
  selectAndTrain(options: SelectOptions): Omit<Selection, "lost"> & { active: string; losses: number[] };
  dilate(backend: string): { values: number[][]; left: number };
}

let bundle: BundledPage;
beforeAll(async () => {
  bundle = await bundlePage({ code: page, consumer: inject("consumer") });
});
afterAll(() => bundle?.remove());

test("a bundler takes nothing of Node from the packed package, and has nothing to warn of", () => {
  expect(bundle.warnings).toEqual([]);
  expect(Object.keys(bundle.metafile.inputs).join("\n")).not.toMatch(
    /backend-select\/dist\/node\/|node:|child_process/,
  );
});

/** Calls a function of the page, and returns with its result what the console held. */
async function call<K extends keyof Page>(
  gpu: boolean,
  name: K,
  ...args: Parameters<Page[K]>
): Promise<{ result: ReturnType<Page[K]>; messages: readonly string[] }> {
  const { page: opened, messages, close } = await openPage(bundle.folder, { gpu });
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

test("webgl has the gradients of dilation2d that tfjs lacks there, with the numbers of cpu", async () => {
  const { result: webgl } = await call(true, "dilate", "webgl");
  const { result: cpu } = await call(false, "dilate", "cpu");
  expect(webgl.left).toBe(0);
  for (const [i, values] of cpu.values.entries()) {
    // Each gradient is a count of the windows that chose the element: exact.
    expect(webgl.values[i]).toEqual(values);
  }
});
