import { readFileSync } from "node:fs";
import {
  add,
  cast,
  customGrad,
  getGradient,
  matMul,
  mean,
  memory,
  mul,
  type Scalar,
  scalar,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor,
  tidy,
  unregisterGradient,
} from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import {
  disposeParams,
  disposeTraining,
  loadCheckpoint,
  lossAndGradients,
  NonFiniteError,
  type OptimizerConfig,
  type PlateauOptions,
  reportValidation,
  type StartTrainingOptions,
  saveCheckpoint,
  startAverage,
  startTraining,
  type Training,
  train,
} from "../src/index.js";
import { expectNoLeak, numbers, wave } from "./tensors.js";

const of = async (x: Tensor) => Array.from(await x.data());
const sgd = { name: "sgd", learningRate: 0.5 } as const;

/** A state `{params, statistics}` of which `params.p` is trained: the loss is p², the statistics count and add. */
const counting = () => ({
  params: { p: scalar(4) },
  statistics: { calls: scalar(0), sum: tensor([0, 0]), seen: tensor([7], [1], "int32") },
});
type Counting = ReturnType<typeof counting>;
const countingLoss = ({ params, statistics }: Counting) => ({
  loss: square(params.p) as Scalar,
  moved: {
    statistics: { calls: add(statistics.calls, 1), sum: add(statistics.sum, [1, 2]) },
  },
  // Counts are numbers too.
  seen: { p: params.p, calls: cast(mul(statistics.calls, 10), "int32") },
});

function started(
  options: StartTrainingOptions = {},
  config: OptimizerConfig = { ...sgd, learningRate: 0.25 },
) {
  const state = counting();
  const training = startTraining(state, config, options);
  disposeParams(state);
  return training;
}

test("under `params` is what is trained; the rest moves with `moved`, and `seen` is read along", async () => {
  const training = started();
  expect(training.trained).toEqual(["params.p"]);
  const steps = [];
  for await (const { step, loss, seen } of train(training, { loss: countingLoss, steps: 3 })) {
    steps.push([step, loss, seen, await of(training.state.statistics.calls)]);
  }
  expect(steps).toEqual([
    [1, 16, { p: 4, calls: 0 }, [1]],
    [2, 4, { p: 2, calls: 10 }, [2]],
    [3, 1, { p: 1, calls: 20 }, [3]],
  ]);
  expect(await of(training.state.statistics.sum)).toEqual([3, 6]);
  expect(await of(training.state.params.p)).toEqual([0.5]);
  disposeTraining(training);
});

test("moved and seen leave no tensor behind, in an update and in one that fails", async () => {
  const training = started();
  await expectNoLeak(async () => {
    for await (const { step } of train(training, { loss: countingLoss, accumulate: 2 }))
      if (step === 3) break;
    const failing = (state: Counting) => {
      const result = countingLoss(state);
      return { ...result, loss: mul(result.loss, Number.NaN) as Scalar };
    };
    await expect(train(training, { loss: failing }).next()).rejects.toThrow(NonFiniteError);
    const wrong = (state: Counting) => ({ ...countingLoss(state), seen: { p: state.statistics.sum } });
    await expect(train(training, { loss: wrong }).next()).rejects.toThrow(
      "train: seen: p: expected [], got [2]",
    );
  });
  disposeTraining(training);
});

test("moved may be a tensor of the state itself or of the batch", async () => {
  const state = { params: { p: scalar(1) }, carry: { a: scalar(2), b: scalar(3) } };
  const training = startTraining(state, sgd);
  for await (const _ of train(training, {
    batch: (step) => scalar(step + 10),
    loss: ({ params, carry }, batch: Scalar) => ({
      loss: square(params.p) as Scalar,
      moved: { carry: { a: carry.b, b: batch } },
    }),
    steps: 2,
  }));
  expect(await of(training.state.carry.a)).toEqual([10]);
  expect(await of(training.state.carry.b)).toEqual([11]);
  expect(await of(state.carry.a)).toEqual([2]);
  disposeTraining(training);
});

