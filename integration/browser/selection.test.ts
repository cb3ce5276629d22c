import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { libraries, tarballOf } from "../packed/packages.js";
import { type BundledPage, bundlePage } from "./bundle-page.js";
import { type OpenedPage, openPage } from "./open-page.js";
import type { Scenarios } from "./selection-page.js";

type Report = Awaited<ReturnType<Scenarios["diagnose"]>>["candidates"][number];

const statuses = (candidates: readonly Report[]) =>
  candidates.map(({ name, status, reason }) => [name, status, reason]);
const reportOf = (candidates: readonly Report[], name: Report["name"]) =>
  candidates.find((candidate) => candidate.name === name)!;

const emulatedGpu = "the GPU is emulated on the CPU (allowSoftwareGpu lets it pass)";
const emulatedAdapter = "the adapter is emulated on the CPU (allowSoftwareGpu lets it pass)";
const noAdapter = "WebGPU finds no adapter: no GPU, or no driver for it";
const inNodeOnly = [
  ["tfjs-node-gpu", "absent", "exists in Node only"],
  ["tfjs-node", "absent", "exists in Node only"],
];

describe("from the sources", () => {
  let bundle: BundledPage;
  const opened: Partial<Record<"gpu" | "none", OpenedPage>> = {};

  beforeAll(async () => {
    bundle = await bundlePage({ file: join(import.meta.dirname, "selection-page.ts") });
    opened.gpu = await openPage(bundle.folder, { gpu: true });
    opened.none = await openPage(bundle.folder, {});
    // Files that come late, so that a candidate hangs.
    await opened.gpu.page.route("**/slow/*.wasm", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      const name = route.request().url().split("/").at(-1)!;
      await route.fulfill({ path: join(bundle.folder, "wasm", name), contentType: "application/wasm" });
    });
  });
  afterAll(async () => {
    await opened.gpu?.close();
    await opened.none?.close();
    bundle?.remove();
  });

  /** Runs a scenario in a fresh page of a browser with or without a GPU; also what stood on its console. */
  async function run<Name extends keyof Scenarios>(
    browser: "gpu" | "none",
    name: Name,
    options: Parameters<Scenarios["diagnose"]>[0] = {},
  ): Promise<Awaited<ReturnType<Scenarios[Name]>> & { readonly messages: readonly string[] }> {
    const { page, messages } = opened[browser]!;
    const start = messages.length;
    await page.reload();
    await page.waitForFunction(() => "scenarios" in globalThis);
    const result = await page.evaluate(
      ([name, options]) =>
        (globalThis as unknown as { scenarios: Record<string, (of: object) => unknown> }).scenarios[name]!(
          options,
        ),
      [name, options] as const,
    );
    return { ...(result as Awaited<ReturnType<Scenarios[Name]>>), messages: messages.slice(start) };
  }

  test("a GPU on the processor is rejected by default, and wasm selected; nothing else stays registered", async () => {
    const { candidates, advice, set, registered, messages } = await run("gpu", "diagnose");
    expect(statuses(candidates)).toEqual([
      ["webgpu", "rejected", emulatedAdapter],
      ["webgl", "rejected", emulatedGpu],
      ["wasm", "selected", null],
      ["cpu", "usable", null],
      ...inNodeOnly,
    ]);
    for (const name of ["webgpu", "webgl"] as const) {
      const device = expect.stringMatching(/swiftshader/i);
      expect(reportOf(candidates, name)).toMatchObject({ software: true, device });
    }
    expect(advice).toEqual([
      "webgpu: turn on hardware acceleration in the browser's settings",
      "webgl: turn on hardware acceleration in the browser's settings",
    ]);
    expect([set, registered, messages]).toEqual(["wasm", ["wasm"], []]);
  });

  test("where software is accepted all four pass, webgpu first, and only it stays", async () => {
    const { candidates, set, registered, messages } = await run("gpu", "diagnose", {
      allowSoftwareGpu: true,
    });
    expect(statuses(candidates)).toEqual([
      ["webgpu", "selected", null],
      ["webgl", "usable", null],
      ["wasm", "usable", null],
      ["cpu", "usable", null],
      ...inNodeOnly,
    ]);
    expect([set, registered, messages]).toEqual(["webgpu", ["webgpu"], []]);
  });

  test("in a browser whose GPU is turned off wasm is selected, and said why not webgpu", async () => {
    const { candidates, set, messages, advice } = await run("none", "diagnose");
    expect(statuses(candidates)).toEqual([
      ["webgpu", "rejected", noAdapter],
      ["webgl", "rejected", emulatedGpu],
      ["wasm", "selected", null],
      ["cpu", "usable", null],
      ...inNodeOnly,
    ]);
    expect(set).toBe("wasm");
    expect(advice).toEqual([
      "webgpu: serve the page over https (or from localhost) to a browser with WebGPU",
      "webgl: turn on hardware acceleration in the browser's settings",
    ]);
    // Chromium's own words.
    expect(messages).toEqual(["warning: No available adapters."]);
  });

  test("without navigator.gpu webgpu is rejected, and webgl comes next", async () => {
    const { candidates, set, advice, messages } = await run("gpu", "diagnoseWithoutWebgpu");
    expect(reportOf(candidates, "webgpu")).toMatchObject({
      status: "rejected",
      reason: "this platform has no WebGPU",
    });
    expect(advice).toEqual([
      "webgpu: serve the page over https (or from localhost) to a browser with WebGPU",
    ]);
    expect([set, messages]).toEqual(["webgl", []]);
  });

  test("without an adapter webgpu is rejected, not taken as it is", async () => {
    const { candidates, set, messages } = await run("gpu", "diagnoseWithoutAdapter");
    expect(reportOf(candidates, "webgpu")).toMatchObject({
      status: "rejected",
      reason: noAdapter,
      device: null,
    });
    expect([set, messages]).toEqual(["webgl", []]);
  });

  test("webgl without float32 textures is rejected, and gone from tfjs", async () => {
    const { candidates, set, registered, messages } = await run("gpu", "diagnoseWithoutFloatTextures");
    expect(candidates[0]).toMatchObject({
      name: "webgl",
      status: "rejected",
      reason: "it renders to textures of 16 bits only, too few to train with",
    });
    expect([set, registered, messages]).toEqual(["webgpu", ["webgpu"], []]);
  });

  test("a browser without WebGL is told without a word on the console", async () => {
    const { candidates, registered, messages } = await run("gpu", "diagnoseWithoutWebgl");
    expect(statuses(candidates)).toEqual([
      ["webgl", "rejected", "this browser gives no WebGL context"],
      ["wasm", "selected", null],
    ]);
    expect([registered, messages]).toEqual([["wasm"], []]);
  });

  test("wrong wasmPaths reject wasm with the reason; other paths need a fresh page, which the reason says", async () => {
    const { wrong, right, messages } = await run("gpu", "correctWasmPaths");
    expect(statuses(wrong.candidates)).toEqual([
      [
        "wasm",
        "rejected",
        expect.stringMatching(/^could not be initialized: Make sure the server can serve the `\.wasm` file/),
      ],
      ["cpu", "selected", null],
    ]);
    expect(wrong.advice).toEqual([
      "wasm: serve the .wasm files of @tensorflow/tfjs-backend-wasm, and say where (wasmPaths)",
    ]);
    expect([wrong.set, wrong.registered]).toEqual(["cpu", ["cpu"]]);
    expect(reportOf(right.candidates, "wasm").reason).toBe(
      "its .wasm files failed to load before; other wasmPaths need a fresh page or process",
    );
    // The browser's own words about the two requests; nothing of emscripten or tfjs.
    expect(new Set(messages)).toEqual(
      new Set(["error: Failed to load resource: the server responded with a status of 404 (Not Found)"]),
    );
  });

  test("files that do not come in time reject wasm, and change nothing when they come later", async () => {
    const { candidates, later, messages } = await run("gpu", "diagnoseWithSlowWasm");
    expect(statuses(candidates)).toEqual([
      ["wasm", "rejected", "gave no answer within 300 ms"],
      ["cpu", "selected", null],
    ]);
    expect(later).toEqual({ set: "cpu", registered: ["cpu"], values: "1,2,3" });
    expect(messages).toEqual([]);
  });

  const reasonOf = (name: string, cause: string) =>
    `${name}: ${cause}; values computed on it are lost, select a backend anew`;
  const broken = (reason: string, own: "webgpu" | "webgl") => ({
    before: "1,2,3",
    kept: reason,
    synchronous: reason,
    computed: reason,
    lost: `gave ${reason}`,
    again: own,
    anew: "1,2,3",
  });

  test("a lost WebGPU device makes every read fail with the reason, and another selection works", async () => {
    const { messages, ...result } = await run("gpu", "loseWebgpuDevice");
    const reason = reasonOf("webgpu", "the device was lost (Device was destroyed.)");
    expect(result).toEqual({ ...broken(reason, "webgpu"), harmed: null, underWay: reason });
    expect(messages).toEqual([]);
  });

  test("an error on the GPU that nobody caught makes every read fail, also of tensors that were right", async () => {
    const { messages, harmed, underWay, ...result } = await run("gpu", "exceedWebgpuLimits");
    expect(harmed).toMatch(
      /^webgpu: a command failed on the GPU \(Buffer size \(\d+\) exceeds the max buffer size limit \(\d+\)\.\); values/,
    );
    // Asked for before the error, it may come before it, and is right then.
    expect(["gave 4,5,6", harmed]).toContain(underWay);
    expect(result).toEqual(broken(String(harmed), "webgpu"));
    // Chromium's own words.
    expect(messages.filter((message) => !message.startsWith("warning: "))).toEqual([]);
  });

  test("a lost WebGL context makes every read fail with the reason, and another selection works", async () => {
    const { messages, polls, ...result } = await run("gpu", "loseWebglContext");
    const reason = reasonOf("webgl", "the context was lost");
    expect(result).toEqual({ ...broken(reason, "webgl"), harmed: null, underWay: reason });
    // tfjs alone asks for ever whether the last read is done.
    expect(polls).toBe(0);
    expect(messages.filter((message) => !message.includes("CONTEXT_LOST_WEBGL"))).toEqual([]);
  });
});

