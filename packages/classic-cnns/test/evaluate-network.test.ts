import { disposeParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { eye, memory, type Rank, tensor1d, tensor2d, tensor4d, zeros } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import {
  applyNetwork,
  applyNetworkTraining,
  evaluateNetwork,
  type ImageBatch,
  type ImageTensors,
  inspectNetwork,
  type NetworkState,
  networkClassifier,
  predict,
  startNetworkTraining,
} from "../src/index.js";
import { expectNoLeak, stateless, useBackend } from "./tensors.js";

beforeAll(() => useBackend("cpu"));

/** Images of 1 x 3 pixels are their own logits. */
const graph: LayerGraph = {
  input: { shape: [1, 3], channels: 1 },
  layers: [
    { name: "flatten", op: "flatten" },
    { name: "fc", op: "dense", units: 3, bias: false },
  ],
};
const identity = (): NetworkState => ({ params: { fc: { kernel: eye(3) } }, statistics: {} });

const batchOf = (logits: number[][], labels: number[]): ImageTensors => ({
  images: tensor4d(logits.flat(), [logits.length, 1, 3, 1]),
  labels: tensor1d(labels, "int32"),
});

test("counts, confusion, accuracy by class, and the loss of logits far beyond the range of exp", async () => {
  await expectNoLeak(async () => {
    const batches = [
      batchOf([[2, 1, 0], [0, 5, 5], [900, 0, -900]], [0, 2, 1]),
      batchOf([[0, 0, 1]], [2]),
    ]; // biome-ignore format: rows
    const state = identity();
    const result = await evaluateNetwork(graph, state, { batch: (index) => batches[index] ?? null });
    const e = Math.exp;
    const losses = [
      Math.log(e(2) + e(1) + 1) - 2,
      Math.log(1 + 2 * e(5)) - 5,
      900, // log(e⁹⁰⁰ + 1 + e⁻⁹⁰⁰) − 0
      Math.log(2 + e(1)) - 1,
    ];
    expect(result.count).toBe(4);
    expect(result.loss).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 4, 10);
    expect(result.accuracy).toBe(0.5); // of two equal logits the first one counts
    expect(result.confusion).toEqual([[1, 0, 0], [1, 0, 0], [0, 1, 1]]); // biome-ignore format: rows
    expect(result.perClass).toEqual([1, 0, 0.5]);
    const few = await evaluateNetwork(graph, state, {
      batch: async (index) => (index === 0 ? batchOf([[1, 0, 0]], [0]) : null),
    });
    expect(few.perClass).toEqual([1, null, null]);
    disposeParams(state);
  });
});

test("labels and batches that cannot be evaluated are refused, and disposed", async () => {
  const state = identity();
  const before = memory().numTensors;
  const evaluate = (batch: ImageTensors | null) =>
    evaluateNetwork(graph, state, { batch: (index) => (index === 0 ? batch : null) });
  await expect(evaluate(batchOf([[1, 2, 3]], [3]))).rejects.toThrow(
    "evaluateNetwork: labels: expected integers in [0, 3), got 3 (batch 0, image 0)",
  );
  await expect(evaluate(batchOf([[1, 2, 3]], [-1]))).rejects.toThrow("got -1 (batch 0, image 0)");
  await expect(evaluate(batchOf([[1, 2, 3]], [0, 1]))).rejects.toThrow(
    "evaluateNetwork: labels: expected [1], got [2]",
  );
  await expect(evaluate(floatLabels())).rejects.toThrow(
    "evaluateNetwork: labels: expected int32, got float32",
  );
  await expect(evaluate(null)).rejects.toThrow(
    "evaluateNetwork: batch: expected at least one image, got none",
  );
  // @ts-expect-error no batches
  await expect(evaluateNetwork(graph, state, {})).rejects.toThrow(
    "evaluateNetwork: batch: expected a function, got undefined",
  );
  const rgb = { images: zeros<Rank.R4>([1, 1, 3, 3]), labels: tensor1d([0], "int32") };
  await expect(evaluate(rgb)).rejects.toThrow(
    "evaluateNetwork: x: expected [batch, height, width, 1], got [1, 1, 3, 3]",
  );
  const map: LayerGraph = { ...graph, layers: [{ name: "relu", op: "pointwise", fn: "relu" }] };
  const one = batchOf([[1, 2, 3]], [0]);
  await expect(evaluateNetwork(map, stateless, { batch: () => one })).rejects.toThrow(
    "evaluateNetwork: graph: expected logits [batch, classes], got [1, 1, 3, 1]",
  );
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(evaluateNetwork(graph, state, { batch: () => null, signal })).rejects.toThrow("enough");
  expect(memory().numTensors).toBe(before);
  disposeParams(state);
});