test("an update that is rejected or aborted moves nothing", async () => {
  const training = started();
  const controller = new AbortController();
  const reason = new Error("enough");
  for await (const _ of train(training, { loss: countingLoss, steps: 1 }));
  const attempts: [ReturnType<typeof train>, unknown][] = [
    [
      train(training, {
        accumulate: 3,
        loss: (state: Counting, _: undefined, step) => {
          const result = countingLoss(state);
          return step % 3 === 2 ? { ...result, loss: mul(result.loss, Number.NaN) as Scalar } : result;
        },
      }),
      expect.any(NonFiniteError),
    ],
    [
      train(training, {
        loss: (state: Counting) => {
          controller.abort(reason);
          return countingLoss(state);
        },
        signal: controller.signal,
      }),
      reason,
    ],
  ];
  for (const [steps, error] of attempts) {
    expect(await steps.next().catch((e: unknown) => e)).toEqual(error);
    expect(await of(training.state.statistics.calls)).toEqual([1]);
    expect(await of(training.state.params.p)).toEqual([2]);
    expect(training.step).toBe(1);
  }
  disposeTraining(training);
});

test("a record without `params` is all parameters, and `trainable` names what of it", async () => {
  const state = { a: scalar(1), b: scalar(1), count: tensor([1], [1], "int32") };
  const all = startTraining(state, sgd);
  expect(all.trained).toEqual(["a", "b"]);
  const some = startTraining(state, sgd, { trainable: (path, { rank }) => path !== "a" && rank === 0 });
  expect(some.trained).toEqual(["b"]);
  for await (const _ of train(some, {
    loss: ({ a, b }) => ({ loss: add(square(a), square(b)) as Scalar, moved: { a: scalar(9) } }),
    steps: 1,
  }));
  expect(await of(some.state.a)).toEqual([9]);
  expect(await of(some.state.b)).toEqual([0]);
  expect(() => startTraining({ params: {}, a: scalar(1) }, sgd)).toThrow(
    "startTraining: state: expected at least one float32 tensor to train, got none",
  );
  const nested = startTraining({ params: { fc: scalar(1), conv: scalar(2) }, paramsToo: scalar(1) }, sgd, {
    trainable: (path) => path.startsWith("params.f"),
  });
  expect(nested.trained).toEqual(["params.fc"]);
  const single = startTraining({ params: scalar(1), scale: scalar(2) }, sgd);
  expect(single.trained).toEqual(["params"]);
  for (const each of [all, some, nested, single] as Training<unknown>[]) disposeTraining(each);
});

test("what cannot be moved is refused with its path", async () => {
  const refused: [moved: object, message: string][] = [
    [
      { params: { p: scalar(1) } },
      "train: moved: params.p: expected a tensor of the state that is not trained, got one that is trained",
    ],
    [
      { statistics: { other: scalar(1) } },
      "train: moved: statistics.other: expected a tensor of the state that is not trained, got none of this path",
    ],
    [{ statistics: { sum: scalar(1) } }, "train: moved: statistics.sum: expected [2], got []"],
    [{ statistics: { seen: tensor([1]) } }, "train: moved: statistics.seen: expected int32, got float32"],
    [{ statistics: 3 }, "train: moved: statistics: expected a tensor or a record of tensors, got 3"],
  ];
  const training = started();
  for (const [moved, message] of refused) {
    const loss = (state: Counting) => ({ loss: square(state.params.p) as Scalar, moved });
    await expect(train(training, { loss }).next()).rejects.toThrow(message);
  }
  const seen: [seen: object, message: string][] = [
    [{ "": scalar(1) }, 'train: seen: expected names other than "", got ""'],
    [{ a: 3 }, "train: seen: a: expected a scalar, got 3"],
  ];
  for (const [given, message] of seen) {
    const loss = (state: Counting) => ({ loss: square(state.params.p) as Scalar, seen: given as never });
    await expect(train(training, { loss }).next()).rejects.toThrow(message);
  }
  const int = train(training, { loss: () => scalar(1, "int32") as Scalar }).next();
  await expect(int).rejects.toThrow("train: loss: expected float32, got int32");
  disposeTraining(training);
});

