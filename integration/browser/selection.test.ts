import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

const swiftShader = /SwiftShader Device/;
const emulated =
  /^ANGLE \(Google, .*SwiftShader.*\) emulates a GPU on the processor \(allowSoftwareGpu accepts it\)$/;
const inNodeOnly = (name: string) => [name, "absent", "it exists in Node only"];

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

  for (const [backend, device] of [
    ["webgpu", /^google swiftshader$/],
    ["webgl", swiftShader],
  ] as const) {
    test(`${backend} on SwiftShader is selected when it is accepted, and trains as cpu does`, async () => {
      const result = await run("gpu", "select", { only: backend, allowSoftwareGpu: true });
      expect(result).toMatchObject({ backend, set: backend, software: true, lost: true, messages: [] });
      expect(result.device).toMatch(device);
      expect(result.trained.left).toBe(0);
      for (const [i, loss] of result.expected.losses.entries()) {
        // Losses of order 1 from 4-term sums: 1e-5 is 80 units in the last place.
        expect(Math.abs(result.trained.losses[i]! - loss)).toBeLessThan(1e-5);
      }
    });
  }

  test("a GPU on the processor is rejected by default, and wasm selected; nothing else stays registered", async () => {
    const { candidates, set, registered, messages } = await run("gpu", "diagnose");
    expect(statuses(candidates)).toEqual([
      inNodeOnly("tfjs-node-gpu"),
      [
        "webgpu",
        "rejected",
        "google swiftshader emulates a GPU on the processor (allowSoftwareGpu accepts it)",
      ],
      inNodeOnly("tfjs-node"),
      ["webgl", "rejected", expect.stringMatching(emulated)],
      ["wasm", "selected", null],
      ["cpu", "usable", null],
    ]);
    expect(reportOf(candidates, "webgl")).toMatchObject({
      software: true,
      device: expect.stringMatching(swiftShader),
    });
    expect([set, registered, messages]).toEqual(["wasm", ["wasm"], []]);
  });

  test("where software is accepted all four pass, webgpu first, and only it stays", async () => {
    const { candidates, set, registered, messages } = await run("gpu", "diagnose", {
      allowSoftwareGpu: true,
    });
    expect(statuses(candidates)).toEqual([
      inNodeOnly("tfjs-node-gpu"),
      ["webgpu", "selected", null],
      inNodeOnly("tfjs-node"),
      ["webgl", "usable", null],
      ["wasm", "usable", null],
      ["cpu", "usable", null],
    ]);
    expect([set, registered, messages]).toEqual(["webgpu", ["webgpu"], []]);
  });

  test("in a browser whose GPU is turned off wasm is selected in under a second, and said why not webgpu", async () => {
    const { candidates, set, milliseconds, messages, advice } = await run("none", "diagnose");
    expect(statuses(candidates)).toEqual([
      inNodeOnly("tfjs-node-gpu"),
      ["webgpu", "rejected", "no GPU adapter was found"],
      inNodeOnly("tfjs-node"),
      ["webgl", "rejected", expect.stringMatching(emulated)],
      ["wasm", "selected", null],
      ["cpu", "usable", null],
    ]);
    expect(set).toBe("wasm");
    expect(milliseconds).toBeLessThan(1000);
    expect(advice).toEqual([
      "webgpu: a browser that may use the GPU (hardware acceleration turned on, its driver up to date)",
      "webgl: a browser that may use the GPU, or accept a software one",
    ]);
    // Chromium's own words.
    expect(messages).toEqual(["warning: No available adapters."]);
    const trained = await run("none", "select");
    expect(trained).toMatchObject({ backend: "wasm", device: null, software: null, lost: false });
    for (const [i, loss] of trained.expected.losses.entries()) {
      expect(Math.abs(trained.trained.losses[i]! - loss)).toBeLessThan(1e-5);
    }
  });

  test("without navigator.gpu webgpu is absent, and webgl comes next", async () => {
    const { candidates, set, advice, messages } = await run("gpu", "diagnoseWithoutWebgpu");
    expect(reportOf(candidates, "webgpu")).toMatchObject({
      status: "absent",
      reason: "the page has no navigator.gpu",
      milliseconds: null,
    });
    expect(advice).toEqual(["webgpu: use a browser with WebGPU, on a page from https or localhost"]);
    expect([set, messages]).toEqual(["webgl", []]);
  });

  test("without an adapter webgpu is rejected, not taken as it is", async () => {
    const { candidates, set, messages } = await run("gpu", "diagnoseWithoutAdapter");
    expect(reportOf(candidates, "webgpu")).toMatchObject({
      status: "rejected",
      reason: "no GPU adapter was found",
      device: null,
    });
    expect([set, messages]).toEqual(["webgl", []]);
  });

  test("webgl without float32 textures is rejected, and gone from tfjs", async () => {
    const { candidates, set, registered, messages } = await run("gpu", "diagnoseWithoutFloatTextures");
    expect(candidates[0]).toMatchObject({
      name: "webgl",
      status: "rejected",
      reason: "it computes with 16 bits, too few for training (no float32 textures to render into)",
      software: true,
    });
    expect([set, registered, messages]).toEqual(["webgpu", ["webgpu"], []]);
  });

  test("a browser without WebGL is told without a word on the console", async () => {
    const { candidates, registered, messages } = await run("gpu", "diagnoseWithoutWebgl");
    expect(statuses(candidates)).toEqual([
      ["webgl", "rejected", "could not be initialized: WebGL is not supported on this device"],
      ["wasm", "selected", null],
    ]);
    expect([registered, messages]).toEqual([["wasm"], []]);
  });

  test("wrong wasmPaths reject wasm with the reason, at once; other paths need a fresh page, which the reason says", async () => {
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
      "wasm: serve the .wasm files of @tensorflow/tfjs-backend-wasm and say where (wasmPaths)",
    ]);
    expect(wrong.milliseconds).toBeLessThan(5000);
    expect([wrong.set, wrong.registered]).toEqual(["cpu", ["cpu"]]);
    expect(reportOf(right.candidates, "wasm").reason).toBe(
      "its .wasm files could not be loaded before; other wasmPaths need a fresh page or process",
    );
    // The browser's own words about the two requests; nothing of emscripten or tfjs.
    expect(new Set(messages)).toEqual(
      new Set(["error: Failed to load resource: the server responded with a status of 404 (Not Found)"]),
    );
  });

  test("files that do not come in time reject wasm, and change nothing when they come later", async () => {
    const { candidates, milliseconds, later, messages } = await run("gpu", "diagnoseWithSlowWasm");
    expect(statuses(candidates)).toEqual([
      ["wasm", "rejected", "gave no answer within 300 ms"],
      ["cpu", "selected", null],
    ]);
    expect(milliseconds).toBeLessThan(700);
    expect(later).toEqual({ set: "cpu", registered: ["cpu"], values: "1,2,3" });
    expect(messages).toEqual([]);
  });

  const broken = (reason: string, own: "webgpu" | "webgl") => ({
    before: "1,2,3",
    underWay: reason,
    kept: reason,
    synchronous: reason,
    computed: reason,
    lost: `gave ${reason}`,
    again: own,
    anew: "1,2,3",
  });

  test("a lost WebGPU device makes every read fail with the reason, and another selection works", async () => {
    const { messages, ...result } = await run("gpu", "loseWebgpuDevice");
    const reason =
      "webgpu: the device was lost (destroyed: Device was destroyed.); select a backend again and go on from a checkpoint";
    expect(result).toEqual(broken(reason, "webgpu"));
    expect(messages).toEqual([]);
  });

  test("an error on the GPU that nobody caught makes every read fail, also of tensors that were right", async () => {
    const { messages, ...result } = await run("gpu", "exceedWebgpuLimits");
    const reason =
      /^webgpu: an error on the GPU, results since then may be wrong \(Buffer size \(\d+\) exceeds the max buffer size limit \(\d+\)\.\); select/;
    expect(result.kept).toMatch(reason);
    expect(result).toEqual(broken(result.kept, "webgpu"));
    // Chromium's own words.
    expect(messages.filter((message) => !message.startsWith("warning: "))).toEqual([]);
  });

  test("a lost WebGL context makes every read fail with the reason, and another selection works", async () => {
    const { messages, polls, ...result } = await run("gpu", "loseWebglContext");
    const reason = "webgl: the context was lost; select a backend again and go on from a checkpoint";
    expect(result).toEqual(broken(reason, "webgl"));
    // tfjs alone asks for ever whether the last read is done.
    expect(polls).toBe(0);
    expect(messages.filter((message) => !message.includes("CONTEXT_LOST_WEBGL"))).toEqual([]);
  });
});

