import {
  add,
  concat,
  matMul,
  mul,
  sigmoid,
  slice,
  stack,
  type Tensor1D,
  type Tensor2D,
  tanh,
  tensor2d,
  unstack,
  zeros,
} from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  crossEntropy,
  disposeTraining,
  embed,
  generate,
  startTraining,
  torchUniform,
  train,
  xavierUniform,
} from "../src/index.js";
import { expectNoLeak } from "./tensors.js";

// An LSTM language model of letters, with a state that is carried from one batch of the text to the next.
const text = "the quick brown fox. ";
const letters = [...new Set(text)].sort();
const ids = Array.from(text.repeat(6), (letter) => letters.indexOf(letter));
const [columns, steps, units] = [3, 6, 16];

const init = () => ({
  params: {
    table: xavierUniform([letters.length, units], { seed: 1, purpose: "table" }) as Tensor2D,
    kernel: xavierUniform([2 * units, 4 * units], { seed: 1, purpose: "kernel" }) as Tensor2D,
    bias: zeros([4 * units]) as Tensor1D,
    out: torchUniform([units, letters.length], { seed: 1, purpose: "out", fanIn: units }) as Tensor2D,
  },
  carry: { h: zeros([columns, units]) as Tensor2D, c: zeros([columns, units]) as Tensor2D },
});
type State = ReturnType<typeof init>;

function cell({ kernel, bias }: State["params"], x: Tensor2D, { h, c }: State["carry"]): State["carry"] {
  const z = add(matMul(concat([x, h], 1), kernel), bias); // [n, 4 units]
  const gate = (k: number) => slice(z, [0, k * units], [-1, units]) as Tensor2D;
  const next = add(mul(sigmoid(gate(0)), c), mul(sigmoid(gate(1)), tanh(gate(2)))) as Tensor2D;
  return { h: mul(sigmoid(gate(3)), tanh(next)) as Tensor2D, c: next };
}

function loss({ params, carry }: State, { x, y }: { x: Tensor2D; y: Tensor2D }) {
  const hidden: Tensor2D[] = [];
  for (const now of unstack(x, 1)) {
    carry = cell(params, embed(params.table, now) as Tensor2D, carry);
    hidden.push(carry.h);
  }
  const logits = stack(
    hidden.map((h) => matMul(h, params.out)),
    1,
  ); // [columns, steps, letters]
  return { loss: crossEntropy(logits, y), moved: { carry } };
}

/** The text in columns, step after step: pure functions of the step. */
const batch = (step: number) => {
  const length = ids.length / columns;
  const at = (column: number, i: number) => ids[column * length + ((step * steps + i) % length)]!;
  const rows = (shift: number) =>
    Array.from({ length: columns }, (_, c) => Array.from({ length: steps }, (_, i) => at(c, i + shift)));
  return { x: tensor2d(rows(0), undefined, "int32"), y: tensor2d(rows(1), undefined, "int32") };
};

test("an LSTM language model with a carried state learns a text, and goes on with it", async () => {
  const training = startTraining(init(), { name: "adam", learningRate: 0.02 });
  const losses: number[] = [];
  await expectNoLeak(async () => {
    for await (const step of train(training, { loss, batch, maxNorm: 1, steps: 160 })) losses.push(step.loss);
  });
  // From the logarithm of the number of letters to the text by heart, which has no choice in it.
  expect(losses[0]).toBeGreaterThan(0.8 * Math.log(letters.length));
  expect(losses.at(-1)).toBeLessThan(0.2);
  const { params } = training.state;
  const model = {
    start: () => ({ h: zeros([1, units]) as Tensor2D, c: zeros([1, units]) as Tensor2D }),
    step: (carry: State["carry"], ids: Tensor1D) => {
      const state = cell(params, embed(params.table, ids) as Tensor2D, carry);
      return { logits: matMul(state.h, params.out) as Tensor2D, state };
    },
  };
  const prompt = Array.from("the quick", (letter) => letters.indexOf(letter));
  for (const options of [{}, { beams: 3 }]) {
    let written = "";
    await expectNoLeak(async () => {
      for await (const { id } of generate(model, prompt, { length: 11, ...options })) written += letters[id];
    });
    expect(written).toBe(" brown fox.");
  }
  disposeTraining(training);
}, 60_000);