/** Least squares: 8 samples of 3 numbers. */
const [x, y] = [wave([8, 3]) as Tensor2D, wave([8, 2], 1) as Tensor2D];
const rows = (t: Tensor2D, from: number, count: number) => slice(t, [from, 0], [count, -1]);
const squares = ({ w }: { w: Tensor2D }, { x, y }: { x: Tensor2D; y: Tensor2D }) =>
  mean(square(sub(matMul(x, w), y))) as Scalar;

for (const clip of [{}, { maxNorm: 0.1 }, { maxValue: 0.03 }]) {
  test(`four batches of 2 make the update of one batch of 8, with ${JSON.stringify(clip)}`, async () => {
    const start = { w: wave([3, 2], 2) as Tensor2D };
    const config = { name: "adam", learningRate: 0.1 } as const;
    const [whole, parts] = [startTraining(start, config), startTraining(start, config)];
    const asked: number[] = [];
    const one = train(whole, {
      ...clip,
      loss: squares,
      batch: () => ({ x: rows(x, 0, 8), y: rows(y, 0, 8) }),
      steps: 10,
    });
    const four = train(parts, {
      ...clip,
      accumulate: 4,
      loss: (state, batch: { x: Tensor2D; y: Tensor2D }, step) => {
        asked.push(step);
        return { loss: squares(state, batch), seen: { step: scalar(step) } };
      },
      batch: (step) => ({ x: rows(x, 2 * (step % 4), 2), y: rows(y, 2 * (step % 4), 2) }),
      steps: 10,
    });
    for (let i = 0; i < 10; i++) {
      const [a, b] = [(await one.next()).value!, (await four.next()).value!];
      // Sums of 8 products of numbers below 4 in another order, ten updates of Adam, which divides by the gradient's size.
      expect(Math.abs(a.loss - b.loss)).toBeLessThan(1e-5);
      expect(Math.abs(a.gradientNorm - b.gradientNorm)).toBeLessThan(1e-5);
      expect([b.step, b.seen.step]).toEqual([i + 1, 4 * i + 1.5]);
    }
    expect(asked).toEqual(Array.from({ length: 40 }, (_, i) => i));
    const [a, b] = [await of(whole.state.w), await of(parts.state.w)];
    for (const [i, value] of a.entries()) expect(Math.abs(value - b[i]!)).toBeLessThan(1e-5);
    for (const each of [whole, parts]) disposeTraining(each);
  });
}

test("a batch of null in the middle of an update ends the training without it", async () => {
  const training = started();
  const steps = train(training, {
    accumulate: 2,
    batch: (step) => (step === 3 ? null : step),
    loss: (state: Counting, _: number) => countingLoss(state),
  });
  await expectNoLeak(async () => {
    expect((await steps.next()).value).toMatchObject({ step: 1, seen: { calls: 5 } });
    expect(await steps.next()).toEqual({ done: true, value: undefined });
  });
  expect([training.step, ...(await of(training.state.statistics.calls))]).toEqual([1, 2]);
  disposeTraining(training);
});

test("each path has its own multiple of the rate, which its decay follows too; 0 leaves it alone", async () => {
  const start = { a: tensor([1]), b: tensor([1]), c: tensor([1]) };
  const training = startTraining(start, { name: "sgd", learningRate: 0.1 });
  const loss = (s: typeof start) => sum(add(add(s.a, s.b), s.c)) as Scalar;
  const factors: Record<string, number> = { a: 1, b: 0.5, c: 0 };
  const options = { loss, weightDecay: 0.2, rates: (path: string) => factors[path]! };
  for await (const { learningRate } of train(training, { ...options, steps: 1 }))
    expect(learningRate).toBe(0.1);
  const got = [training.state.a, training.state.b, training.state.c];
  for (const [i, expected] of [1 * 0.98 - 0.1, 1 * 0.99 - 0.05, 1].entries()) {
    expect((await of(got[i]!))[0]).toBeCloseTo(expected, 6);
  }
  const before = await Promise.all(got.map(of));
  const wrong = train(training, { ...options, rates: (path) => (path === "c" ? -1 : 1) }).next();
  await expect(wrong).rejects.toThrow("train: rates: c: expected a finite number, at least 0, got -1");
  expect(await Promise.all(got.map(of))).toEqual(before);
  disposeTraining(training);
});

