import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  type Conv3DBackpropInputV2Attrs,
  conv2d,
  conv3d,
  engine,
  fused,
  matMul,
  memory,
  type NamedAttrMap,
  setBackend,
  slice,
  type Tensor,
  type Tensor4D,
  type Tensor5D,
  tensor,
} from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allHelpers } from "../src/companion/companion.js";

// The companion module beside the composition of stock kernels, which integration/geometry holds against float64.

const THREADS = 3;
const deaths: Error[] = [];
const onWorkerDeath = (error: Error) => void deaths.push(error);

beforeAll(async () => {
  await enableWasmTraining({ companion: true, threads: THREADS, onWorkerDeath });
  await setBackend("wasm");
});

const wave = (shape: number[], phase = 0): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i * (i % 101) + 0.3 * i + phase)),
    shape,
  );
};

const run = (kernel: string, inputs: Record<string, Tensor>, attrs: object) =>
  engine().runKernel(kernel, inputs, attrs as NamedAttrMap) as Tensor;

/** The largest difference of the companion to the composition, in units of the largest value. */
async function deviation(compute: () => Tensor): Promise<number> {
  await enableWasmTraining({ companion: true, threads: THREADS, onWorkerDeath });
  const x = compute();
  const got = Float32Array.from(await x.data());
  await enableWasmTraining({ companion: false });
  const y = compute();
  const want = Float32Array.from(await y.data());
  expect(x.shape).toEqual(y.shape);
  x.dispose();
  y.dispose();
  const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
  // A NaN is an infinite error.
  const off = (value: number, i: number) =>
    Number.isFinite(value) ? Math.abs(value - want[i]!) : Number.POSITIVE_INFINITY;
  return got.reduce((most, value, i) => Math.max(most, off(value, i)), 0) / scale;
}

/** Both sum up to 2,000 products in float32, in blocks of another order: √2,000 roundings each, and a half. */
const TOLERANCE = 4e-6;

