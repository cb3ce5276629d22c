import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, inject, onTestFinished, test } from "vitest";
import { twoSteps } from "../packed/two-steps.js";
import { openPage } from "./open-page.js";

const consumer = inject("consumer");

const page = `
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { readSafetensors, writeSafetensors } from "@gradlab/safetensors";

${twoSteps}

installGradients();
await enableWasmTraining({ wasmPaths: "/wasm/" });
const cpu = await train("cpu");
const wasm = await train("wasm");
globalThis.result = { cpu, wasm, backend: tf.getBackend(), threads: await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT") };
`;

for (const isolated of [false, true]) {
  test(`in Chromium ${isolated ? "with" : "without"} threads, a bundled page trains two steps on wasm as on cpu`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "gradlab-page-"));
    await build({
      stdin: { contents: page, resolveDir: consumer },
      outfile: join(folder, "page.js"),
      bundle: true,
      format: "esm",
      platform: "browser",
      // Node's modules, which the backend names behind a check of where it runs.
      external: ["fs", "path", "os", "util", "crypto", "worker_threads", "perf_hooks", "string_decoder"],
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
    const { page: opened, messages, close } = await openPage(folder, { isolated });
    onTestFinished(close);
    const result = await opened
      .waitForFunction(() => (globalThis as { result?: unknown }).result, null, { timeout: 60_000 })
      .then((handle) => handle.jsonValue() as Promise<Result>)
      .catch((error: Error) => {
        throw new Error(`${error.message}\n${messages.join("\n")}`);
      });
    expect(result.backend).toBe("wasm");
    // The backend takes its threaded binary only where the page is isolated.
    expect(result.threads).toBe(isolated);
    const [first, , last] = result.cpu;
    expect(last!).toBeLessThan(first!);
    for (const [i, loss] of result.cpu.entries()) {
      expect(Math.abs(result.wasm[i]! - loss) / loss).toBeLessThan(1e-5);
    }
    expect(messages.filter((message) => message.startsWith("error"))).toEqual([]);
  });
}

interface Result {
  readonly cpu: readonly number[];
  readonly wasm: readonly number[];
  /** The backend after training. */
  readonly backend: string;
  readonly threads: boolean;
}