test("weight decay goes by the schedule's rate, not by the optimizer's, and adamw's own gives way to the option", async () => {
  const p = tensor([2]);
  const still = (s: { p: Tensor }) => sum(mul(s.p, 0)) as Scalar;
  for (const [config, weightDecay, expected] of [
    [{ name: "sgd", learningRate: 99 }, 0.5, 2 * (1 - 0.1 * 0.5)],
    [{ name: "adamw", learningRate: 99, weightDecay: 0.5 }, undefined, 2 * (1 - 0.1 * 0.5)],
    [{ name: "adamw", learningRate: 99, weightDecay: 0.5 }, 0, 2],
    [{ name: "adamw", learningRate: 99, weightDecay: 0.5 }, 0.25, 2 * (1 - 0.1 * 0.25)],
    [{ name: "adamw", learningRate: 99 }, undefined, 2 * (1 - 0.1 * 0.01)],
    [{ name: "adam", learningRate: 99 }, undefined, 2],
  ] as const) {
    const training = startTraining({ p }, config);
    const options = {
      loss: still,
      schedule: () => 0.1,
      steps: 1,
      ...(weightDecay !== undefined && { weightDecay }),
    };
    for await (const _ of train(training, options));
    expect((await of(training.state.p))[0]).toBeCloseTo(expected, 6);
    disposeTraining(training);
  }
});

test("clipping by value bounds each element, before the optimizer and after the mean of the batches", async () => {
  const p = tensor([0, 0, 0]);
  const slope = tensor([3, -0.5, -4]);
  const training = startTraining({ p }, { name: "sgd", learningRate: 1 });
  const loss = (s: { p: Tensor }, _: undefined, step: number) => sum(mul(s.p, mul(slope, step))) as Scalar;
  // The batches 0 and 1 have the mean slope/2.
  for await (const { gradientNorm } of train(training, { loss, maxValue: 1, accumulate: 2, steps: 1 })) {
    expect(gradientNorm).toBeCloseTo(Math.hypot(1.5, 0.25, 2), 6);
  }
  expect(await of(training.state.p)).toEqual([-1, 0.25, 1]);
  expect(() => train(training, { loss, maxValue: 0 })).toThrow("train: maxValue: expected a finite number");
  expect(() => train(training, { loss, maxValue: 1, maxNorm: 1 })).toThrow(
    "train: maxNorm, maxValue: expected one of them, got both",
  );
  expect(() => train(training, { loss, accumulate: 0 })).toThrow(
    "train: accumulate: expected an integer, at least 1, got 0",
  );
  disposeTraining(training);
});

test("a tensor that a loss did not use keeps its own count, so that its first update is a first one", async () => {
  const start = { a: scalar(1), b: scalar(1) };
  const training = startTraining(start, { name: "adam", learningRate: 0.1 });
  const loss = ({ a, b }: typeof start, _: undefined, step: number) =>
    (step < 5 ? square(a) : add(square(a), square(b))) as Scalar;
  for await (const _ of train(training, { loss, steps: 6 }));
  expect(training.counts).toEqual({ a: 6, b: 1 });
  // The first step of Adam is the rate itself, whatever the gradient.
  expect((await of(training.state.b))[0]).toBeCloseTo(0.9, 5);
  disposeTraining(training);
});

