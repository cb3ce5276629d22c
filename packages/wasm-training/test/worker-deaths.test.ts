import { createRequire } from "node:module";
import { enableWasmTraining } from "@gradlab/wasm-training";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { backend, matMul, setBackend, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { allHelpers, Companion, companionOf } from "../src/companion/companion.js";
import type { CompanionExports, TfjsModule } from "../src/companion/companion-module.js";
import { compileCompanion } from "../src/companion/compile-companion.js";
import { startHelpers } from "../src/companion/helpers.js";
import { multiply } from "../src/companion/multiply.js";

// Workers that die at any time: one thread goes on with the same bits, and one error names the thread.

const deaths: string[] = [];
const onWorkerDeath = ({ message }: Error) => void deaths.push(message);

let a: Tensor;
let b: Tensor;
let want: number[];

const product = () => matMul(a, b);

async function bits(compute: () => Tensor = product): Promise<number[]> {
  const y = compute();
  const values = await y.data();
  y.dispose();
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

/** A team of so many threads that has begun, but done nothing yet. */
async function begin(threads: number) {
  const training = await enableWasmTraining({ threads, onWorkerDeath });
  expect(training.threads).toBe(threads);
  const companion = companionOf(backend() as BackendWasm)!;
  return { ...training, companion, helpers: allHelpers()[0]! };
}

beforeAll(async () => {
  await enableWasmTraining({ threads: 2, onWorkerDeath });
  await setBackend("wasm");
  const wave = (shape: [number, number], phase: number) => {
    const values = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(1.7 * i + phase));
    return tensor(values, shape);
  };
  [a, b] = [wave([301, 777], 0), wave([777, 205], 1)];
  const { stop } = await begin(2);
  stop();
  want = await bits();
});
afterEach(async () => {
  (await enableWasmTraining()).stop();
  deaths.length = 0;
});
afterAll(async () => {
  a.dispose();
  b.dispose();
  await enableWasmTraining({ companion: false });
});

test("one that dies before its first job", async () => {
  const { helpers, companion } = await begin(3);
  await helpers.workers[0]!.terminate();
  expect(companion.threads).toBe(1);
  expect(await bits()).toEqual(want);
  expect(deaths).toEqual(["gradlab wasm-training, thread 1: it has ended"]);
});

// Ended in the middle of a task, it is waited for as long as ten seconds of a free processor take.
test("one that dies between jobs, and one that is on its way out while a job begins", async () => {
  const { helpers, companion } = await begin(2);
  expect(await bits()).toEqual(want);
  const end = helpers.workers[0]!.terminate();
  // This thread does not know it yet.
  expect(companion.threads).toBe(2);
  expect(await bits()).toEqual(want);
  await end;
  expect(companion.threads).toBe(1);
  expect(await bits()).toEqual(want);
  expect(deaths).toEqual(["gradlab wasm-training, thread 1: it has ended"]);
}, 90_000);

test("two of three, one after the other or at once: the last one is ended too, and there is one error", async () => {
  for (const at of ["once", "turns"]) {
    const { helpers } = await begin(4);
    expect(await bits()).toEqual(want);
    const [first, second, third] = helpers.workers as unknown as { threadId: number; terminate(): Promise<number> }[]; // biome-ignore format: one line
    if (at === "once") await Promise.all([first!.terminate(), second!.terminate()]);
    else {
      await first!.terminate();
      expect(await bits()).toEqual(want);
      await second!.terminate();
    }
    expect(await bits()).toEqual(want);
    await expect.poll(() => third!.threadId, { timeout: 10_000 }).toBe(-1);
    expect(deaths).toEqual([expect.stringMatching(/^gradlab wasm-training, thread [12]: it has ended$/)]);
    deaths.length = 0;
  }
});

test("one that traps in the middle of a task: the job is done again, alone", async () => {
  const { wasm } = backend() as BackendWasm;
  const module = wasm as unknown as TfjsModule;
  const memory = (module.wasmMemory ?? module.asm.memory)!;
  const { module: compiled } = compileCompanion("shared")!;
  const exports = new WebAssembly.Instance(compiled, { env: { memory } }).exports;
  const companionExports = exports as unknown as CompanionExports;
  const helpers = startHelpers({
    ...{ module, memory, compiled, exports: companionExports, threads: 2 },
    onDeath: onWorkerDeath,
    // About a tenth of a second instead of ten.
    patience: 40_000_000n,
  });
  onTestFinished(() => helpers.stop());
  const lost: boolean[] = [];
  // The scratch of thread 1 lies beyond the heap.
  const run = (number: number, at: number, tasks: number, scratch: number) => {
    const done = helpers.run(number, at, tasks, scratch, 2 ** 31);
    lost.push(!done);
    return done;
  };
  const companion = new Companion(module, companionExports, { threads: 2, run });
  const wasmBackend = backend() as BackendWasm;
  const deadline = performance.now() + 10_000;
  while (!lost.includes(true) && performance.now() < deadline) {
    const y = multiply(wasmBackend, companion, a, b);
    const values = wasmBackend.typedArrayFromHeap(y).slice() as Float32Array<ArrayBuffer>;
    wasmBackend.disposeData(y.dataId);
    expect([...new Uint32Array(values.buffer)]).toEqual(want);
    // A worker that has not begun yet takes no task.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(lost.at(-1)).toBe(true);
  expect(deaths).toEqual(["gradlab wasm-training: a worker thread did not end its task"]);
  expect(helpers.threads).toBe(1);
});

type Workers = typeof import("node:worker_threads");
const threadsModule = createRequire(import.meta.url)("node:worker_threads") as { Worker: Workers["Worker"] };

/** Other workers than those of Node, until the test ends. */
function withWorkers(other: unknown): void {
  const { Worker } = threadsModule;
  threadsModule.Worker = other as Workers["Worker"];
  onTestFinished(() => {
    threadsModule.Worker = Worker;
  });
}

test("none that can be started at all", async () => {
  withWorkers(
    class {
      constructor() {
        throw new Error("Resource temporarily unavailable");
      }
    },
  );
  const { companion } = await begin(3);
  expect(companion.threads).toBe(1);
  expect(await bits()).toEqual(want);
  expect(deaths).toEqual([
    "gradlab wasm-training: no worker thread can be started: Resource temporarily unavailable",
  ]);
});

test("one that runs out of memory", async () => {
  const { Worker } = threadsModule;
  withWorkers(
    class extends Worker {
      constructor(_source: string, options: object) {
        const fills = "const all = []; for (;;) all.push(new Array(10000).fill(all.length));";
        super(fills, { ...options, resourceLimits: { maxOldGenerationSizeMb: 8 } });
      }
    },
  );
  await begin(2);
  expect(await bits()).toEqual(want);
  await expect.poll(() => deaths, { timeout: 10_000 }).toHaveLength(1);
  expect(deaths[0]).toMatch(/^gradlab wasm-training, thread 1: .*(memory|heap)/i);
  expect(await bits()).toEqual(want);
});

test("a listener that throws or stops everything harms no job", async () => {
  const errors: unknown[] = [];
  const listen = (error: unknown) => void errors.push(error);
  process.on("uncaughtException", listen);
  const others = process.listeners("uncaughtException").filter((each) => each !== listen);
  for (const each of others) process.off("uncaughtException", each);
  onTestFinished(() => {
    process.off("uncaughtException", listen);
    for (const each of others) process.on("uncaughtException", each);
  });
  let stop = () => {};
  const training = await enableWasmTraining({
    threads: 2,
    onWorkerDeath() {
      stop();
      throw new Error("of the listener");
    },
  });
  stop = training.stop;
  companionOf(backend() as BackendWasm);
  await allHelpers()[0]!.workers[0]!.terminate();
  expect(await bits()).toEqual(want);
  expect(errors).toEqual([new Error("of the listener")]);
  expect(allHelpers()).toEqual([]);
});

test("after a death the next call starts a whole team, and stop ends it, however often", async () => {
  const { helpers } = await begin(2);
  await helpers.workers[0]!.terminate();
  const next = await begin(3);
  expect(next.helpers).not.toBe(helpers);
  expect(next.companion.threads).toBe(3);
  expect(await bits()).toEqual(want);
  next.stop();
  next.stop();
  helpers.stop();
  expect(await bits()).toEqual(want);
  expect(deaths).toHaveLength(1);
});
