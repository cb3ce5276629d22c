import { disposeParams, disposeTraining, saveCheckpoint, startTraining } from "@gradlab/core";
import { corpusOf, generateText, textColumns } from "@gradlab/datasets";
import { tensor1d, tensor2d, tidy } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  type Feeding,
  freeRunning,
  initLanguageModelState,
  languageModelLoss,
  scheduledSampling,
  teacherForcing,
  trainLanguageModel,
} from "../src/index.js";
import { fedLoss } from "../src/training/fed-loss.js";
import { expectNoLeak } from "./tensors.js";

const { dictionary, ids } = corpusOf(generateText({ tokens: 2000 }));
const spec = { cell: "gru", vocabulary: dictionary.tokens.length, embedding: 6, hidden: 8 } as const;
const { batch } = textColumns(ids, { columns: 3, length: 6 });

async function train(feeding?: Feeding): Promise<Uint8Array> {
  const state = initLanguageModelState(spec, { seed: 2, batch: 3 });
  const training = startTraining(state, { name: "adam", learningRate: 0.01 });
  disposeParams(state);
  const options = { batch, steps: 4, seed: 1, dropout: { output: 0.2 }, ...(feeding && { feeding }) };
  for await (const step of trainLanguageModel(spec, training, options)) void step;
  const bytes = await saveCheckpoint(training);
  disposeTraining(training);
  return bytes;
}

test("with certainty of the true token it is teacher forcing to the bit; free running is another training, the same each time", async () => {
  const teacher = await train();
  expect(await train(teacherForcing)).toEqual(teacher);
  expect(await train(scheduledSampling({ decay: "linear", k: 1 }))).toEqual(teacher);
  const free = await train(freeRunning);
  expect(free).not.toEqual(teacher);
  expect(await train(freeRunning)).toEqual(free);
});

test("place by place the loss of true tokens is that of the whole sequence", async () => {
  const state = initLanguageModelState(spec, { seed: 2, batch: 3 });
  const { inputs, targets, shape } = batch(0);
  const tokens = () => ({ inputs: tensor2d(inputs, [...shape], "int32"), targets: tensor2d(targets, [...shape], "int32") }); // biome-ignore format: one line
  await expectNoLeak(async () => {
    const losses = tidy(() => [
      languageModelLoss(spec, state, tokens()).loss,
      fedLoss(spec, state, tokens(), { truth: 1, seed: 0, step: 0 }).loss,
    ]);
    const [whole, places] = await Promise.all(losses.map(async (loss) => (await loss.data())[0]!));
    expect(Math.abs(whole! - places!)).toBeLessThan(2e-6);
    for (const loss of losses) loss.dispose();
  });
  disposeParams(state);
});

test("a free-running model reads what it would say itself: certain of a cycle, it is never surprised by it", async () => {
  // Each token is followed by the next of four with certainty: logits of 40 on one token, by a bias-free output of one-hot states.
  const cycle = { cell: "elman", vocabulary: 4, embedding: 4, hidden: 4 } as const;
  const grid = (at: (i: number, j: number) => number) =>
    tensor2d(Array.from({ length: 16 }, (_, k) => at(Math.floor(k / 4), k % 4)), [4, 4]); // biome-ignore format: one line
  const params = {
    embedding: grid((i, j) => (i === j ? 1 : 0)),
    layers: [
      { input: grid((i, j) => (i === j ? 20 : 0)), recurrent: grid(() => 0), bias: tensor1d([0, 0, 0, 0]) },
    ],
    kernel: grid((i, j) => ((i + 1) % 4 === j ? 40 : 0)),
    bias: tensor1d([0, 0, 0, 0]),
  };
  const carry = [{ h: tensor2d([[0, 0, 0, 0]]) }];
  // The text says 0 everywhere after the first token, so a teacher would hear 0 and expect 1.
  const tokens = { inputs: tensor2d([[2, 0, 0, 0, 0]], [1, 5], "int32"), targets: tensor2d([[3, 0, 1, 2, 3]], [1, 5], "int32") }; // biome-ignore format: one line
  const loss = async (truth: number) => {
    const value = tidy(() => fedLoss(cycle, { params, carry }, tokens, { truth, seed: 0, step: 0 }).loss);
    const [number] = await value.data();
    value.dispose();
    return number!;
  };
  expect(await loss(0)).toBeLessThan(1e-6);
  expect(await loss(1)).toBeGreaterThan(10);
});

test("the schedules are those of the paper, and what they cannot be is refused", () => {
  const linear = scheduledSampling({ decay: "linear", k: 1, c: 0.25, floor: 0.1 });
  expect([0, 1, 2, 3, 4].map(linear)).toEqual([1, 0.75, 0.5, 0.25, 0.1]);
  expect(scheduledSampling({ decay: "exponential", k: 0.9 })(3)).toBeCloseTo(0.729, 12);
  const sigmoid = scheduledSampling({ decay: "inverse-sigmoid", k: 10 });
  expect(sigmoid(0)).toBeCloseTo(10 / 11, 12);
  expect(sigmoid(10 * Math.log(10))).toBeCloseTo(0.5, 12);
  expect(() => scheduledSampling({ decay: "exponential", k: 1 })).toThrow(
    "scheduledSampling: k: expected a number in (0, 1)",
  );
  expect(() => scheduledSampling({ decay: "cosine" as never, k: 1 })).toThrow("scheduledSampling: decay");
});
