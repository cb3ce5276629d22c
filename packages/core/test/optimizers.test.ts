import { readFileSync } from "node:fs";
import {
  AdamOptimizer,
  add,
  MomentumOptimizer,
  memory,
  mul,
  type Scalar,
  SGDOptimizer,
  sum,
  type Tensor,
  tensor,
  variable,
} from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  createOptimizer,
  disposeParams,
  disposeTraining,
  flattenParams,
  mapParams,
  type OptimizerConfig,
  startTraining,
  train,
} from "../src/index.js";
import { expectNoLeak, numbers } from "./tensors.js";

type Values = Readonly<Record<"b" | "w", number[]>>;
type Line = { readonly b: Tensor; readonly w: Tensor };

interface Golden {
  readonly shapes: Values;
  readonly start: Values;
  readonly factors: number[];
  readonly gradients: readonly Values[];
  readonly cases: readonly {
    readonly title: string;
    readonly config: OptimizerConfig;
    readonly weights: Readonly<Record<string, Values>>;
  }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("golden/optimizers.json", import.meta.url), "utf8"));

const record = (values: Values): Line => ({
  b: tensor(values.b, golden.shapes.b),
  w: tensor(values.w, golden.shapes.w),
});

/** Fails unless each tensor is PyTorch's to 1e-6 of its largest number. */
async function expectTorch(got: Line, expected: Values | undefined): Promise<void> {
  if (expected === undefined) return;
  for (const name of ["b", "w"] as const) {
    const largest = Math.max(...expected[name].map(Math.abs));
    for (const [i, x] of (await got[name].data()).entries()) {
      expect(Math.abs(x - expected[name][i]!), `${name}[${i}]`).toBeLessThan(1e-6 * largest);
    }
  }
}

for (const { title, config, weights } of golden.cases) {
  test(`${title}: 25 updates of changing gradients and rates are PyTorch's, as pure functions`, async () => {
    expect(Object.keys(weights)).toEqual(["1", "2", "3", "10", "25"]);
    await expectNoLeak(async () => {
      const { slots: slotsOf, update } = createOptimizer(config);
      let params = record(golden.start);
      let slots = slotsOf(params);
      for (const [t, values] of golden.gradients.entries()) {
        const gradients = record(values);
        const learningRate = config.learningRate * golden.factors[t]!;
        const next = update({ params, gradients, slots }, { count: t + 1, learningRate });
        for (const each of [params, gradients, ...Object.values(slots)]) disposeParams(each);
        ({ params, slots } = next);
        await expectTorch(params, weights[t + 1]);
      }
      for (const each of [params, ...Object.values(slots)]) disposeParams(each);
    });
  });

  test(`${title}: 25 updates of changing gradients and rates are PyTorch's, in train`, async () => {
    const start = record(golden.start);
    const training = startTraining(start, config);
    const loss = ({ b, w }: Line, _: undefined, step: number) => {
      const slope = record(golden.gradients[step]!);
      return add(sum(mul(b, slope.b)), sum(mul(w, slope.w))) as Scalar;
    };
    const schedule = (step: number) => config.learningRate * golden.factors[step]!;
    for await (const { step } of train(training, { loss, schedule, steps: 25 })) {
      await expectTorch(training.state, weights[step]);
    }
    disposeTraining(training);
    disposeParams(start);
  });
}

test("the golden file has every optimizer", () => {
  const names = ["adadelta", "adagrad", "adam", "adamax", "adamw", "momentum", "rmsprop", "sgd"];
  expect([...new Set(golden.cases.map(({ config }) => config.name))].sort()).toEqual(names);
});

test("sgd, momentum and adam are those of tfjs-core at a constant rate and equal constants", async () => {
  // tfjs-core's momentum carries the rate, which a constant rate cannot show.
  const pairs = [
    [{ name: "sgd", learningRate: 0.1 }, new SGDOptimizer(0.1)],
    [{ name: "momentum", learningRate: 0.1, momentum: 0.8 }, new MomentumOptimizer(0.1, 0.8)],
    [
      { name: "momentum", learningRate: 0.1, momentum: 0.8, nesterov: true },
      new MomentumOptimizer(0.1, 0.8, true),
    ],
    [{ name: "adam", learningRate: 0.1, epsilon: 1e-7 }, new AdamOptimizer(0.1, 0.9, 0.999, 1e-7)],
  ] as const;
  const slope = [3, -0.2, 1e-2];
  for (const [config, theirs] of pairs) {
    const p = tensor([1, 2, 3]);
    const v = variable(p);
    const training = startTraining({ p }, config);
    const loss = (at: Tensor, step: number) =>
      sum(mul(at, tensor(slope.map((s) => s * Math.cos(step))))) as Scalar;
    for await (const { step } of train(training, { loss: (s, _, step) => loss(s.p, step), steps: 10 })) {
      theirs.minimize(() => loss(v, step - 1), false, [v]);
    }
    const [ours, other] = [await training.state.p.data(), await v.data()];
    // Ten updates of at most 0.6, each rounded a dozen times.
    for (const [i, x] of ours.entries()) expect(Math.abs(x - other[i]!)).toBeLessThan(10 * 12 * 4 * 2 ** -24);
    disposeTraining(training);
    v.dispose();
  }
});