test("averages follow their formula, after the update, and share what is not trained", async () => {
  for (const average of [{ decay: 0.75 }, { from: 3 }] as const) {
    const training = started({ average });
    expect(training.average!.statistics.calls).toBe(training.state.statistics.calls);
    expect(await of(training.average!.params.p)).toEqual([4]);
    const weights: number[] = [];
    let expected = 0;
    for await (const { step } of train(training, { loss: countingLoss, steps: 6 })) {
      const [weight] = await of(training.state.params.p);
      weights.push(weight!);
      if ("decay" in average) expected = step === 1 ? weight! : 0.75 * expected + 0.25 * weight!;
      else expected = step < 3 ? weight! : weights.slice(2).reduce((a, b) => a + b) / (step - 2);
      expect((await of(training.average!.params.p))[0]).toBeCloseTo(expected, 6);
    }
    await expectNoLeak(async () => {
      for await (const { step } of train(training, { loss: countingLoss })) if (step === 8) break;
    });
    const before = memory().numTensors;
    disposeTraining(training);
    expect(before - memory().numTensors).toBe(5);
  }
  for (const [average, message] of [
    [{ decay: 1 }, "startTraining: average: decay: expected a number in [0, 1), got 1"],
    [{ from: 0 }, "startTraining: average: from: expected an integer, at least 1, got 0"],
    [{}, "startTraining: average: expected {decay} or {from}, got {}"],
    [{ decay: 0.9, from: 1 }, "startTraining: average: expected {decay} or {from}, got {decay, from}"],
    [3, "startTraining: average: expected {decay} or {from}, got 3"],
  ] as const) {
    expect(() => started({ average: average as never })).toThrow(message);
  }
});

test("averages that begin in the middle are those of the updates after, and go on in a checkpoint to the bit", async () => {
  const training = started();
  for await (const { step } of train(training, { loss: countingLoss })) if (step === 2) break;
  expect(() => startAverage(training, { from: 2 })).toThrow(
    "startAverage: options: from: expected an update to come, after 2, got 2",
  );
  startAverage(training);
  expect(await of(training.average!.params.p)).toEqual(await of(training.state.params.p));
  expect(() => startAverage(training)).toThrow("startAverage: training: expected one without averages");
  const resumed = loadCheckpoint(await saveCheckpoint(training), training.state);
  const weights: number[] = [];
  for await (const { step } of train(training, { loss: countingLoss, steps: 5 })) {
    weights.push((await of(training.state.params.p))[0]!);
    const mean = weights.reduce((a, b) => a + b) / weights.length;
    expect((await of(training.average!.params.p))[0], `${step}`).toBeCloseTo(mean, 6);
  }
  for await (const step of train(resumed, { loss: countingLoss, steps: 5 })) void step;
  expect(await saveCheckpoint(resumed)).toEqual(await saveCheckpoint(training));
  for (const one of [training, resumed]) disposeTraining(one);
});

interface PlateauGolden {
  readonly losses: number[];
  readonly cases: readonly { readonly options: PlateauOptions; readonly rates: number[] }[];
}
const plateau: PlateauGolden = JSON.parse(
  readFileSync(new URL("golden/optimizers.json", import.meta.url), "utf8"),
).plateau;
for (const { options, rates } of plateau.cases) {
  test(`reduce on plateau ${JSON.stringify(options)}: the rates of PyTorch`, async () => {
    const training = started({ plateau: options });
    const got = plateau.losses.map((loss) => reportValidation(training, loss));
    for (const [i, rate] of got.entries()) expect(rate, `report ${i}`).toBeCloseTo(rates[i]!, 12);
    expect(got.at(-1)).toBeLessThan(1);
    for await (const { learningRate } of train(training, {
      loss: countingLoss,
      schedule: () => 0.5,
      steps: 1,
    })) {
      expect(learningRate).toBe(0.5 * got.at(-1)!);
    }
    disposeTraining(training);
  });
}

test("a plateau must have been asked for, with options in range, and be told finite losses", () => {
  const training = started();
  expect(() => reportValidation(training, 1)).toThrow(
    "reportValidation: training: expected one started with a plateau, got none",
  );
  for (const [options, message] of [
    [{ factor: 1 }, "factor: expected a number in [0, 1), got 1"],
    [{ patience: -1 }, "patience: expected an integer, at least 0, got -1"],
    [{ threshold: 1 }, "threshold: expected a number in [0, 1), got 1"],
    [{ cooldown: 0.5 }, "cooldown: expected an integer, at least 0, got 0.5"],
    [{ minScale: 2 }, "minScale: expected a number in [0, 1], got 2"],
  ] as const) {
    expect(() => started({ plateau: options })).toThrow(`startTraining: plateau: ${message}`);
  }
  const driven = started({ plateau: {} });
  expect(() => reportValidation(driven, Number.NaN)).toThrow(
    "reportValidation: loss: expected a finite number",
  );
  for (const each of [training, driven]) disposeTraining(each);
});

