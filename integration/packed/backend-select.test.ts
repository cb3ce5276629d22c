import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, inject, test } from "vitest";

// backend-select as users get it: packed and installed, nothing of the workspace within reach.
const consumer = inject("consumer");
const workspace = join(import.meta.dirname, "../..");
const swiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json";

function node(folder: string, script: string, environment: Record<string, string> = {}) {
  const file = join(folder, "select.mjs");
  writeFileSync(file, script);
  // pnpm's NODE_PATH would lend what the project has not installed.
  const { NODE_PATH: _, ...inherited } = process.env;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [file], {
    cwd: folder,
    encoding: "utf8",
    env: { ...inherited, ...environment },
    timeout: 120_000,
  });
  const ended = Date.now();
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  const { finished, ...result } = JSON.parse(stdout);
  // It ends by itself: no timer and no device keeps it alive.
  expect(ended - finished).toBeLessThan(10_000);
  return result;
}

const program = (options: object) => `
import { selectBackend } from "@gradlab/backend-select";
import * as tf from "@tensorflow/tfjs-core";
const registered = Object.keys(tf.engine().registryFactory);
const { backend, device, software, candidates } = await selectBackend(${JSON.stringify(options)});
const w = tf.variable(tf.tensor2d([0.5, -0.5], [2, 1]));
const [x, y] = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([1, 2], [2, 1])];
const optimizer = tf.train.adam(0.1);
const losses = [];
for (let step = 0; step < 2; step++) {
  const loss = optimizer.minimize(() => tf.mean(tf.square(tf.sub(tf.matMul(x, w), y))), true);
  losses.push((await loss.data())[0]);
}
const active = tf.getBackend();
console.log(JSON.stringify({ registered, backend, active, device, software, candidates, losses, finished: Date.now() }));`;

/** A project with some of the consumer's packages. */
function projectWithout(...names: readonly string[]): string {
  const folder = mkdtempSync(join(consumer, "..", "project-"));
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@tensorflow"), { recursive: true });
  const from = join(consumer, "node_modules");
  for (const name of readdirSync(from)) {
    if (name !== "@tensorflow" && !names.includes(name)) symlinkSync(join(from, name), join(modules, name));
  }
  for (const name of readdirSync(join(from, "@tensorflow"))) {
    if (names.includes(`@tensorflow/${name}`)) continue;
    symlinkSync(join(from, "@tensorflow", name), join(modules, "@tensorflow", name));
  }
  return folder;
}

test("in plain Node, nothing is registered on import, wasm is selected and trains, and nothing is printed", () => {
  const result = node(consumer, program({}));
  expect(result).toMatchObject({ registered: [], backend: "wasm", active: "wasm", software: null });
  expect(result.losses[1]).toBeLessThan(result.losses[0]);
  expect(result.candidates.map(({ name, status }: Record<string, string>) => `${name} ${status}`)).toEqual([
    "tfjs-node-gpu absent",
    "webgpu absent",
    "tfjs-node absent",
    "wasm selected",
    "cpu untried",
    "webgl untried",
  ]);
  expect(result.candidates[1].reason).toBe("not installed: webgpu");
});

test("in plain Node, WebGPU through Dawn trains, prints nothing, and the process ends by itself", () => {
  // A missing driver is a failure here: Debian's chromium brings it.
  expect(existsSync(swiftShader), swiftShader).toBe(true);
  // Dawn is large: it is lent from the workspace, through a folder that is looked at first.
  const dawn = createRequire(join(workspace, "packages/backend-select/x.js")).resolve("webgpu");
  const resolveFrom = mkdtempSync(join(consumer, "..", "dawn-"));
  mkdirSync(join(resolveFrom, "node_modules"));
  symlinkSync(dirname(dawn), join(resolveFrom, "node_modules/webgpu"), "dir");
  const result = node(consumer, program({ only: "webgpu", allowSoftwareGpu: true, resolveFrom }), {
    VK_ICD_FILENAMES: swiftShader,
  });
  expect(result).toMatchObject({ backend: "webgpu", active: "webgpu", software: true });
  expect(result.device).toContain("SwiftShader");
  // Losses of the first two steps of Adam from the same start, as on cpu.
  const cpu = node(consumer, program({ only: "cpu" }));
  for (const [i, loss] of (cpu.losses as number[]).entries()) {
    expect(Math.abs(result.losses[i] - loss) / loss).toBeLessThan(1e-4);
  }
});

async function bundle(folder: string) {
  const result = await build({
    stdin: { contents: program({ wasmPaths: "/wasm/" }), resolveDir: folder },
    bundle: true,
    minify: true,
    metafile: true,
    format: "esm",
    platform: "browser",
    preserveSymlinks: true,
    write: false,
    logLevel: "silent",
  });
  expect(result.warnings).toEqual([]);
  const inputs = Object.keys(result.metafile.inputs);
  const has = (part: string) => inputs.some((file) => file.includes(part));
  return { has, size: gzipSync(result.outputFiles[0]!.contents).length / 1000 };
}

test("a bundle for browsers takes the backends that are installed, and nothing of Node", async () => {
  const all = await bundle(consumer);
  for (const name of ["webgpu", "webgl", "wasm", "cpu"]) {
    expect(all.has(`node_modules/@tensorflow/tfjs-backend-${name}/`), name).toBe(true);
  }
  expect(all.has("backend-select/dist/browser/")).toBe(true);
  expect(all.has("backend-select/dist/node/")).toBe(false);
  const few = await bundle(
    projectWithout("@tensorflow/tfjs-backend-webgpu", "@tensorflow/tfjs-backend-webgl"),
  );
  expect(few.has("tfjs-backend-webgpu")).toBe(false);
  expect(few.has("tfjs-backend-webgl")).toBe(false);
  expect(few.has("node_modules/@tensorflow/tfjs-backend-wasm/")).toBe(true);
  // With tfjs-core, its gradients, wasm and cpu.
  expect(few.size).toBeLessThan(250);
  expect(all.size - few.size).toBeGreaterThan(50);
});
