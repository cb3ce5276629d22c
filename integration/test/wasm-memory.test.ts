import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { wasmMode } from "../training/wasm-mode.js";

// The full 10,000 steps of the acceptance criterion take under a minute: set GRADLAB_MEMORY_STEPS=10000.
const steps = Number(process.env.GRADLAB_MEMORY_STEPS ?? 1500);

beforeAll(async () => {
  tf.env().set("PROD", true); // no advertisement on the console
  installGradients();
  await enableWasmTraining(wasmMode());
  await tf.setBackend("wasm");
});

const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 0.3, "float32", seed);

/** A variable that owns its first value. */
function weight(shape: number[], seed: number): tf.Variable {
  const start = normal(shape, seed);
  const variable = tf.variable(start);
  start.dispose();
  return variable;
}

test(`${steps} steps of a network with every kind of kernel leave tensors, buffers and the heap as they are`, async () => {
  const conv = weight([3, 3, 2, 4], 1) as tf.Variable<tf.Rank.R4>;
  const strided = weight([2, 2, 4, 4], 2) as tf.Variable<tf.Rank.R4>;
  const depthwise = weight([3, 3, 4, 1], 3) as tf.Variable<tf.Rank.R4>;
  const volume = weight([2, 2, 2, 1, 2], 4) as tf.Variable<tf.Rank.R5>;
  const scale = weight([4], 5) as tf.Variable<tf.Rank.R1>;
  const table = weight([7, 4], 6);
  const gates = weight([8, 16], 7);
  const out = weight([4, 3], 8);
  const x = normal([2, 8, 8, 2], 9) as tf.Tensor4D;
  const cube = normal([1, 4, 4, 4, 1], 10) as tf.Tensor5D;
  const words = tf.tensor2d([1, 0, 3, 6, 6, 2], [2, 3], "int32");
  const labels = tf.tensor2d([0, 1, 0, 0, 0, 1], [2, 3]);
  const loss = () => {
    const image = tf.maxPool(tf.conv2d(x, conv, 1, "same"), 2, 2, "valid");
    const { mean, variance } = tf.moments(image, [0, 1, 2]);
    const normalized = tf.batchNorm4d(image, mean as tf.Tensor1D, variance as tf.Tensor1D, scale, scale);
    const deep = tf.depthwiseConv2d(tf.leakyRelu(normalized), depthwise, 1, "same");
    const features = tf.mean(tf.tanh(tf.conv2d(deep, strided, 2, "valid")), [1, 2]);
    const solid = tf.mean(tf.maxPool3d(tf.conv3d(cube, volume, 1, "same"), 2, 2, "valid"));
    let [h, c] = [features as tf.Tensor2D, tf.zerosLike(features) as tf.Tensor2D];
    for (const word of tf.unstack(tf.gather(table, words), 1)) {
      const [i, j, f, o] = tf.split(tf.matMul(tf.concat([word as tf.Tensor2D, h], 1), gates), 4, 1);
      c = tf.add(tf.mul(tf.sigmoid(f!), c), tf.mul(tf.sigmoid(i!), tf.tanh(j!)));
      h = tf.mul(tf.sigmoid(o!), tf.tanh(c));
    }
    const logits = tf.matMul(h, out);
    return tf.add(tf.losses.softmaxCrossEntropy(labels, logits), solid) as tf.Scalar;
  };
  const optimizer = tf.train.adam(1e-3);
  const backend = tf.backend() as BackendWasm;
  const heap = backend.wasm as unknown as { HEAPU8: Uint8Array };
  const step = () => optimizer.minimize(loss);
  const footprint = () => ({
    tensors: tf.memory().numTensors,
    buffers: backend.numDataIds(),
    heap: heap.HEAPU8.byteLength,
  });
  // The optimizer's moments appear in the first steps, and the heap finds its size.
  for (let i = 0; i < 20; i++) step();
  const before = footprint();
  // A freed block may be reused in pieces; what grows without end is a leak, also inside of the heap.
  const probe = () => {
    const big = tf.zeros([2 ** 16]);
    const at = backend.getMemoryOffset(big.dataId);
    big.dispose();
    return at;
  };
  const top = probe();
  for (let i = 0; i < steps; i++) step();
  expect(footprint()).toEqual(before);
  expect(Math.abs(probe() - top)).toBeLessThan(2 ** 16);
  const value = tf.tidy(loss);
  expect(Number.isFinite((await value.data())[0])).toBe(true);
}, 300_000);
