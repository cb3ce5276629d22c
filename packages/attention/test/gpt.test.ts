import {
  crossEntropy,
  disposeParams,
  disposeTraining,
  flattenParams,
  generate,
  loadCheckpoint,
  lossAndGradients,
  saveCheckpoint,
  startTraining,
  train,
} from "@gradlab/core";
import { sequenceBatch, sequenceTask } from "@gradlab/datasets";
import { randomStream } from "@gradlab/random";
import {
  dispose,
  reshape,
  type Scalar,
  slice,
  type Tensor2D,
  tensor1d,
  tensor2d,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  applyGpt,
  applyGptCached,
  type GptCache,
  type GptConfig,
  type GptParams,
  gptModel,
  initGpt,
} from "../src/index.js";
import { apart, backends, expectNoLeak, isSlow, numbers, useBackend } from "./tensors.js";
import { exactShare, type TaskBatch, taskBatch, taskConfig, taskLoss, trainTask } from "./train-task.js";

const small: GptConfig = { vocabulary: 7, context: 9, width: 12, layers: 2, heads: 2 };
const variants: [string, GptConfig][] = [
  ["learned positions", small],
  ["sinusoidal positions, a head of its own", { ...small, position: "sinusoidal", tied: false }],
  [
    "rotary positions, root mean square norms, shared keys",
    { ...small, position: "rotary", norm: "rms", groups: 1 },
  ],
  ["ALiBi", { ...small, position: "alibi", activation: "relu" }],
];
const text = [3, 1, 4, 1, 5, 2, 6, 5, 3];
const idsOf = (...rows: number[][]) => tensor2d(rows, [rows.length, rows[0]!.length], "int32");
const large = (config: GptConfig) => initGpt(config, { std: 0.3, seed: 1 });

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(variants)("no logit depends on a later token, and each on its own: %s", async (_, config) => {
    await expectNoLeak(async () => {
      const params = large(config);
      const [ids, other] = [idsOf(text), idsOf(text.with(5, 0))];
      const [a, b] = [applyGpt(params, ids, config), applyGpt(params, other, config)];
      expect(a.shape).toEqual([1, 9, 7]);
      const row = async (x: typeof a, t: number) => numbers(slice(x, [0, t, 0], [1, 1, 7]));
      for (const t of [0, 1, 2, 3, 4]) expect(await row(a, t)).toEqual(await row(b, t));
      for (const t of [5, 6, 7, 8]) expect(apart(await row(a, t), await row(b, t))).toBeGreaterThan(1e-3);
      for (const tensor of [ids, other, a, b]) tensor.dispose();
      disposeParams(params as never);
    });
  });

  test.each(variants)("cached decoding is the whole at once, piece after piece: %s", async (_, config) => {
    await expectNoLeak(async () => {
      const params = large(config);
      const rows = [text, text.toReversed()];
      const ids = idsOf(...rows);
      const whole = applyGpt(params, ids, config);
      let cache: GptCache | null = null;
      for (const [from, length] of [
        [0, 4],
        [4, 1],
        [5, 3],
        [8, 1],
      ] as const) {
        const piece = slice(ids, [0, from], [2, length]);
        const next: { logits: typeof whole; cache: GptCache } = applyGptCached(params, piece, cache, config);
        if (cache !== null) disposeParams(cache as never);
        cache = next.cache;
        const known = await numbers(slice(whole, [0, from, 0], [2, length, 7]));
        // Rows of other lengths, sums of up to 48 terms: a few roundings of 2^-24 of logits of about 3.
        expect(apart(await numbers(next.logits), known)).toBeLessThan(1e-5);
        piece.dispose();
      }
      disposeParams(cache as never);
      disposeParams(params as never);
      for (const tensor of [ids, whole]) tensor.dispose();
    });
  });

  test("generate with a cache goes on as the whole sequence at once would, greedy and with beams", async () => {
    await expectNoLeak(async () => {
      const params = large(small);
      const model = gptModel(params, small);
      const greedy: number[] = [];
      for await (const { id } of generate(model, text.slice(0, 3), { length: 5 })) greedy.push(id);
      const known = text.slice(0, 3);
      while (known.length < 8) {
        const ids = idsOf(known);
        const logits = await numbers(applyGpt(params, ids, small));
        ids.dispose();
        const last = logits.slice(-7);
        known.push(last.indexOf(Math.max(...last)));
      }
      expect(greedy).toEqual(known.slice(3));
      const scores: number[] = [];
      for (const beams of [1, 4]) {
        let total = 0;
        for await (const { logProbability } of generate(model, text.slice(0, 3), { length: 4, beams })) {
          total += logProbability;
        }
        scores.push(total);
      }
      expect(scores[1]!).toBeGreaterThanOrEqual(scores[0]!);
      const stream = randomStream({ seed: 0, purpose: "sample" });
      const drawn: number[] = [];
      for await (const { id } of generate(model, [1], { length: 6, stream, temperature: 2 })) drawn.push(id);
      expect(drawn).toHaveLength(6);
      disposeParams(params as never);
    });
  });

  test("a text longer than the context goes on: the older half is forgotten, the rest read again", async () => {
    await expectNoLeak(async () => {
      const params = large(small);
      const written: number[] = [];
      for await (const { id } of generate(gptModel(params, small), [3, 1], { length: 22 })) written.push(id);
      // The same by hand: at most 9 tokens are seen; of 9 full ones the last 4 stay.
      const all = [3, 1];
      let from = 0;
      while (all.length < 24) {
        const ids = idsOf(all.slice(from));
        const last = (await numbers(applyGpt(params, ids, small))).slice(-7);
        ids.dispose();
        if (all.length - from === 9) from = all.length - 4;
        all.push(last.indexOf(Math.max(...last)));
      }
      expect(written).toEqual(all.slice(2));
      disposeParams(params as never);
    });
  });

  test.each(variants)(
    "in chunks the loss and its gradients are the same, with dropout: %s",
    async (_, config) => {
      await expectNoLeak(async () => {
        const params = large(config);
        const [ids, labels] = [idsOf(text.slice(0, -1)), tensor1d(text.slice(1), "int32")];
        const of = async (chunk: { chunk?: number }) => {
          const dropout = { rate: 0.3, seed: 0, purpose: "chunks" };
          const { loss, gradients } = lossAndGradients(params, (given) => {
            const logits = applyGpt(given as GptParams, ids, config, { dropout, ...chunk });
            return crossEntropy(reshape(logits, [8, 7]) as Tensor2D, labels);
          });
          const all = [loss, ...flattenParams(gradients as never).map(([, gradient]) => gradient)];
          return Promise.all(all.map(numbers));
        };
        const [known, found] = [await of({}), await of({ chunk: 3 })];
        for (const [i, values] of found.entries()) expect(apart(values, known[i]!)).toBeLessThan(2e-5);
        expect(Math.max(...known.slice(1).flat().map(Math.abs))).toBeGreaterThan(0.1);
        disposeParams(params as never);
        dispose([ids, labels]);
      });
    },
  );

  test("a training with dropout that is saved and loaded goes on to the same bits", async () => {
    await expectNoLeak(async () => {
      const options = {
        loss: (params: GptParams, batch: TaskBatch, step: number): Scalar => {
          const key = { rate: 0.2, seed: 0, purpose: "dropout", index: step };
          return taskLoss(params, batch, { ...small, vocabulary: 11, context: 16 }, key);
        },
        batch: (step: number) => taskBatch("copy", { count: 4, index: step }),
      };
      const start = initGpt({ ...small, vocabulary: 11, context: 16 });
      const begin = () => startTraining(start, { name: "adam", learningRate: 1e-3 });
      const run = async (training: ReturnType<typeof begin>, steps: number) => {
        for await (const _ of train(training, { ...options, steps }));
        const all = flattenParams(training.state as never).map(([, tensor]) => tensor.data());
        return (await Promise.all(all)).map((values) => Array.from(values));
      };
      const [whole, halves] = [begin(), begin()];
      const known = await run(whole, 4);
      await run(halves, 2);
      const resumed = loadCheckpoint(await saveCheckpoint(halves), start);
      expect(await run(resumed, 4)).toEqual(known);
      for (const training of [whole, halves, resumed]) disposeTraining(training);
      disposeParams(start as never);
    });
  });
});

