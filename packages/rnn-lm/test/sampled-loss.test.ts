import {
  crossEntropy,
  disposeParams,
  disposeTraining,
  flattenParams,
  lossAndGradients,
  startTraining,
} from "@gradlab/core";
import { corpusOf, generateText, textColumns } from "@gradlab/datasets";
import { type Tensor1D, type Tensor2D, tensor1d } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  initLanguageModel,
  initLanguageModelState,
  perplexityOf,
  surprises,
  trainLanguageModel,
} from "../src/index.js";
import { outputLogits } from "../src/model/language-model.js";
import { drawTokens, sampledLoss } from "../src/training/sampled-loss.js";
import { expectClose, expectNoLeak, wave } from "./tensors.js";

test("with all of the vocabulary drawn the loss and its gradients are those of the whole cross-entropy, tied or not", async () => {
  for (const tied of [false, true]) {
    const spec = { cell: "elman", vocabulary: 9, embedding: 4, hidden: 4, tied } as const;
    const params = initLanguageModel(spec, { seed: 0 });
    const hidden = wave([6, 4]) as Tensor2D;
    const labels = tensor1d([3, 0, 8, 3, 1, 5], "int32") as Tensor1D;
    for (const distribution of ["uniform", "zipf"] as const) {
      const { ids } = drawTokens({ count: 9, distribution }, 9, { seed: 1, step: 2 });
      expect([...ids].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      // All are there with certainty.
      const drawn = { ids, logExpected: new Float32Array(9) };
      const whole = lossAndGradients({ params }, ({ params }) =>
        crossEntropy(outputLogits(params, hidden), labels),
      );
      const part = lossAndGradients({ params }, ({ params }) => sampledLoss(params, hidden, labels, drawn));
      expectClose(await part.loss.data(), await whole.loss.data(), 1e-6);
      const expected = new Map(flattenParams(whole.gradients));
      for (const [path, gradient] of flattenParams(part.gradients)) {
        expectClose(await gradient.data(), await expected.get(path)!.data(), 1e-6, path);
      }
    }
  }
});

test("how often a token is drawn is what is expected of it", () => {
  const draws = 4000;
  for (const distribution of ["uniform", "zipf"] as const) {
    const counts = new Float64Array(20);
    const expected = new Float64Array(20);
    for (let step = 0; step < draws; step++) {
      const { ids, logExpected } = drawTokens({ count: 5, distribution }, 20, { seed: 0, step });
      expect(new Set(ids).size).toBe(5);
      for (const id of ids) counts[id]!++;
      for (const [id, log] of logExpected.entries()) expected[id]! += Math.exp(log);
    }
    for (const [id, count] of counts.entries()) {
      const p = expected[id]! / draws;
      // Five standard deviations; by the tries that it took, which is not quite the same, a tenth more.
      const allowed =
        5 * Math.sqrt(draws * p * (1 - p)) + (distribution === "zipf" ? 0.1 * expected[id]! : 0);
      expect(Math.abs(count - expected[id]!), `${distribution} ${id}`).toBeLessThan(allowed);
    }
  }
});

test("a model that is trained against 20 others of 44 comes close to one that is trained against all, by exact perplexity", async () => {
  const { dictionary, ids } = corpusOf(generateText({ tokens: 4000 }), { order: "frequency" });
  const spec = { cell: "gru", vocabulary: dictionary.tokens.length, embedding: 8, hidden: 16 } as const;
  const { batch } = textColumns(ids, { columns: 20, length: 8 });
  const perplexity = async (sampled?: { count: number; distribution: "zipf" }) => {
    const state = initLanguageModelState(spec, { seed: 0, batch: 20 });
    const training = startTraining(state, { name: "adam", learningRate: 0.03 });
    disposeParams(state);
    const options = { batch, steps: 75, ...(sampled && { sampled }) };
    for await (const step of trainLanguageModel(spec, training, options)) void step;
    const found = await surprises(spec, training.state.params, ids.subarray(0, 1000), { columns: 10 });
    disposeTraining(training);
    return perplexityOf(found);
  };
  let [some, all] = [0, 0];
  await expectNoLeak(async () => {
    some = await perplexity({ count: 20, distribution: "zipf" });
  });
  all = await perplexity();
  expect(some).toBeLessThan(1.35 * all);
  expect(all).toBeLessThan(7);
  expect(() => trainLanguageModel(spec, {} as never, { batch, sampled: { count: 100 } })).toThrow(
    "trainLanguageModel: sampled.count: expected at most the vocabulary, 44, got 100",
  );
}, 60_000);
