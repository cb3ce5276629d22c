import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenResults, known, opCases } from "../op-parity/op-cases.js";
import { type BackendName, expected, failuresJson, surprises } from "../op-parity/op-parity.js";
import type { PageResult } from "./op-parity-page.js";
import { openPage } from "./open-page.js";

const folder = mkdtempSync(join(tmpdir(), "gradlab-parity-"));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, "op-parity-page.ts")],
    entryNames: "page",
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    conditions: ["gradlab-source"],
    // Node's modules, which the backends name behind a check of where they run.
    external: ["fs", "path", "os", "util", "crypto", "worker_threads", "perf_hooks", "string_decoder"],
    logLevel: "error",
  });
  const require = createRequire(import.meta.url);
  const binaries = dirname(require.resolve("@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm"));
  mkdirSync(join(folder, "wasm"));
  for (const name of readdirSync(binaries).filter((file) => file.endsWith(".wasm"))) {
    copyFileSync(join(binaries, name), join(folder, "wasm", name));
  }
  writeFileSync(
    join(folder, "index.html"),
    '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
  );
});

interface Tested {
  readonly name: string;
  readonly backend: BackendName;
  /** What must compute: a page that falls back to something else proves nothing. */
  readonly device: RegExp | null;
  readonly threads: number | null;
  readonly isolated?: boolean;
}

const tested: readonly Tested[] = [
  { name: "webgpu", backend: "webgpu", device: /^google swiftshader$/, threads: null },
  { name: "webgl", backend: "webgl", device: /SwiftShader/, threads: null },
  { name: "wasm", backend: "wasm", device: null, threads: 1 },
  { name: "wasm, isolated,", backend: "wasm", device: null, threads: 2, isolated: true },
];

/** Opens the page and lets it run everything on one backend. */
async function run({ backend, isolated = false }: Tested): Promise<PageResult> {
  const { page, messages, close } = await openPage(folder, { gpu: backend !== "wasm", isolated });
  try {
    await page.waitForFunction(() => "runPage" in globalThis, null, { timeout: 30_000 });
    return await page.evaluate(
      (args) => (globalThis as unknown as { runPage(...args: unknown[]): PageResult }).runPage(...args),
      [backend, opCases, goldenResults] as const,
    );
  } catch (error) {
    throw new Error([(error as Error).message, ...messages].join("\n"));
  } finally {
    await close();
  }
}

for (const one of tested) {
  const { name, backend, device, threads } = one;
  describe(name, () => {
    let result: PageResult;

    beforeAll(async () => {
      result = await run(one);
    }, 300_000);

    test(`${name} in Chromium runs on ${device === null ? "the CPU" : "SwiftShader"}`, () => {
      if (device === null) expect(result.device).toBeNull();
      else expect(result.device).toMatch(device);
      expect([result.backend, result.threads]).toEqual([backend, threads]);
    });

    if (backend === "webgl") {
      test("webgl: tfjs alone fails where the list says so, and nowhere else", async () => {
        const outcomes = opCases.map((opCase, i) => [opCase, result.alone[i]!] as const);
        await expect(failuresJson(known, "webgl", outcomes)).toMatchFileSnapshot(
          "../op-parity/alone/webgl.json",
        );
      });
    }

    for (const [i, opCase] of opCases.entries()) {
      test(`${name} in Chromium: ${opCase.name} agrees with float64 (${opCase.op})`, () => {
        const { errors, left, ...outcome } = result.cases[i]!;
        expect(surprises(known, opCase, backend, outcome)).toEqual([]);
        const { is } = expected(known, opCase, backend, "gradient");
        if (is !== "wrong") expect(errors).toEqual([]);
        // What throws halfway leaves behind what it had.
        if (is !== "missing") expect(left).toEqual([0, 0]);
      });
    }

    test(`${name} in Chromium: twenty steps of training have the losses of the cpu backend and leave nothing behind`, () => {
      expect(result.left).toEqual([0, 0]);
      expect(result.expected.at(-1)!).toBeLessThan(0.5 * result.expected[0]!);
      for (const [i, loss] of result.training.entries()) {
        expect(Math.abs(loss - result.expected[i]!) / result.expected[i]!, `step ${i}`).toBeLessThan(1e-4);
      }
    });
  });
}