test("centered rmsprop stays finite for slopes of thousands, whose variance rounding makes negative", async () => {
  const slopes = Array.from({ length: 16 }, (_, i) => 1234.5 + 567.8 * i);
  const p = tensor(slopes.map(() => 1));
  const config = { name: "rmsprop", learningRate: 1e-6, decay: 0.9, centered: true } as const;
  const training = startTraining({ p }, config);
  const loss = (at: { p: Tensor }) => sum(mul(at.p, tensor(slopes))) as Scalar;
  let negative = 0;
  for await (const _ of train(training, { loss, steps: 400 })) {
    const square = await training.slots.meanSquare!.p!.data();
    const mean = await training.slots.meanGradient!.p!.data();
    for (const [i, m] of mean.entries()) if (square[i]! - Math.fround(m * m) < 0) negative++;
  }
  for (const x of await training.state.p.data()) expect(Number.isFinite(x)).toBe(true);
  expect(negative).toBeGreaterThan(0); // there was something to be saved from
  disposeTraining(training);
  p.dispose();
});

test("update and slots leave what they are given alone, and give new tensors", async () => {
  const given = { a: tensor([1, 2]), deep: [{ c: tensor([3]) }] };
  const gradients = mapParams(given, () => tensor([0.5]));
  gradients.a.dispose();
  const both = { ...gradients, a: tensor([1, -1]) };
  const { slots: slotsOf, update, config } = createOptimizer({ name: "adamw", learningRate: 0.5 });
  expect(config).toEqual({
    ...{ name: "adamw", learningRate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
  });
  const slots = slotsOf(given);
  expect(Object.keys(slots)).toEqual(["firstMoment", "secondMoment"]);
  const before = memory().numTensors;
  const next = update({ params: given, gradients: both, slots }, { count: 1 });
  expect(memory().numTensors - before).toBe(6);
  expect(Array.from(await given.a.data())).toEqual([1, 2]);
  expect(Array.from(await slots.firstMoment!.a.data())).toEqual([0, 0]);
  // The first step of Adam is the rate in the gradient's direction, after the decay by 0.5 · 0.01.
  const close = (await next.params.a.data()).map((x, i) => x - [0.995 - 0.5, 1.99 + 0.5][i]!);
  for (const error of close) expect(Math.abs(error)).toBeLessThan(1e-6);
  for (const each of [given, both, ...Object.values(slots), next.params, ...Object.values(next.slots)]) {
    disposeParams(each);
  }
  expect(flattenParams(next.params).map(([path]) => path)).toEqual(["a", "deep.0.c"]);
});

test("an update that does not line up is refused before any work", async () => {
  const { slots: slotsOf, update } = createOptimizer({ name: "momentum", learningRate: 1 });
  const params = { a: tensor([1, 2]) };
  const gradients = { a: tensor([1, 2]) };
  const slots = slotsOf(params);
  await expectNoLeak(() => {
    const run =
      (given: object, options: object = { count: 1 }) =>
      () =>
        update({ params, gradients, slots, ...given }, options as { count: number });
    expect(run({ gradients: {} })).toThrow("update: gradients: a: expected a tensor [2], got none");
    expect(run({ gradients: { a: slots } })).toThrow("update: gradients: a: expected a tensor [2], got none");
    expect(run({ slots: {} })).toThrow(
      "update: slots: momentum: expected a record of tensors, got undefined",
    );
    expect(run({}, { count: 0 })).toThrow("update: count: expected an integer, at least 1, got 0");
    expect(run({}, { count: 1, learningRate: -1 })).toThrow("update: learningRate: expected a finite number");
    expect(() => createOptimizer({ name: "adam", learningRate: 1, beta2: 1 })).toThrow(
      new RangeError("createOptimizer: beta2: expected a number in [0, 1), got 1"),
    );
  });
  expect(await numbers(params.a)).toEqual([1, 2]);
});

test("the defaults are PyTorch's, also where 25 updates cannot tell them apart", () => {
  const moments = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  const defaults = {
    sgd: {},
    momentum: { momentum: 0.9, nesterov: false },
    adam: moments,
    adamw: { ...moments, weightDecay: 0.01 },
    adamax: moments,
    rmsprop: { decay: 0.99, momentum: 0, epsilon: 1e-8, centered: false },
    adagrad: { initialAccumulator: 0, epsilon: 1e-10 },
    adadelta: { rho: 0.9, epsilon: 1e-6 },
  } as const;
  for (const name of Object.keys(defaults) as (keyof typeof defaults)[]) {
    const { config } = createOptimizer({ name, learningRate: 0.5 });
    expect(config).toEqual({ name, learningRate: 0.5, ...defaults[name] });
  }
});