describe("on wasm", () => {
  beforeAll(() => useBackend("wasm"));

  const learns = (name: "copy" | "reverse" | "sort", steps: number) => async () => {
    await expectNoLeak(async () => {
      const training = await trainTask(name, steps);
      expect(await exactShare(name, training.state)).toBeGreaterThanOrEqual(0.99);
      // And by writing it down symbol after symbol.
      const task = sequenceTask(name);
      const { ids } = sequenceBatch(task, { count: 3, purpose: "other" });
      for (const row of [0, 1, 2]) {
        const read = Array.from(ids.subarray(row * 16, row * 16 + 8));
        const written: number[] = [];
        const model = gptModel(training.state, taskConfig);
        for await (const { id } of generate(model, [...read, 10], { length: 8 })) written.push(id);
        expect(written).toEqual(task.answer(read));
      }
      disposeTraining(training);
    });
  };

  test("a GPT of two blocks learns to copy 8 tokens", learns("copy", 400), 180_000);
  test.runIf(isSlow)("to reverse them", learns("reverse", 400), 180_000);
  test.runIf(isSlow)("to sort them", learns("sort", 400), 180_000);
});

describe("arguments", () => {
  beforeAll(() => useBackend("cpu"));
  const params = () => initGpt(small);
  const many = () => idsOf(Array.from({ length: 10 }, () => 0));

  test.each<[string, () => unknown, string]>([
    [
      "a width that heads do not divide",
      () => initGpt({ ...small, heads: 5 }),
      "initGpt: config.heads: expected a divisor of 12, got 5",
    ],
    [
      "a name that is none",
      () => initGpt({ ...small, depth: 2 } as never),
      "initGpt: config: expected only vocabulary, context,",
    ],
    [
      "another position",
      () => initGpt({ ...small, position: "fixed" as never }),
      'initGpt: config.position: expected one of learned, sinusoidal, rotary, alibi, none, got "fixed"',
    ],
    [
      "an odd part to turn",
      () => initGpt({ ...small, heads: 4, position: "rotary" }),
      "initGpt: config.width: expected an even number for each head, to be turned, got 3",
    ],
    [
      "too many tokens",
      () => applyGpt(params(), many(), small),
      "applyGpt: ids: expected at most 9 tokens, got 10",
    ],
    [
      "ids of floats",
      () => applyGpt(params(), tensor2d([[1]]) as Tensor2D, small),
      "applyGpt: ids: expected int32, got float32",
    ],
    [
      "no ids",
      () => applyGpt(params(), tensor2d([], [1, 0], "int32"), small),
      "applyGpt: ids: expected at least one, got [1, 0]",
    ],
    [
      "parameters of another configuration",
      () => applyGpt(params(), idsOf([1]), { ...small, layers: 3 }),
      "applyGpt: params.blocks: expected 3 of them, got an array of length 2",
    ],
    [
      "positions that are not there",
      () => applyGpt(initGpt({ ...small, position: "alibi" }), idsOf([1]), small),
      "applyGpt: params.positions: expected a table, got undefined",
    ],
    [
      "an option of blocks, which the model decides",
      () => applyGpt(params(), idsOf([1]), small, { causal: false } as never),
      'applyGpt: options: expected only dropout, chunk, got "causal"',
    ],
    [
      "a dropout without a purpose",
      () => applyGpt(params(), idsOf([1]), small, { dropout: { rate: 0.1, seed: 0 } as never }),
      "applyGpt: dropout.purpose: expected a text, got undefined",
    ],
    [
      "no cache, and not null",
      () => applyGptCached(params(), idsOf([1]), undefined as never, small),
      "transformerCached: cache: expected a cache, or null, got undefined",
    ],
    [
      "a head that is not there",
      () => applyGpt(params(), idsOf([1]), { ...small, tied: false }),
      "applyGpt: params.head: expected a kernel, got undefined",
    ],
  ])("%s: refused", (_, work, message) => {
    expect(work).toThrow(message);
  });

  test("an id out of range makes the logits of its sequence NaN, and of no other", async () => {
    const given = params();
    const logits = await numbers(applyGpt(given, idsOf([1, 2], [1, 7]), small));
    expect(logits.slice(0, 14).every(Number.isFinite)).toBe(true);
    expect(logits.slice(14).every(Number.isNaN)).toBe(true);
  });
});
