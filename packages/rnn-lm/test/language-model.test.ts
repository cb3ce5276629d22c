import {
  disposeParams,
  disposeTraining,
  generate,
  loadCheckpoint,
  mapParams,
  saveCheckpoint,
  startTraining,
} from "@gradlab/core";
import { corpusOf, generateText, textColumns } from "@gradlab/datasets";
import { randomStream } from "@gradlab/random";
import { tensor2d, tidy, zerosLike } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  applyLanguageModel,
  initCarry,
  initLanguageModel,
  initLanguageModelState,
  type LanguageModelSpec,
  perplexityOf,
  recurrentSpec,
  sequenceModel,
  surprises,
  trainLanguageModel,
} from "../src/index.js";
import { expectClose, expectNoLeak, numbers } from "./tensors.js";

const { dictionary, ids } = corpusOf(generateText({ tokens: 4000 }));
const spec: LanguageModelSpec = {
  cell: "lstm",
  vocabulary: dictionary.tokens.length,
  embedding: 8,
  hidden: 12,
};
const { batch } = textColumns(ids, { columns: 4, length: 10 });

function start(change: Partial<LanguageModelSpec> = {}) {
  const own = { ...spec, ...change };
  const state = initLanguageModelState(own, { seed: 0, batch: 4 });
  const training = startTraining(state, { name: "adam", learningRate: 0.01 });
  disposeParams(state);
  return { own, training };
}

test("the perplexity of a model that gives all tokens the same probability is their number", async () => {
  const params = initLanguageModel(spec, { seed: 0 });
  const flat = mapParams(params, (tensor) => zerosLike(tensor));
  const found = await surprises(spec, flat, ids.subarray(0, 500), { columns: 3 });
  expect(found.length).toBe(499);
  // log of single precision, V to as many digits.
  expect(Math.abs(perplexityOf(found) / spec.vocabulary - 1)).toBeLessThan(2e-6);
  expect(perplexityOf([Math.log(7), Math.log(7)])).toBeCloseTo(7, 12);
  disposeParams(params);
  disposeParams(flat);
});

test("each token is counted once, whatever the columns and pieces, and its surprise is that of the logits", async () => {
  const params = initLanguageModel({ ...spec, layers: 2 }, { seed: 1 });
  const two = { ...spec, layers: 2 };
  const text = ids.subarray(0, 41);
  const whole = await surprises(two, params, text);
  for (const steps of [1, 7, 40]) expectClose(await surprises(two, params, text, { steps }), whole, 1e-5);
  const logits = tidy(() => {
    const carry = initCarry(recurrentSpec(two), 1);
    return applyLanguageModel(two, params, tensor2d(text.subarray(0, 40), [1, 40], "int32"), carry).logits;
  });
  const all = await numbers(logits);
  const V = spec.vocabulary;
  const byHand = Array.from({ length: 40 }, (_, t) => {
    const row = all.slice(t * V, (t + 1) * V);
    return Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - row[text[t + 1]!]!;
  });
  expectClose(whole, byHand, 1e-5);
  // Three columns of 14, 13 and 13 targets: each as if it were a text of its own.
  const columns = await surprises(two, params, text, { columns: 3, steps: 5 });
  const parts = await Promise.all(
    [[0, 13], [13, 26], [26, 40]].map(([from, to]) => surprises(two, params, text.subarray(from, to! + 1))), // biome-ignore format: three columns
  );
  expectClose(
    columns,
    parts.flatMap((part) => [...part]),
    1e-5,
  );
  disposeParams(params);
});

test("training lowers the loss, carries the state from step to step, and forgets it at the top of the text", async () => {
  const { own, training } = start();
  const { stepsPerEpoch } = textColumns(ids, { columns: 4, length: 10 });
  const losses: number[] = [];
  /** The h that the weights before the next step leave behind, from a state of zeros or from the carried one. */
  const expected = async (step: number, fromZeros: boolean) => {
    const before = fromZeros ? initCarry(recurrentSpec(own), 4) : training.state.carry;
    const { inputs, shape } = batch(step);
    const pass = applyLanguageModel(
      own,
      training.state.params,
      tensor2d(inputs, [...shape], "int32"),
      before,
    );
    return Array.from(await pass.carry[0]!.h.data());
  };
  for (const isFirst of [false, true]) {
    const steps = isFirst ? stepsPerEpoch : stepsPerEpoch - 1;
    for await (const { loss } of trainLanguageModel(own, training, { batch, steps })) losses.push(loss);
    const [right, wrong] = [await expected(steps, isFirst), await expected(steps, !isFirst)];
    for await (const { loss } of trainLanguageModel(own, training, { batch, steps: steps + 1 }))
      losses.push(loss);
    const carried = Array.from(await training.state.carry[0]!.h.data());
    expect(carried).toEqual(right);
    expect(carried).not.toEqual(wrong);
  }
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  expect(Math.abs(losses[0]! - Math.log(own.vocabulary))).toBeLessThan(0.3);
  expect(mean(losses.slice(-10))).toBeLessThan(mean(losses.slice(0, 10)) - 1);
  disposeTraining(training);
});

