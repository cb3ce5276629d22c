import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, inject, test } from "vitest";
import { openPage } from "./open-page.js";

const consumer = inject("consumer");

const page = `
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";

async function train(backend) {
  await tf.setBackend(backend);
  const start = tf.tensor4d(Array.from({ length: 18 }, (_, i) => Math.sin(i)), [3, 3, 1, 2]);
  const filter = tf.variable(start, true, "filter-" + backend);
  const x = tf.tensor4d(Array.from({ length: 72 }, (_, i) => -1 - Math.cos(i)), [2, 6, 6, 1]);
  const rows = tf.tensor1d([1, 0, 1], "int32");
  const loss = () => {
    const y = tf.maxPool(tf.conv2d(x, filter, 1, "same"), 2, 2, "valid");
    return tf.mean(tf.square(tf.gather(tf.where(tf.greater(y, 0), y, tf.mul(y, 2)), rows)));
  };
  const optimizer = tf.train.adam(0.1);
  const losses = [];
  for (let i = 0; i < 2; i++) losses.push((await optimizer.minimize(loss, true, [filter]).data())[0]);
  losses.push((await loss().data())[0]);
  return { backend: tf.getBackend(), losses };
}

installGradients();
await enableWasmTraining({ wasmPaths: "/wasm/" });
const cpu = await train("cpu");
const wasm = await train("wasm");
globalThis.result = { cpu, wasm, threads: await tf.env().getAsync("WASM_HAS_MULTITHREAD_SUPPORT") };
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
    const { page: opened, messages } = await openPage(folder, { isolated });
    const result = await opened
      .waitForFunction(() => (globalThis as { result?: unknown }).result, null, { timeout: 60_000 })
      .then((handle) => handle.jsonValue() as Promise<{ cpu: Run; wasm: Run; threads: boolean }>)
      .catch((error: Error) => {
        throw new Error(`${error.message}\n${messages.join("\n")}`);
      });
    expect(result.wasm.backend).toBe("wasm");
    expect(result.cpu.backend).toBe("cpu");
    // The backend takes its threaded binary only where the page is isolated.
    expect(result.threads).toBe(isolated);
    const [first, , last] = result.cpu.losses;
    expect(last!).toBeLessThan(first!);
    for (const [i, loss] of result.cpu.losses.entries()) {
      expect(Math.abs(result.wasm.losses[i]! - loss) / loss).toBeLessThan(1e-5);
    }
    expect(messages.filter((message) => message.startsWith("error"))).toEqual([]);
  });
}

interface Run {
  readonly backend: string;
  readonly losses: readonly number[];
}
