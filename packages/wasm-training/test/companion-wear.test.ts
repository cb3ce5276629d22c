import { readdirSync } from "node:fs";
import { enableWasmTraining } from "@gradlab/wasm-training";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  avgPool,
  backend,
  conv2d,
  depthwiseConv2d,
  dispose,
  engine,
  exp,
  greater,
  matMul,
  max,
  maximum,
  maxPool,
  memory,
  type NamedAttrMap,
  reshape,
  setBackend,
  softmax,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor,
  tidy,
  variable,
  where,
  zeros,
} from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allHelpers } from "../src/companion/companion.js";

// The companion module where things change under it: a heap that grows, variables, nothing at all, threads that come and go.

beforeAll(async () => {
  await enableWasmTraining({ threads: 2 });
  await setBackend("wasm");
});
afterAll(async () => {
  await enableWasmTraining({ companion: false });
});

const wave = (shape: number[], phase = 0): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i * (i % 101) + phase)),
    shape,
  );
};

async function numbers(x: Tensor): Promise<number[]> {
  const values = Array.from(await x.data());
  x.dispose();
  return values;
}

test("a heap that grows between and within jobs changes no bit and leaves no tensor", async () => {
  const [a, b] = [wave([130, 200]), wave([200, 70], 1)];
  const [x, filter] = [wave([3, 12, 12, 5]) as Tensor4D, wave([3, 3, 5, 9], 1) as Tensor4D];
  const all = () =>
    tidy(() => {
      const image = maxPool(conv2d(x, filter, 1, "same"), 2, 2, "same");
      return [matMul(a, b), softmax(matMul(a, b)), exp(image), sum(image, [1, 2])];
    });
  const before = memory().numTensors;
  const first = await Promise.all(all().map(numbers));
  const large: Tensor[] = [];
  for (let i = 0; i < 6; i++) {
    // 64 MB each: beyond what the heap begins with.
    large.push(zeros([2 ** 24]));
    expect(await Promise.all(all().map(numbers))).toEqual(first);
  }
  dispose(large);
  expect(await Promise.all(all().map(numbers))).toEqual(first);
  expect(memory().numTensors).toBe(before);
  dispose([a, b, x, filter]);
});

test("a variable that is assigned is read anew, by products and convolutions of every kind", async () => {
  const x = wave([2, 6, 6, 4]) as Tensor4D;
  const rows = wave([5, 16]) as Tensor2D;
  const weights = [wave([16, 3]), wave([3, 3, 4, 2]), wave([3, 3, 4, 1])].map((start) => variable(start));
  const [dense, full, depthwise] = weights as Tensor[] as [Tensor, Tensor, Tensor];
  const outputs = () =>
    tidy(() => [
      matMul(rows, dense as Tensor2D),
      conv2d(x, full as Tensor4D, 1, "same"),
      depthwiseConv2d(x, depthwise as Tensor4D, 1, "same"),
    ]);
  const before = await Promise.all(outputs().map(numbers));
  for (const weight of weights) {
    const twice = tidy(() =>
      tensor(
        Float32Array.from(weight.dataSync(), (w) => 2 * w),
        weight.shape,
      ),
    );
    weight.assign(twice);
    twice.dispose();
  }
  // Twice a number is exact.
  expect(await Promise.all(outputs().map(numbers))).toEqual(before.map((y) => y.map((value) => 2 * value)));
  dispose([x, rows, ...weights]);
});

test("nothing gives nothing, or what nothing sums up to", async () => {
  const [none, filter] = [zeros([0, 4, 4, 2]) as Tensor4D, wave([3, 3, 2, 3]) as Tensor4D];
  expect(conv2d(none, filter, 1, "same").shape).toEqual([0, 4, 4, 3]);
  expect(maxPool(none, 2, 2, "valid").shape).toEqual([0, 2, 2, 2]);
  expect(avgPool(none, 2, 2, "valid").shape).toEqual([0, 2, 2, 2]);
  expect(maximum(none, 1).shape).toEqual([0, 4, 4, 2]);
  expect(softmax(zeros([0, 3])).shape).toEqual([0, 3]);
  expect(await numbers(sum(zeros([2, 0]), 1))).toEqual([0, 0]);
  expect(await numbers(max(zeros([2, 0]), 1))).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect(await numbers(matMul(zeros([2, 0]), zeros([0, 1])))).toEqual([0, 0]);
});