test("without the optional packages a page is bundled all the same, and says what is absent", async () => {
  const consumer = mkdtempSync(join(tmpdir(), "gradlab-bare-"));
  onTestFinished(() => rmSync(consumer, { recursive: true }));
  const needed = ["backend-select", "core", "wasm-training", "random", "safetensors"];
  const files = Object.fromEntries(
    libraries
      .filter(({ manifest }) => needed.includes(manifest.name.slice("@gradlab/".length)))
      .map(({ manifest }) => [manifest.name, `file:${tarballOf(manifest, inject("tarballs"))}`]),
  );
  writeFileSync(
    join(consumer, "package.json"),
    JSON.stringify({ private: true, dependencies: files, overrides: files }),
  );
  execFileSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline", "--loglevel=error"],
    {
      cwd: consumer,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const code = `
    import { doctor } from "@gradlab/backend-select";
    const { candidates, advice } = await doctor({ wasmPaths: "/wasm/", allowSoftwareGpu: true });
    globalThis.diagnosis = { candidates, advice };`;
  const bundle = await bundlePage({ code, consumer });
  onTestFinished(bundle.remove);
  expect(bundle.warnings).toEqual([]);
  expect(Object.keys(bundle.metafile.inputs).join("\n")).not.toMatch(
    /tfjs-backend-web|backend-select\/dist\/node\/|node:|child_process/,
  );
  const { page, messages, close } = await openPage(bundle.folder, { gpu: true });
  onTestFinished(close);
  await page.waitForFunction(() => "diagnosis" in globalThis, null, { timeout: 30_000 });
  const { candidates, advice } = await page.evaluate(
    () => (globalThis as unknown as { diagnosis: { candidates: Report[]; advice: string[] } }).diagnosis,
  );
  const missing = (name: "webgpu" | "webgl") => [
    name,
    "absent",
    `not installed: @tensorflow/tfjs-backend-${name}`,
  ];
  expect(statuses(candidates)).toEqual([
    missing("webgpu"),
    missing("webgl"),
    ["wasm", "selected", null],
    ["cpu", "usable", null],
    ...inNodeOnly,
  ]);
  expect(advice).toEqual([
    "webgpu: npm install @tensorflow/tfjs-backend-webgpu@4.22.0, and bundle again",
    "webgl: npm install @tensorflow/tfjs-backend-webgl@4.22.0, and bundle again",
  ]);
  expect(messages).toEqual([]);
});
