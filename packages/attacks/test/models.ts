/** Small fixed models, and what the tests have in common; importing it registers the cpu and wasm backends. */
import { installGradients } from "@gradlab/core";
import { fillNormal, fillUniform, randomStream } from "@gradlab/random";
import { enableWasmTraining } from "@gradlab/wasm-training";
import "@tensorflow/tfjs-backend-cpu";
import {
  add,
  conv2d,
  env,
  matMul,
  maxPool,
  memory,
  relu,
  reshape,
  setBackend,
  sigmoid,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor,
  tensor2d,
  tidy,
} from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { Bounds, Classifier } from "../src/index.js";

env().set("PROD", true);

export const backends = ["cpu", "wasm"] as const;

/** Makes a backend the current one, with gradients. */
export async function useBackend(name: (typeof backends)[number]): Promise<void> {
  installGradients();
  if (name === "wasm") await enableWasmTraining();
  await setBackend(name);
}

/** `z = sigmoid(x A) B`, two numbers to two classes: CleverHans's SimpleModel. */
export function simpleModel(bounds: Bounds = [-5, 5]): Classifier {
  return {
    bounds,
    classes: 2,
    logits: (x) =>
      tidy(() => {
        const a = tensor2d([1.5, 0.3, -2, 0.3], [2, 2]);
        const b = tensor2d([-2.4, 1.2, 0.5, -2.3], [2, 2]);
        return matMul(sigmoid(matMul(x as Tensor2D, a)), b);
      }),
  };
}

/** `z = x (1, -1)`, one number to two classes: CleverHans's TrivialModel. */
export function trivialModel(bounds: Bounds = [-100, 100]): Classifier {
  return {
    bounds,
    classes: 2,
    logits: (x) => tidy(() => matMul(x as Tensor2D, tensor2d([1, -1], [1, 2]))),
  };
}

/** `z = x W + b` with weights `[inputs][classes]`. */
export function linearModel(
  weights: readonly (readonly number[])[],
  bias: readonly number[],
  bounds: Bounds = [-100, 100],
): Classifier {
  return {
    bounds,
    classes: bias.length,
    logits: (x) =>
      tidy(() =>
        add(matMul(x as Tensor2D, tensor2d(weights.map((row) => [...row]))), tensor(bias as number[])),
      ),
  };
}

/** A convolution, a pooling and a dense layer on images of 8 x 8, with weights that a formula gives. */
export function smallCnn(channels = 1, classes = 5, bounds: Bounds = [0, 1]): Classifier {
  const draw = (shape: number[], purpose: string, std: number) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    return { shape, values: fillNormal(randomStream({ seed: 3, purpose }), values, 0, std) };
  };
  const kernel = draw([3, 3, channels, 6], "kernel", 0.6);
  const bias = draw([6], "bias", 0.1);
  const dense = draw([6 * 16, classes], "dense", 0.25);
  return {
    bounds,
    classes,
    logits: (x) =>
      tidy(() => {
        const at = ({ shape, values }: typeof kernel) => tensor(values as Float32Array, shape);
        const map = relu(add(conv2d(x as Tensor4D, at(kernel) as Tensor4D, 1, "same"), at(bias)));
        const pooled = maxPool(map as Tensor4D, 2, 2, "valid");
        return matMul(reshape(pooled, [x.shape[0]!, 6 * 16]), at(dense) as Tensor2D);
      }),
  };
}

/** Numbers in [low, high) that the purpose decides. */
export function uniformTensor(shape: number[], purpose: string, low = 0, high = 1): Tensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  return tensor(fillUniform(randomStream({ seed: 1, purpose }), values, low, high) as Float32Array, shape);
}

/** The classes that a model sees in images. */
export async function predictions(model: Classifier, x: Tensor): Promise<number[]> {
  const rows = Array.from({ length: x.shape[0]! }, (_, id) => ({ id, query: 0 }));
  const logits = model.logits(x, rows);
  const data = await logits.data();
  logits.dispose();
  return rows.map((_, i) => {
    const row = Array.from(data.subarray(i * model.classes, (i + 1) * model.classes));
    return row.indexOf(Math.max(...row));
  });
}

/** The rows of a tensor. */
export async function rowsOf(x: Tensor): Promise<number[][]> {
  const data = Array.from(await x.data());
  const length = data.length / x.shape[0]!;
  return Array.from({ length: x.shape[0]! }, (_, i) => data.slice(i * length, (i + 1) * length));
}

/** Fails when `work` leaves tensors behind, or takes some away. */
export async function expectNoLeak(work: () => void | Promise<void>): Promise<void> {
  const before = memory().numTensors;
  await work();
  expect(memory().numTensors).toBe(before);
}
