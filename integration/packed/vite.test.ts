import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { type OpenPageOptions, openPage } from "../browser/open-page.js";
import { twoSteps } from "./two-steps.js";

// A page that Vite builds from the packed packages: binaries and worker inlined, or from files under a strict policy.

const project = join(inject("consumer"), "vite-page");
const folder = join(project, "dist");

const binary = (name: string) => `"${name}": new URL(${name.replace(/\W/g, "_")}, location.href).href`;
const binaries = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);

const page = `
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { readSafetensors, writeSafetensors } from "@gradlab/safetensors";
import workerPath from "@gradlab/wasm-training/worker?url&no-inline";
${binaries.map((name) => `import ${name.replace(/\W/g, "_")} from "@tensorflow/tfjs-backend-wasm/dist/${name}?url&no-inline";`).join("\n")}

${twoSteps}

globalThis.run = async (withFile) => {
  tf.env().set("PROD", true);
  installGradients();
  const deaths = [];
  const { threads, binary, reason } = await enableWasmTraining({
    wasmPaths: { ${binaries.map(binary).join(", ")} },
    threads: 2,
    onWorkerDeath: ({ message }) => deaths.push(message),
    ...(withFile && { workerPath }),
  });
  const cpu = await train("cpu");
  const wasm = await train("wasm");
  // Large enough to be shared among threads; a half times two for each of 500.
  const product = tf.matMul(tf.fill([300, 500], 0.5), tf.fill([500, 200], 2));
  const [least, most] = await Promise.all([tf.min(product).data(), tf.max(product).data()]);
  // What a worker's script says comes later.
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { training: { threads, binary, reason }, cpu, wasm, range: [least[0], most[0]], deaths };
};
`;

interface Result {
  readonly training: { readonly threads: number; readonly binary: string | null; readonly reason: string };
  readonly cpu: readonly number[];
  readonly wasm: readonly number[];
  readonly range: readonly number[];
  readonly deaths: readonly string[];
}

beforeAll(async () => {
  mkdirSync(join(project, "public"), { recursive: true });
  writeFileSync(join(project, "main.js"), page);
  writeFileSync(join(project, "public/icon.svg"), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(
    join(project, "index.html"),
    '<!doctype html><link rel="icon" href="/icon.svg"><script type="module" src="/main.js"></script>',
  );
  await build({
    root: project,
    configFile: false,
    logLevel: "error",
    build: { target: "es2022", reportCompressedSize: false },
  });
});

/** What the page comes to, what it complained of, and how many workers it has in the end. */
async function run(options: OpenPageOptions, withFile = false) {
  const { page: opened, messages, close } = await openPage(folder, options);
  onTestFinished(close);
  await opened.waitForFunction(() => "run" in globalThis, null, { timeout: 30_000 });
  const result = await opened
    .evaluate(
      (file) => (globalThis as unknown as { run(file: boolean): Promise<Result> }).run(file),
      withFile,
    )
    .catch((error: Error) => {
      throw new Error([error.message, ...messages].join("\n"));
    });
  const errors = messages.filter((message) => message.startsWith("error"));
  return { ...result, errors, workers: opened.workers().map((worker) => worker.url()) };
}

function expectNumbers({ cpu, wasm, range }: Result): void {
  expect(cpu.at(-1)!).toBeLessThan(cpu[0]!);
  for (const [i, loss] of cpu.entries()) expect(Math.abs(wasm[i]! - loss) / loss).toBeLessThan(1e-5);
  expect(range).toEqual([500, 500]);
}

/** Scripts and binaries of the page's own server alone; of what runs code, only WebAssembly. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self'; worker-src 'self'"; // biome-ignore format: one line

const alone = {
  threads: 1,
  binary: "relaxed",
  reason: "memory is shared only in a page that is cross-origin isolated (headers COOP and COEP)",
};
const together = { threads: 2, binary: "relaxed", reason: "" };

test("everything inlined: one thread where the page is not isolated, two where it is", async () => {
  const single = await run({});
  expect(single).toMatchObject({ training: alone, errors: [], deaths: [], workers: [] });
  expectNumbers(single);
  const isolated = await run({ isolated: true });
  expect(isolated).toMatchObject({ training: together, errors: [], deaths: [] });
  expect(isolated.workers).toEqual([expect.stringMatching(/^blob:/)]);
  expectNumbers(isolated);
});

test("under a policy without eval, data and blobs: one thread, or two by the worker's file", async () => {
  const single = await run({ policy });
  expect(single).toMatchObject({ training: alone, errors: [], deaths: [], workers: [] });
  expectNumbers(single);
  const isolated = await run({ policy, isolated: true }, true);
  expect(isolated).toMatchObject({ training: together, errors: [], deaths: [] });
  expect(isolated.workers).toEqual([expect.stringMatching(/^http:.*\/worker-[^/]*\.js$/)]);
  expectNumbers(isolated);
});

test("a policy that forbids the worker's blob is told of, and one thread has the same numbers", async () => {
  const forbidden = await run({ policy, isolated: true });
  expect(forbidden.deaths).toEqual([
    expect.stringMatching(/^gradlab wasm-training(, thread 1: its script did not load|: no worker thread)/),
  ]);
  expectNumbers(forbidden);
});