test("arrays are as good as tensors, stay as they are, and are refused where their parts do not fit", async () => {
  await expectNoLeak(async () => {
    const state = identity();
    const images = Float32Array.of(2, 1, 0, 0, 5, 5);
    const arrays = { images, shape: [2, 1, 3, 1] as const, labels: Int32Array.of(0, 2) };
    const evaluate = (batch: ImageBatch) =>
      evaluateNetwork(graph, state, { batch: (index) => (index === 0 ? batch : null) });
    const tensors = batchOf([[2, 1, 0], [0, 5, 5]], [0, 2]); // biome-ignore format: rows
    expect(await evaluate(arrays)).toEqual(await evaluate(tensors));
    expect(arrays.images).toEqual(Float32Array.of(2, 1, 0, 0, 5, 5));
    for (const [batch, message] of [
      [{ ...arrays, shape: [2, 1, 2, 1] }, "shape: expected [batch, height, width, channels] of 6 numbers, got [2, 1, 2, 1]"],
      [{ ...arrays, shape: [2, 3, 1] }, "shape: expected [batch, height, width, channels] of 6 numbers, got [2, 3, 1]"],
      [{ images, labels: arrays.labels }, "shape: expected [batch, height, width, channels] of 6 numbers, got [undefined]"],
      [{ ...arrays, labels: Int32Array.of(0) }, "labels: expected [2], got [1]"],
      [{ ...arrays, labels: [0, 2] }, "batch: expected {images, labels} as tensors, or {images, shape, labels} as a Float32Array and an Int32Array, got Float32Array and Array"],
      [undefined, "batch: expected {images, labels} as tensors, or {images, shape, labels} as a Float32Array and an Int32Array, got undefined and undefined"],
    ] as const) {
      await expect(evaluate(batch as never)).rejects.toThrow(`evaluateNetwork: ${message}`);
    } // biome-ignore format: a table
    disposeParams(state);
  });
});

test("a state that is none is refused by the name of the function, bare parameters too", async () => {
  const state = identity();
  const x = zeros<Rank.R4>([1, 1, 3, 1]);
  const got = "expected {params, statistics}, got {fc}";
  const bare = state.params as never;
  expect(() => applyNetwork(graph, bare, x)).toThrow(`applyNetwork: state: ${got}`);
  expect(() => applyNetworkTraining(graph, bare, x)).toThrow(`applyNetworkTraining: state: ${got}`);
  expect(() => networkClassifier(graph, bare)).toThrow(`networkClassifier: state: ${got}`);
  expect(() => startNetworkTraining(graph, bare, { name: "sgd", learningRate: 1 })).toThrow(
    `startNetworkTraining: state: ${got}`,
  );
  await expect(predict(graph, bare, x)).rejects.toThrow(`predict: state: ${got}`);
  await expect(inspectNetwork(graph, bare, x)).rejects.toThrow(`inspectNetwork: state: ${got}`);
  await expect(evaluateNetwork(graph, undefined as never, { batch: () => null })).rejects.toThrow(
    "evaluateNetwork: state: expected {params, statistics}, got undefined",
  );
  // What a checkpoint does not hold, being empty, may be missing.
  const logits = applyNetwork(graph, { params: state.params } as NetworkState, x);
  expect(logits.shape).toEqual([1, 3]);
  for (const tensor of [x, logits]) tensor.dispose();
  disposeParams(state);
});

const floatLabels = (): ImageTensors =>
  ({ images: zeros([1, 1, 3, 1]), labels: tensor1d([0], "float32") }) as ImageTensors;

test("predictions are sorted, equal ones by index, and carry names", async () => {
  await expectNoLeak(async () => {
    const kernel = tensor2d([0, 1, 0, 0, 0, 1, 1, 0, 0], [3, 3]);
    const state = { params: { fc: { kernel } }, statistics: {} };
    const x = tensor4d([1, 0, 1, 0, 0, 3], [2, 1, 3, 1]); // logits 1 1 0 and 3 0 0
    const labels = ["cat", "dog", "bird"];
    const [first, second] = (await predict(graph, state, x, { top: 2, labels })) as [
      Awaited<ReturnType<typeof predict>>[0],
      Awaited<ReturnType<typeof predict>>[0],
    ];
    expect(first.map(({ index, label }) => [index, label])).toEqual([[0, "cat"], [1, "dog"]]); // biome-ignore format: pairs
    const e = Math.E;
    expect(first[0]!.probability).toBeCloseTo(e / (2 * e + 1), 6);
    expect(first[1]!.probability).toBe(first[0]!.probability);
    expect(second.map(({ index }) => index)).toEqual([0, 1]);
    const all = await predict(graph, state, x);
    expect(all[1]!.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(all[1]!.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
    expect("label" in all[0]![0]!).toBe(false);
    await expect(predict(graph, state, x, { top: 0 })).rejects.toThrow(
      "predict: top: expected an integer, at least 1, got 0",
    );
    await expect(predict(graph, state, x, { labels: ["cat"] })).rejects.toThrow(
      "predict: labels: expected 3 names, got 1",
    );
    // @ts-expect-error no tensor
    await expect(predict(graph, state, [1, 0, 1])).rejects.toThrow(
      "predict: x: expected a tensor, got object",
    );
    x.dispose();
    disposeParams(state);
  });
});