test("NaN, infinities and -0 go where the cpu backend takes them", async () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const x = tensor([nan, -inf, -0, 3, inf], [5]);
  expect(await numbers(maximum(x, 0))).toEqual([nan, 0, 0, 3, inf]);
  expect(await numbers(greater(x, 0))).toEqual([0, 0, 0, 1, 1]);
  expect(await numbers(exp(x))).toEqual([nan, 0, 1, Math.fround(Math.exp(3)), inf]);
  expect(await numbers(where(greater(x, 0), x, zeros([5])))).toEqual([0, 0, 0, 3, inf]);
  expect(await numbers(max(x))).toEqual([nan]);
  const image = tensor([1, nan, -inf, -inf, 2, 3, -inf, -inf], [1, 2, 4, 1]) as Tensor4D;
  expect(await numbers(maxPool(image, 2, 2, "valid"))).toEqual([nan, -inf]);
  expect(await numbers(softmax(tensor([1, nan, -inf, 0], [2, 2])))).toEqual([nan, nan, 0, 1]);
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The slow tests have all of the cycles. */
const CYCLES = process.env.GRADLAB_SLOW === "1" ? 1000 : 20;

/** Threads of this process, where Linux counts them. */
const threadCount = () => (process.platform === "linux" ? readdirSync("/proc/self/task").length : 0);

/** What the process has open, the heap of tfjs, and what it has beside it. */
function footprint() {
  const { wasm } = backend() as BackendWasm;
  return {
    resources: process.getActiveResourcesInfo().filter((kind) => /Worker|MessagePort/.test(kind)),
    heap: (wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8.byteLength,
    tensors: memory().numTensors,
  };
}

test(`threads that are started and stopped ${CYCLES} times all end and leave nothing`, async () => {
  const [a, b] = [wave([200, 300]), wave([300, 200], 1)];
  const first = await numbers(matMul(a, b));
  const { stop } = await enableWasmTraining();
  stop();
  let before: ReturnType<typeof footprint> | undefined;
  let [threadsBefore, resident] = [0, 0];
  for (let i = 0; i < CYCLES; i++) {
    if (i === Math.min(100, CYCLES / 2)) {
      [before, threadsBefore, resident] = [footprint(), threadCount(), process.memoryUsage().rss];
    }
    const { stop, threads } = await enableWasmTraining({ threads: 3 });
    expect(threads).toBe(3);
    expect(await numbers(matMul(a, b))).toEqual(first);
    const workers = allHelpers().flatMap(({ workers }) => workers) as unknown as { threadId: number }[];
    expect(workers).toHaveLength(threads - 1);
    stop();
    expect(allHelpers()).toEqual([]);
    // Not `expect.poll`, with which 70 kB of every cycle stayed.
    const deadline = performance.now() + 10_000;
    while (workers.some(({ threadId }) => threadId !== -1) && performance.now() < deadline) await sleep(2);
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  }
  expect(footprint()).toEqual(before);
  await expect.poll(threadCount, { timeout: 10_000 }).toBeLessThanOrEqual(threadsBefore);
  // In a process without a test around it 1,000 cycles change nothing (110 MB before and after). What a test leaves to be
  // collected came to 20 MB; a process that has just begun grows by that, by itself.
  if (CYCLES >= 1000) expect(process.memoryUsage().rss - resident).toBeLessThan(3 * 2 ** 24);
  dispose([a, b]);
}, 900_000);

/** The slow tests have all of the steps. */
const STEPS = process.env.GRADLAB_SLOW === "1" ? 10_000 : 200;

test(`${STEPS} steps of a training that two threads share leave tensors, heap and process as they are`, async () => {
  (await enableWasmTraining()).stop();
  const { threads } = await enableWasmTraining({ threads: 2 });
  expect(threads).toBe(2);
  const x = wave([24, 12, 12, 3]) as Tensor4D;
  const attrs = { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1] };
  const adam = { ...{ learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, count: 1 }, ...{ scale: 1, maxValue: 1, decay: 0 } }; // biome-ignore format: one line
  const run = (kernel: string, inputs: Record<string, Tensor>, more: object) =>
    engine().runKernel(kernel, inputs, more as NamedAttrMap) as Tensor | Tensor[];
  let state = [wave([3, 3, 3, 16]), zeros([3, 3, 3, 16]), zeros([3, 3, 3, 16])] as Tensor[];
  const step = () => {
    const next = tidy(() => {
      const [value, firstMoment, secondMoment] = state as [Tensor, Tensor, Tensor];
      const y = maxPool(conv2d(x, value as Tensor4D, 1, "same"), 2, 2, "valid");
      // As if the loss were the sum of squares of a product of what was pooled.
      const rows = reshape(y, [24, 6 * 6 * 16]);
      const products = matMul(rows, matMul(rows, rows, true, false));
      const dy = reshape(products, y.shape);
      const wide = run("MaxPoolGrad", { dy, input: conv2d(x, value as Tensor4D, 1, "same"), output: y }, { filterSize: 2, strides: 2, pad: "valid" }) as Tensor; // biome-ignore format: one line
      const gradient = run("Conv2DBackpropFilter", { x, dy: wide }, { ...attrs, filterShape: value.shape });
      return run("GradlabAdam", { value, gradient: gradient as Tensor, firstMoment, secondMoment }, adam) as Tensor[]; // biome-ignore format: one line
    });
    dispose(state);
    state = next;
  };
  for (let i = 0; i < 20; i++) step();
  const helpers = allHelpers()[0]!;
  const [before, threadsBefore, helpedBefore] = [footprint(), threadCount(), helpers.helped()];
  const memoryBefore = process.memoryUsage();
  for (let i = 0; i < STEPS; i++) {
    step();
    // The loop of events turns, as in every training.
    if (i % 50 === 0) await state[0]!.data();
  }
  expect(helpers.helped()).toBeGreaterThan(helpedBefore);
  expect(footprint()).toEqual(before);
  expect(threadCount()).toBeLessThanOrEqual(threadsBefore);
  const { external, arrayBuffers } = process.memoryUsage();
  // A kilobyte that stays with every step would be 10 MB.
  expect(external - memoryBefore.external).toBeLessThan(2 ** 22);
  expect(arrayBuffers - memoryBefore.arrayBuffers).toBeLessThan(2 ** 22);
  expect((await numbers(state[0]!)).every(Number.isFinite)).toBe(true);
  dispose([x, ...state]);
}, 300_000);
