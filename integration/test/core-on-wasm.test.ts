import {
  clipByGlobalNorm,
  crossEntropy,
  disposeParams,
  disposeTraining,
  embed,
  flattenParams,
  heNormal,
  installGradients,
  loadCheckpoint,
  normalTensor,
  type OptimizerConfig,
  orthogonal,
  saveCheckpoint,
  startTraining,
  type Training,
  type TrainOptions,
  train,
  xavierUniform,
} from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { wasmMode } from "../training/wasm-mode.js";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";

/*
 * The same suite on the wasm backend as it is, and on the one that wasm-training has changed: core needs none of
 * the kernels that are missing there.
 */

beforeAll(() => {
  tf.env().set("PROD", true); // no advertisement on the console
  installGradients();
});

interface Net {
  readonly table: tf.Tensor2D;
  readonly kernel: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
}

const init = (): Net => ({
  table: normalTensor([6, 4], { seed: 1, purpose: "table" }) as tf.Tensor2D,
  kernel: xavierUniform([4, 3], { seed: 1, purpose: "kernel" }) as tf.Tensor2D,
  bias: tf.tensor1d([0, 0.1, -0.1]),
});

const idsOf = (step: number) => Array.from({ length: 5 }, (_, i) => (step * step + 3 * i) % 6);

const options: TrainOptions<Net, number[]> = {
  batch: idsOf,
  loss: ({ table, kernel, bias }, ids) => {
    const rows = tf.tanh(embed(table, tf.tensor1d(ids, "int32")) as tf.Tensor2D);
    const labels = tf.tensor1d(
      ids.map((id) => id % 3),
      "int32",
    );
    return crossEntropy(tf.add(tf.matMul(rows, kernel), bias), labels, { labelSmoothing: 0.1 });
  },
  schedule: (step) => 0.05 / (1 + step),
  maxNorm: 0.2,
  weightDecay: 0.01,
  steps: 40,
};

function start(config: OptimizerConfig): Training<Net> {
  const net = init();
  const training = startTraining(net, config);
  disposeParams(net);
  return training;
}

async function numbers(x: tf.Tensor): Promise<number[]> {
  const data = await x.data();
  x.dispose();
  return Array.from(data);
}

/** The numbers that `make` gives on a backend. */
async function on(backend: string, make: () => tf.Tensor): Promise<number[]> {
  await tf.setBackend(backend);
  return numbers(tf.tidy(make));
}

// The full 10,000 steps of the acceptance criterion: set GRADLAB_MEMORY_STEPS=10000.
const steps = Number(process.env.GRADLAB_MEMORY_STEPS ?? 1000);

const names = ["sgd", "momentum", "adam", "adamw", "adamax", "rmsprop", "adagrad", "adadelta"] as const;