test("a training that is saved and loaded goes on to the bit, with dropout of every kind and two layers", async () => {
  const dropout = { words: 0.1, input: 0.2, hidden: 0.2, output: 0.3, recurrent: 0.2 };
  const change = { layers: 2 };
  const run = async (training: ReturnType<typeof start>["training"], steps: number) => {
    const options = { batch, steps, dropout, seed: 5, maxNorm: 0.5 };
    for await (const step of trainLanguageModel({ ...spec, ...change }, training, options)) void step;
    return training;
  };
  const whole = await run(start(change).training, 9);
  const half = await run(start(change).training, 4);
  const resumed = await run(loadCheckpoint(await saveCheckpoint(half), half.state) as typeof half, 9);
  expect(await saveCheckpoint(resumed)).toEqual(await saveCheckpoint(whole));
  for (const one of [whole, half, resumed]) disposeTraining(one);
});

test("dropout is another one in every step, is locked over the steps of a sequence, and none where none is asked for", async () => {
  const params = initLanguageModel(spec, { seed: 0 });
  const carry = initCarry(recurrentSpec(spec), 2);
  const same = tensor2d([3, 3, 3, 3, 3, 3], [2, 3], "int32");
  const logits = async (dropout?: object) =>
    numbers(tidy(() => applyLanguageModel(spec, params, same, carry, dropout ? { dropout: dropout as never } : {}).logits)); // biome-ignore format: one line
  const plain = await logits();
  expect(await logits({ seed: 0, index: 0 })).toEqual(plain);
  for (const kind of ["input", "output", "recurrent"]) {
    const one = await logits({ [kind]: 0.5, seed: 0, index: 0 });
    expect(one, kind).not.toEqual(plain);
    expect(await logits({ [kind]: 0.5, seed: 0, index: 0 }), kind).toEqual(one);
    expect(await logits({ [kind]: 0.5, seed: 0, index: 1 }), kind).not.toEqual(one);
  }
  disposeParams(params);
  disposeParams(carry as never);
  same.dispose();
});

test("greedy generation takes the likeliest token of what the whole prompt leads to, and drawing is of its seed", async () => {
  const { own, training } = start();
  for await (const step of trainLanguageModel(own, training, { batch, steps: 60 })) void step;
  const { params } = training.state;
  const prompt = [...ids.subarray(0, 6)];
  const model = sequenceModel(own, params);
  const collect = async (options: object) => {
    const found: number[] = [];
    for await (const { id } of generate(model, prompt, { length: 5, ...options })) found.push(id);
    return found;
  };
  const greedy = await collect({});
  const text = [...prompt];
  for (const id of greedy) {
    const logits = await numbers(
      tidy(() => applyLanguageModel(own, params, tensor2d(text, [1, text.length], "int32"), initCarry(recurrentSpec(own), 1)).logits), // biome-ignore format: one line
    );
    const last = logits.slice(-own.vocabulary);
    expect(last.indexOf(Math.max(...last))).toBe(id);
    text.push(id);
  }
  const stream = () => randomStream({ seed: 1, purpose: "test" });
  expect(await collect({ stream: stream() })).toEqual(await collect({ stream: stream() }));
  expect(await collect({ stream: stream(), temperature: 0 })).toEqual(greedy);
  disposeTraining(training);
});

test("a tied output layer is the embedding, gets both gradients, and must fit", async () => {
  const tied = { ...spec, embedding: 12, tied: true };
  const { own, training } = start(tied);
  expect(training.trained.filter((path) => /kernel|embedding/.test(path))).toEqual(["params.embedding"]);
  const before = await training.state.params.embedding.data();
  for await (const step of trainLanguageModel(own, training, { batch, steps: 1 })) void step;
  const after = await training.state.params.embedding.data();
  // A row that no token of the batch has moves through the output layer alone.
  const unused = dictionary.tokens.findIndex((_, id) => !batch(0).inputs.includes(id));
  expect(after.slice(unused * 12, unused * 12 + 12)).not.toEqual(before.slice(unused * 12, unused * 12 + 12));
  expect(() => initLanguageModel({ ...spec, tied: true }, { seed: 0 })).toThrow(
    "initLanguageModel: spec: hidden: expected embedding, 8, where they are tied, got 12",
  );
  disposeTraining(training);
});

test("bad texts and options are refused, and nothing is left behind", async () => {
  const params = initLanguageModel(spec, { seed: 0 });
  await expectNoLeak(async () => {
    await expect(surprises(spec, params, [1])).rejects.toThrow("surprises: ids: expected at least 2 tokens");
    await expect(surprises(spec, params, [1, spec.vocabulary])).rejects.toThrow(
      "surprises: ids[1]: expected an integer",
    );
    expect(() => perplexityOf([])).toThrow("perplexityOf: surprises: expected at least one");
    expect(() => trainLanguageModel(spec, {} as never, { batch: null as never })).toThrow(
      "trainLanguageModel: batch",
    );
  });
  disposeParams(params);
});

test("1,000 steps leave no tensor behind", async () => {
  const small = { ...spec, embedding: 2, hidden: 3 };
  const columns = textColumns(ids, { columns: 1, length: 2 });
  const state = initLanguageModelState(small, { seed: 0, batch: 1 });
  const training = startTraining(state, { name: "adam", learningRate: 0.01 });
  disposeParams(state);
  await expectNoLeak(async () => {
    for await (const step of trainLanguageModel(small, training, { batch: columns.batch, steps: 1000 }))
      void step;
  });
  disposeTraining(training);
}, 60_000);