test("lossAndGradients gives the gradients of all parameters, of tensors and of variables, zeros where unused", async () => {
  const state = { params: { a: tensor([1, 2]), unused: tensor([3]) }, statistics: { s: scalar(5) } };
  const loss = ({ params, statistics }: typeof state) => mul(sum(square(params.a)), statistics.s) as Scalar;
  const training = startTraining(state, sgd);
  await expectNoLeak(async () => {
    for (const each of [state, training.state]) {
      const { loss: value, gradients } = lossAndGradients(each, loss);
      expect(await numbers(value)).toEqual([25]);
      expect(Object.keys(gradients)).toEqual(["a", "unused"]);
      expect(await numbers(gradients.a)).toEqual([10, 20]);
      expect(await numbers(gradients.unused)).toEqual([0]);
    }
    const bare = lossAndGradients({ p: training.state.params.a }, ({ p }) => sum(square(p)) as Scalar);
    expect(await numbers(bare.gradients.p)).toEqual([2, 4]);
    bare.loss.dispose();
    expect(() => lossAndGradients(state, ({ params }) => square(params.a) as Scalar)).toThrow(
      "lossAndGradients: loss: expected [], got [2]",
    );
    expect(() => lossAndGradients(state, () => scalar(1))).toThrow("got one with no connection to any");
    expect(() => lossAndGradients({ params: {} }, () => scalar(1))).toThrow(
      "lossAndGradients: state: expected at least one parameter, got none",
    );
  });
  const integers = { p: tensor([1], [1], "int32") };
  expect(() => lossAndGradients(integers, () => scalar(1))).toThrow(
    "lossAndGradients: state: p: expected float32, got int32",
  );
  disposeTraining(training);
});

test("a loss may be a parameter itself, and one gradient that of two parameters", async () => {
  const state = { a: scalar(3), b: scalar(4) };
  await expectNoLeak(async () => {
    const training = startTraining(state, sgd);
    for await (const { loss } of train(training, { loss: ({ a }) => a, steps: 2 }))
      expect([3, 2.5]).toContain(loss);
    expect(await of(training.state.a)).toEqual([2]);
    disposeTraining(training);
    const both = customGrad((a, b) => ({
      value: add(a as Tensor, b as Tensor),
      gradFunc: (dy) => [dy as Tensor, dy as Tensor],
    }));
    const { loss, gradients } = lossAndGradients(state, ({ a, b }) => both(a, b) as Scalar);
    loss.dispose();
    expect(await numbers(gradients.a)).toEqual([1]);
    expect(await numbers(gradients.b)).toEqual([1]);
  });
  expect(await of(state.a)).toEqual([3]);
});

test("startTraining, loadCheckpoint and lossAndGradients install the gradients themselves", async () => {
  const p = tensor([3]);
  const trainings: Training<unknown>[] = [startTraining({ p }, sgd)];
  const bytes = await saveCheckpoint(trainings[0]!);
  for (const call of [
    () => trainings.push(startTraining({ p }, sgd)),
    () => trainings.push(loadCheckpoint(bytes)),
    () => disposeParams(lossAndGradients({ p }, (at) => sum(square(at.p)) as Scalar).gradients),
  ]) {
    unregisterGradient("Square");
    call();
    expect(getGradient("Square")).toBeDefined();
  }
  for (const training of trainings) disposeTraining(training);
});

test("a training that is started in a tidy outlives it, and so does what it remembers", async () => {
  const start = counting();
  let training: Training<Counting> | undefined;
  tidy(() => {
    training = startTraining(start, { name: "adam", learningRate: 0.1 }, { average: { decay: 0.9 } });
  });
  for await (const { step } of train(training!, { loss: countingLoss, steps: 2 }))
    expect(step).toBeLessThan(3);
  expect(await of(training!.slots.firstMoment!["params.p"]!)).not.toEqual([0]);
  disposeTraining(training!);
});