async function bits(compute: () => Tensor): Promise<number[]> {
  const y = compute();
  const values = await y.data();
  y.dispose();
  return [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
}

test("products of any shape, transposed and broadcast, are those of the composition", async () => {
  const inner = fc.oneof(fc.nat(40), fc.integer({ min: 500, max: 1100 }));
  const batches = fc.constantFrom(
    [[], []],
    [[3], [1]],
    [[1], [2]],
    [
      [2, 1],
      [1, 3],
    ],
    [[2], [2]],
  );
  await fc.assert(
    fc.asyncProperty(
      fc.nat(40),
      fc.nat(40),
      inner,
      fc.boolean(),
      fc.boolean(),
      batches,
      async (m, n, k, turnA, turnB, [p, q]) => {
        const before = memory().numTensors;
        const a = wave([...p!, ...(turnA ? [k, m] : [m, k])]);
        const b = wave([...q!, ...(turnB ? [n, k] : [k, n])], 1);
        expect(await deviation(() => matMul(a, b, turnA, turnB))).toBeLessThan(TOLERANCE);
        a.dispose();
        b.dispose();
        expect(memory().numTensors).toBe(before);
      },
    ),
    { numRuns: 100 },
  );
});

test("convolutions of any shape and both gradients are those of the composition", async () => {
  const size = fc.integer({ min: 1, max: 9 });
  const channels = fc.integer({ min: 1, max: 17 });
  const step = fc.integer({ min: 1, max: 3 });
  const tap = fc.integer({ min: 1, max: 4 });
  const margin = fc.nat(2);
  const shape = { batch: step, h: size, w: size, c: channels, o: channels, kh: tap, kw: tap };
  const walk = { sy: step, sx: step, top: margin, bottom: margin, left: margin, right: margin };
  await fc.assert(
    fc.asyncProperty(fc.record({ ...shape, ...walk }), async ({ batch, h, w, c, o, kh, kw, ...rest }) => {
      const { sy, sx, top, bottom, left, right } = rest;
      fc.pre(h + top + bottom >= kh && w + left + right >= kw);
      const [x, filter] = [wave([batch, h, w, c]) as Tensor4D, wave([kh, kw, c, o], 1) as Tensor4D];
      const pad = [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ] as [[number, number], [number, number], [number, number], [number, number]];
      expect(await deviation(() => conv2d(x, filter, [sy, sx], pad))).toBeLessThan(TOLERANCE);
      const y = conv2d(x, filter, [sy, sx], pad);
      const dy = wave(y.shape, 2);
      const attrs = { strides: [sy, sx], pad, dataFormat: "NHWC" };
      const filterShape = filter.shape;
      const dw = () => run("Conv2DBackpropFilter", { x, dy }, { ...attrs, filterShape });
      const dx = () => run("Conv2DBackpropInput", { dy, filter }, { ...attrs, inputShape: x.shape });
      expect(await deviation(dw)).toBeLessThan(TOLERANCE);
      expect(await deviation(dx)).toBeLessThan(TOLERANCE);
      for (const each of [x, filter, y, dy]) each.dispose();
    }),
    { numRuns: 150 },
  );
});

// Sums over more pixels than a block has, cut into parts; 16 channels and more, fewer, and fewer than 4 go different ways.
test.each([
  [1, 6, 5, 1, 1],
  [2, 9, 3, 2, 1],
  [3, 70, 7, 2, 1],
  [3, 5, 3, 1, 2],
  [5, 8, 5, 1, 1],
  [6, 16, 5, 1, 1],
  [15, 65, 3, 2, 1],
  [16, 8, 3, 1, 2],
  [17, 66, 3, 1, 1],
  [33, 3, 1, 2, 1],
])(
  "%d to %d channels, %d taps, stride %d, dilation %d: large convolutions and both gradients are those of the composition",
  async (channels, outs, taps, stride, dilation) => {
    const [x, filter] = [
      wave([3, 31, 27, channels]) as Tensor4D,
      wave([taps, taps, channels, outs], 1) as Tensor4D,
    ];
    for (const pad of ["same", "valid"] as const) {
      const forward = () => conv2d(x, filter, stride, pad, "NHWC", dilation);
      expect(await deviation(forward)).toBeLessThan(TOLERANCE);
      const y = forward();
      const dy = wave(y.shape, 2);
      const attrs = { strides: stride, pad, dataFormat: "NHWC", dilations: dilation };
      const filterShape = filter.shape;
      const dw = () => run("Conv2DBackpropFilter", { x, dy }, { ...attrs, filterShape });
      const dx = () => run("Conv2DBackpropInput", { dy, filter }, { ...attrs, inputShape: x.shape });
      if (dilation === 1) expect(await deviation(dw)).toBeLessThan(TOLERANCE);
      if (dilation === 1) expect(await deviation(dx)).toBeLessThan(TOLERANCE);
      for (const each of [y, dy]) each.dispose();
    }
    for (const each of [x, filter]) each.dispose();
  },
);

test("dilated and three-dimensional convolutions are those of the composition", async () => {
  const [x, filter] = [wave([2, 9, 8, 5]) as Tensor4D, wave([3, 2, 5, 7], 1) as Tensor4D];
  expect(await deviation(() => conv2d(x, filter, 1, "same", "NHWC", [2, 3]))).toBeLessThan(TOLERANCE);
  const [volume, taps] = [wave([2, 5, 6, 7, 3]) as Tensor5D, wave([2, 3, 2, 3, 9], 1) as Tensor5D];
  expect(await deviation(() => conv3d(volume, taps, [2, 1, 2], "same"))).toBeLessThan(TOLERANCE);
  const dy = wave([2, 3, 6, 4, 9], 2);
  const attrs = { strides: [2, 1, 2], pad: "same", inputShape: volume.shape };
  const dx = () =>
    run("Conv3DBackpropInputV2", { dy, filter: taps }, attrs as unknown as Conv3DBackpropInputV2Attrs);
  expect(await deviation(dx)).toBeLessThan(TOLERANCE);
  for (const each of [x, filter, volume, taps, dy]) each.dispose();
});

test("bias and activation are fused, and NaN stays NaN", async () => {
  await enableWasmTraining({ companion: true, threads: THREADS, onWorkerDeath });
  const [a, b, bias] = [
    tensor([1, -2, Number.NaN, 4], [2, 2]),
    tensor([1, 0, 0, 10], [2, 2]),
    tensor([0.5, 1]),
  ];
  const relu6 = fused.matMul({ a: a as never, b: b as never, bias, activation: "relu6" });
  // Rows 1·1, −2·10 and NaN·1 + 4·0, NaN·0 + 4·10.
  expect([...(await relu6.data())]).toEqual([1.5, 0, Number.NaN, Number.NaN]);
  for (const each of [a, b, bias, relu6]) each.dispose();
});

const products: readonly (() => { readonly inputs: Tensor[]; compute(): Tensor })[] = [
  () => {
    const [a, b] = [wave([301, 777]), wave([777, 205], 1)];
    return { inputs: [a, b], compute: () => matMul(a, b) };
  },
  () => {
    const [x, filter] = [wave([4, 20, 20, 16]) as Tensor4D, wave([3, 3, 16, 24], 1) as Tensor4D];
    return { inputs: [x, filter], compute: () => conv2d(x, filter, 1, "same") };
  },
  () => {
    const [x, dy] = [wave([4, 20, 20, 16]), wave([4, 20, 20, 24], 1)];
    const attrs = { strides: [1, 1], pad: "same", dataFormat: "NHWC", filterShape: [3, 3, 16, 24] };
    return { inputs: [x, dy], compute: () => run("Conv2DBackpropFilter", { x, dy }, attrs) };
  },
];

test("a sample has the same bits alone and in any batch", async () => {
  await enableWasmTraining({ companion: true, threads: THREADS, onWorkerDeath });
  const [a, w] = [wave([70, 600]), wave([600, 50], 1)];
  const all = await bits(() => matMul(a, w));
  for (const row of [0, 37, 69]) {
    const one = await bits(() => matMul(slice(a, [row, 0], [1, 600]), w));
    expect(one).toEqual(all.slice(row * 50, (row + 1) * 50));
  }
  const [x, filter] = [wave([5, 13, 11, 3]) as Tensor4D, wave([3, 3, 3, 10], 1) as Tensor4D];
  const images = await bits(() => conv2d(x, filter, 2, "same"));
  const size = images.length / 5;
  const third = await bits(() => conv2d(slice(x, [2, 0, 0, 0], [1, 13, 11, 3]), filter, 2, "same"));
  expect(third).toEqual(images.slice(2 * size, 3 * size));
  for (const each of [a, w, x, filter]) each.dispose();
});

test("worker threads do tasks and change no bit; after a death, and after stop, one thread goes on", async () => {
  const { threads, stop } = await enableWasmTraining({ companion: true, threads: 9, onWorkerDeath });
  // Those that run already.
  expect(threads).toBe(THREADS);
  const cases = products.map((make) => make());
  const [helpers] = allHelpers();
  const deadline = performance.now() + 10_000;
  while (helpers!.helped() === 0 && performance.now() < deadline) {
    for (const { compute } of cases) compute().dispose();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(helpers!.helped()).toBeGreaterThan(0);
  const together: number[][] = [];
  for (const { compute } of cases) together.push(await bits(compute));
  expect(deaths).toEqual([]);
  await helpers!.workers[1]!.terminate();
  for (const [i, { compute }] of cases.entries()) expect(await bits(compute)).toEqual(together[i]);
  expect(deaths.map(({ message }) => message)).toEqual(["gradlab wasm-training, thread 2: it has ended"]);
  stop();
  for (const [i, { inputs, compute }] of cases.entries()) {
    expect(await bits(compute)).toEqual(together[i]);
    for (const input of inputs) input.dispose();
  }
  expect(allHelpers()).toEqual([]);
});

test("threads that are no number from 1 are refused", async () => {
  await expect(enableWasmTraining({ threads: 0 })).rejects.toThrow(
    new RangeError("enableWasmTraining: threads: expected an integer of at least 1, got 0"),
  );
});

afterAll(async () => {
  await enableWasmTraining({ companion: false });
});