const folderOf = (name: string) =>
  libraries.find(({ manifest }) => manifest.name === `@gradlab/${name}`)!.folder;

/** Opens a bundled page and waits until it said something. */
async function textOf(bundle: BundledPage, gpu: boolean, pattern: RegExp) {
  const { page, messages, close } = await openPage(bundle.folder, { gpu });
  onTestFinished(close);
  const text = await page
    .waitForFunction(
      (source) => new RegExp(source).test(document.body.textContent ?? "") && document.body.textContent,
      pattern.source,
      { timeout: 30_000 },
    )
    .then((handle) => handle.jsonValue() as Promise<string>)
    .catch((error: Error) => {
      throw new Error([error.message, ...messages].join("\n"));
    });
  return { text, messages };
}

describe("as users get it", () => {
  const inputsOf = ({ metafile }: BundledPage) => Object.keys(metafile.inputs).join("\n");

  test.each([
    ["with a GPU in software that is accepted", true, true, "webgpu"],
    ["with a GPU in software", true, false, "wasm"],
    ["without a GPU", false, false, "wasm"],
  ] as const)("%s the page of the README trains two steps", async (_, gpu, accepted, backend) => {
    const example = readFileSync(join(folderOf("backend-select"), "examples/page.ts"), "utf8");
    expect(example.trimEnd().split("\n").length).toBeLessThanOrEqual(12);
    const code = accepted ? example.replace("{ wasmPaths", "{ allowSoftwareGpu: true, wasmPaths") : example;
    const bundle = await bundlePage({ code, consumer: inject("consumer") });
    onTestFinished(bundle.remove);
    expect(bundle.warnings).toEqual([]);
    expect(inputsOf(bundle)).not.toMatch(/backend-select\/dist\/node\/|node:|child_process/);
    const { text, messages } = await textOf(bundle, gpu, /step 2: /);
    const [, selected, first, second] =
      /^Training on (\w+)\. Loss of step 1: (\S+)\. Loss of step 2: (\S+)\.\s*$/.exec(text)!;
    expect(selected).toBe(backend);
    // Equal logits at first, so the loss is ln 2; it was printed with six digits.
    expect(Math.abs(Number(first) - Math.LN2)).toBeLessThan(2e-6);
    expect(Number(second)).toBeLessThan(Math.LN2);
    expect(messages.filter((message) => message !== "warning: No available adapters.")).toEqual([]);
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
      document.body.append(JSON.stringify({ candidates, advice }));`;
    const bundle = await bundlePage({ code, consumer });
    onTestFinished(bundle.remove);
    expect(bundle.warnings).toEqual([]);
    expect(inputsOf(bundle)).not.toMatch(/tfjs-backend-web|backend-select\/dist\/node\/|node:|child_process/);
    const { text, messages } = await textOf(bundle, true, /\}$/);
    const { candidates, advice } = JSON.parse(text) as { candidates: Report[]; advice: string[] };
    const missing = (name: "webgpu" | "webgl") => [
      name,
      "absent",
      expect.stringContaining(`@tensorflow/tfjs-backend-${name} is not part of this page`),
    ];
    expect(statuses(candidates)).toEqual([
      inNodeOnly("tfjs-node-gpu"),
      missing("webgpu"),
      inNodeOnly("tfjs-node"),
      missing("webgl"),
      ["wasm", "selected", null],
      ["cpu", "usable", null],
    ]);
    expect(advice).toEqual([
      "webgpu: add @tensorflow/tfjs-backend-webgpu@4.22.0 to the page",
      "webgl: add @tensorflow/tfjs-backend-webgl@4.22.0 to the page",
    ]);
    expect(messages).toEqual([]);
  });
});