for (const variant of ["stock", "with wasm-training"]) {
  describe(`wasm, ${variant}`, () => {
    beforeAll(async () => {
      if (variant !== "stock") await enableWasmTraining(wasmMode());
    });
    beforeEach(async () => {
      expect(await tf.setBackend("wasm")).toBe(true);
    });

    test("initializers give the bits of the cpu backend", async () => {
      for (const make of [xavierUniform, heNormal, orthogonal, normalTensor]) {
        const tensor = () => make([3, 4], { seed: 5, purpose: "w" });
        expect(await on("wasm", tensor)).toEqual(await on("cpu", tensor));
      }
    });

    test("embed and crossEntropy: values, gradients and their gradients are those of the cpu backend", async () => {
      const ids = [1, 5, 1, 0];
      const loss = (t: tf.Tensor) => {
        const rows = embed(t as tf.Tensor2D, tf.tensor1d(ids, "int32"));
        const labels = tf.tensor1d([0, 3, 2, 1], "int32");
        return crossEntropy(tf.mul(rows, 3), labels, { labelSmoothing: 0.2, ignoreIndex: 2 }) as tf.Tensor;
      };
      const gradient = tf.grad(loss);
      const second = tf.grad((t: tf.Tensor) => tf.sum(tf.square(gradient(t))) as tf.Tensor);
      for (const f of [loss, gradient, second]) {
        const at = () => f(init().table);
        const [wasm, cpu] = [await on("wasm", at), await on("cpu", at)];
        // numbers below 10, a dozen float32 roundings each
        for (const [i, x] of wasm.entries()) expect(Math.abs(x - cpu[i]!)).toBeLessThan(10 * 12 * 2 ** -24);
      }
    });

    test("an id outside of the table and a label outside of the classes give NaN and touch no memory", async () => {
      const table = tf.ones([2, 3]) as tf.Tensor2D;
      const far = [-(2 ** 31), -1, 2, 2 ** 31 - 1];
      const ids = tf.tensor1d([0, ...far], "int32");
      const rows = await numbers(embed(table, ids));
      expect(rows).toEqual([1, 1, 1, ...new Array(12).fill(Number.NaN)]);
      const neighbours = Array.from({ length: 50 }, () => tf.zeros([100]));
      const g = tf.grad((t: tf.Tensor) => tf.sum(embed(t as tf.Tensor2D, ids)) as tf.Tensor)(table);
      g.dispose();
      for (const label of far) {
        const labels = tf.tensor1d([label], "int32");
        const nan = tf.grad((z: tf.Tensor) => crossEntropy(z, labels))(tf.ones([1, 2]));
        nan.dispose();
        expect(await numbers(crossEntropy(tf.ones([1, 2]), labels))).toEqual([Number.NaN]);
      }
      for (const zeros of neighbours) expect(await numbers(zeros)).toEqual(new Array(100).fill(0));
      tf.dispose([table, ids]);
    });

    test("logits of ±1e4 and of -Infinity give losses and gradients without an overflow", async () => {
      const z = tf.tensor2d([1e4, 0, -1e4, 1e4, 1e4, -1e4, Number.NEGATIVE_INFINITY, 1, 1], [3, 3]);
      const labels = tf.tensor1d([2, 0, 1], "int32");
      const losses = await numbers(crossEntropy(z, labels, { reduction: "none" }));
      const loss = (x: tf.Tensor) => crossEntropy(x, labels, { reduction: "sum" });
      const gradient = await numbers(tf.grad(loss)(z));
      const expected = [2e4, Math.LN2, Math.LN2, 1, 0, -1, -0.5, 0.5, 0, 0, -0.5, 0.5];
      for (const [i, x] of [...losses, ...gradient].entries()) {
        expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(Math.max(1, expected[i]!) * 2 ** -21);
      }
      tf.dispose([z, labels]);
    });

    test("gradients of norm 0 are clipped to 0", async () => {
      const { clipped, norm } = clipByGlobalNorm([tf.zeros([3])], 1);
      expect([...(await numbers(norm)), ...(await numbers(clipped[0]!))]).toEqual([0, 0, 0, 0]);
    });

    for (const config of [
      ...names.map((name) => ({ name, learningRate: 0.1 })),
      { name: "rmsprop", learningRate: 0.1, centered: true } as const,
    ]) {
      const { learningRate, ...shown } = config;
      test(`${JSON.stringify(shown)}: resumed after 0, 1, 7, 20, 39 and 40 of 40 steps, the bits are the same`, async () => {
        const straight = start(config);
        const checkpoints = [await saveCheckpoint(straight)];
        for await (const _ of train(straight, options)) checkpoints.push(await saveCheckpoint(straight));
        expect(checkpoints).toHaveLength(41);
        disposeTraining(straight);
        for (const k of [0, 1, 7, 20, 39, 40]) {
          const resumed = loadCheckpoint(checkpoints[k]!, init());
          for await (const { step } of train(resumed, options)) expect(step).toBeGreaterThan(k);
          expect(Buffer.compare(await saveCheckpoint(resumed), checkpoints[40]!), `after ${k}`).toBe(0);
          disposeTraining(resumed);
        }
      });
    }

    test("a checkpoint of wasm goes on on cpu, with the numbers of wasm to rounding", async () => {
      const training = start({ name: "adam", learningRate: 0.1 });
      for await (const { step } of train(training, options)) if (step === 20) break;
      const bytes = await saveCheckpoint(training);
      for await (const { step } of train(training, options)) expect(step).toBeGreaterThan(20);
      const wasm = await Promise.all(
        flattenParams(training.state).map(async ([, x]) => Array.from(await x.data())),
      );
      disposeTraining(training);
      await tf.setBackend("cpu");
      const resumed = loadCheckpoint(bytes, init());
      for await (const { step } of train(resumed, options)) expect(step).toBeGreaterThan(20);
      for (const [i, [, x]] of flattenParams(resumed.state).entries()) {
        for (const [j, value] of (await x.data()).entries()) {
          // 20 steps of a relative rounding of about 2^-20, at a rate of at most 0.0025
          expect(Math.abs(value - wasm[i]![j]!)).toBeLessThan(20 * 2 ** -20);
        }
      }
      disposeTraining(resumed);
    });

    test(`${steps} steps of training and saving leave tensors, buffers and the heap as they are`, async () => {
      const backend = tf.backend() as BackendWasm;
      const heap = backend.wasm as unknown as { HEAPU8: Uint8Array };
      const footprint = () => [tf.memory().numTensors, backend.numDataIds(), heap.HEAPU8.byteLength];
      const training = start({ name: "adam", learningRate: 0.1 });
      let before: number[] = [];
      for await (const { step } of train(training, { ...options, schedule: () => 1e-3, steps })) {
        if (step % 100 === 0) await saveCheckpoint(training);
        if (step === 100) before = footprint();
      }
      expect(footprint()).toEqual(before);
      disposeTraining(training);
    }, 120_000);
  });
}
