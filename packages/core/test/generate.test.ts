import { randomStream } from "@gradlab/random";
import { gather, reshape, type Tensor1D, type Tensor2D, tensor1d } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { type GeneratedId, type GenerateOptions, generate, greedy, sample } from "../src/index.js";
import { expectNoLeak, wave } from "./tensors.js";

const vocabulary = 4;
/** Logits by the two ids before: `[before · 4 + last]`, without a pattern. */
const table = wave([vocabulary ** 2, vocabulary]);
const logits = Array.from(await table.data());

/** Its state is the id before the last, so that a wrong state shows. */
const model = {
  start: () => ({ before: tensor1d([0], "int32") }),
  step: ({ before }: { before: Tensor1D }, ids: Tensor1D) => {
    const row = tensor1d(
      Array.from(before.dataSync(), (id, i) => id * vocabulary + ids.dataSync()[i]!),
      "int32",
    );
    return { logits: reshape(gather(table, row), [-1, vocabulary]) as Tensor2D, state: { before: ids } };
  },
};

const rowAfter = (ids: readonly number[]) => {
  const [before = 0, last] = ids.length > 1 ? ids.slice(-2) : [0, ids[0]!];
  return logits.slice((before * vocabulary + last!) * vocabulary).slice(0, vocabulary);
};
const logProbability = (ids: readonly number[], id: number) => {
  const row = rowAfter(ids);
  return row[id]! - Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
};

async function collect(prompt: number[], options: GenerateOptions): Promise<GeneratedId[]> {
  const ids: GeneratedId[] = [];
  await expectNoLeak(async () => {
    for await (const each of generate(model, prompt, options)) ids.push(each);
  });
  return ids;
}
const idsOf = (generated: readonly GeneratedId[]) => generated.map(({ id }) => id);

test("greedy: each id is the likeliest after the ones before, with its log-probability", async () => {
  const got = await collect([2, 1], { length: 6 });
  const ids = [2, 1];
  for (const { id, logProbability: log } of got) {
    expect(id).toBe(greedy(rowAfter(ids)));
    expect(log).toBeCloseTo(logProbability(ids, id), 6);
    ids.push(id);
  }
  expect(ids).toHaveLength(8);
  expect(await collect([2, 1], { length: 0 })).toEqual([]);
});

test("with a stream each id is drawn as `sample` draws it", async () => {
  for (const options of [{}, { temperature: 0.5 }, { topK: 2 }, { topP: 0.6 }]) {
    const [ours, theirs] = [0, 0].map((seed) => randomStream({ seed, purpose: "text" }));
    const got = await collect([3], { length: 40, stream: ours!, ...options });
    const ids = [3];
    for (const { id, logProbability: log } of got) {
      expect(id).toBe(sample(theirs!, rowAfter(ids), options));
      expect(log).toBeCloseTo(logProbability(ids, id), 6);
      ids.push(id);
    }
    expect(new Set(ids).size).toBeGreaterThan(1);
  }
});

test("the id that ends is the last one", async () => {
  const free = idsOf(await collect([0], { length: 12 }));
  const stop = free[2]!;
  expect(idsOf(await collect([0], { length: 12, stop }))).toEqual(free.slice(0, free.indexOf(stop) + 1));
});

/** All sequences of up to `length` ids that end with `stop` or are full, with their log-probabilities. */
function everySequence(prompt: number[], length: number, stop?: number): { ids: number[]; total: number }[] {
  const all: { ids: number[]; total: number }[] = [];
  const visit = (ids: number[], total: number) => {
    if (ids.length === length || (ids.length > 0 && ids.at(-1) === stop)) all.push({ ids, total });
    else
      for (let id = 0; id < vocabulary; id++) {
        visit([...ids, id], total + logProbability([...prompt, ...ids], id));
      }
  };
  visit([], 0);
  return all;
}

for (const [prompt, stop, lengthPenalty] of [
  [[0], undefined, 0],
  [[2, 3], 1, 0],
  [[1], 2, 0],
  [[1], 2, 1],
  [[3, 0], 0, 2],
] as const) {
  test(`as many beams as sequences find the best of all: after ${prompt}, ended by ${stop}, length to the ${lengthPenalty}`, async () => {
    const all = everySequence([...prompt], 4, stop);
    const score = ({ ids, total }: (typeof all)[number]) => total / ids.length ** lengthPenalty;
    const best = all.reduce((a, b) => (score(b) > score(a) ? b : a));
    const options = {
      length: 4,
      beams: 256,
      ...(lengthPenalty > 0 && { lengthPenalty }),
      ...(stop !== undefined && { stop }),
    };
    const got = await collect([...prompt], options);
    expect(idsOf(got)).toEqual(best.ids);
    expect(got.reduce((sum, each) => sum + each.logProbability, 0)).toBeCloseTo(best.total, 5);
  });
}

test("one beam is greedy, and few beams find what greedy misses", async () => {
  let better = 0;
  for (const first of [0, 1, 2, 3]) {
    const total = (ids: readonly GeneratedId[]) => ids.reduce((sum, each) => sum + each.logProbability, 0);
    const alone = await collect([first], { length: 6 });
    expect(await collect([first], { length: 6, beams: 1 })).toEqual(alone);
    const three = await collect([first], { length: 6, beams: 3 });
    expect(three).toHaveLength(6);
    if (total(three) > total(alone) + 1e-6) better++;
  }
  expect(better).toBeGreaterThan(0);
});

test("a break, an abort and a mistake of the model leave no tensor behind", async () => {
  await expectNoLeak(async () => {
    for await (const _ of generate(model, [1], { length: 5 })) break;
    const controller = new AbortController();
    const reason = new Error("enough");
    const steps = generate(model, [1], { length: 5, signal: controller.signal });
    await steps.next();
    controller.abort(reason);
    await expect(steps.next()).rejects.toBe(reason);
    const wrong = {
      ...model,
      step: (state: { before: Tensor1D }, ids: Tensor1D) => ({
        ...model.step(state, ids),
        logits: ids as never,
      }),
    };
    await expect(generate(wrong, [1], { length: 5, beams: 2 }).next()).rejects.toThrow(
      "generate: logits: expected [1, ?], got [1]",
    );
  });
});

test("arguments that are not as stated are refused at the call", () => {
  const stream = randomStream({ seed: 0, purpose: "" });
  const refused: [prompt: number[], options: object, message: string][] = [
    [[], {}, "generate: prompt: expected at least one id, got an array of length 0"],
    [[0.5], {}, "generate: prompt[0]: expected an integer, at least 0, got 0.5"],
    [[0], { length: -1 }, "generate: length: expected an integer, at least 0, got -1"],
    [
      [0],
      { temperature: 1 },
      "generate: temperature: expected a stream to draw from beside it, got undefined",
    ],
    [[0], { beams: 0 }, "generate: beams: expected an integer, at least 1, got 0"],
    [[0], { beams: 2, stream }, 'generate: beams, stream: expected one of them, got "both"'],
    [[0], { stop: -1 }, "generate: stop: expected an integer, at least 0, got -1"],
    [
      [0],
      { beams: 2, lengthPenalty: Number.NaN },
      "generate: lengthPenalty: expected a finite number, got NaN",
    ],
  ];
  for (const [prompt, options, message] of refused) {
    expect(() => generate(model, prompt, { length: 3, ...options })).toThrow(message);
  }
  expect(() => generate({} as never, [0], { length: 1 })).toThrow("generate: model: expected {start, step}");
});
