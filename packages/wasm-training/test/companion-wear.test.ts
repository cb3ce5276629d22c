import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  avgPool,
  conv2d,
  depthwiseConv2d,
  dispose,
  exp,
  greater,
  matMul,
  max,
  maximum,
  maxPool,
  memory,
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

test("threads that are started and stopped again and again all end", async () => {
  const [a, b] = [wave([200, 300]), wave([300, 200], 1)];
  const first = await numbers(matMul(a, b));
  for (let i = 0; i < 20; i++) {
    const { stop, threads } = await enableWasmTraining({ threads: 3 });
    expect(threads).toBe(i === 0 ? 2 : 3);
    expect(await numbers(matMul(a, b))).toEqual(first);
    const workers = allHelpers().flatMap(({ workers }) => workers) as unknown as { threadId: number }[];
    expect(workers).toHaveLength(threads - 1);
    stop();
    expect(allHelpers()).toEqual([]);
    await expect.poll(() => workers.every(({ threadId }) => threadId === -1), { timeout: 10_000 }).toBe(true);
  }
  dispose([a, b]);
});
