import {
  add,
  dispose,
  engine,
  log,
  matMul,
  mean,
  memory,
  mul,
  type Scalar,
  scalar,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor2d,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import {
  disposeTraining,
  exponentialRate,
  flattenParams,
  installGradients,
  NonFiniteError,
  type OptimizerConfig,
  ShapeError,
  startTraining,
  type Training,
  type TrainingStep,
  type TrainOptions,
  train,
} from "../src/index.js";
import { expectNoLeak, golden, numbers } from "./tensors.js";

beforeAll(installGradients);

interface Line {
  readonly w: Tensor2D;
  readonly b: Tensor1D;
}

const { x, y, w, b, cases } = golden.training;

/** Least squares with the data of the golden file. */
const leastSquares = ({ w, b }: Line) =>
  mean(square(sub(add(matMul(tensor2d(x, [6, 3]), w), b), tensor2d(y, [6, 2])))) as Scalar;

function startLine(config: OptimizerConfig): Training<Line> {
  const line: Line = { w: tensor2d(w, [3, 2]), b: tensor(b) as Tensor1D };
  const training = startTraining(line, config);
  dispose([line.w, line.b]);
  return training;
}

async function weightsOf<P>(training: Training<P>): Promise<number[]> {
  const all = flattenParams(training.state as Record<string, Tensor>);
  return (await Promise.all(all.map(async ([, tensor]) => Array.from(await tensor.data())))).flat();
}

/** A parabola, Σ p², whose gradient is 2p. */
const parabola = ({ p }: { p: Tensor }) => sum(square(p)) as Scalar;
const startParabola = (values = [3, 4], learningRate = 0.25) => {
  const p = tensor(values);
  const training = startTraining({ p }, { name: "sgd", learningRate });
  p.dispose();
  return training;
};

async function collect<P, B>(
  training: Training<P>,
  options: TrainOptions<P, B>,
): Promise<Omit<TrainingStep, "seconds">[]> {
  const results = [];
  for await (const { seconds, ...result } of train(training, options)) {
    expect(seconds).toBeGreaterThanOrEqual(0);
    results.push(result);
  }
  return results;
}

const configs: [name: string, config: OptimizerConfig, options: Partial<TrainOptions<Line, undefined>>][] = [
  ["sgd", { name: "sgd", learningRate: 0.1 }, {}],
  ["momentum", { name: "momentum", learningRate: 0.05 }, {}],
  ["nesterov", { name: "momentum", learningRate: 0.05, nesterov: true }, {}],
  ["adam", { name: "adam", learningRate: 0.05, beta1: 0.8, beta2: 0.99 }, {}],
  ["adamW", { name: "adam", learningRate: 0.05 }, { weightDecay: 0.3 }],
  ["clipped", { name: "sgd", learningRate: 0.1 }, { maxNorm: 0.25 }],
];
for (const [name, config, options] of configs) {
  test(`${name}: losses, norms before clipping and weights of PyTorch after each step`, async () => {
    const training = startLine(config);
    const { losses, norms, weights } = cases[name]!;
    // 12 steps of a few float32 roundings on numbers below 8, which this problem does not amplify; Adam divides by
    // the root of small second moments, which doubles a relative error.
    const close = (got: number, expected: number) =>
      expect(Math.abs(got - expected)).toBeLessThan(8 * 48 * 2 ** -24);
    let i = 0;
    for await (const result of train(training, { loss: leastSquares, steps: losses.length, ...options })) {
      close(result.loss, losses[i]!);
      close(result.gradientNorm, norms[i]!);
      for (const [j, weight] of (await weightsOf(training)).entries()) close(weight, weights[i]![j]!);
      i++;
    }
    expect(i).toBe(losses.length);
    disposeTraining(training);
  });
}

test("each step reports the loss and norm before the update, the rate, and how many updates there were", async () => {
  const training = startParabola();
  expect(await collect(training, { loss: parabola, steps: 2 })).toEqual([
    { step: 1, loss: 25, gradientNorm: 10, learningRate: 0.25, seen: {} },
    { step: 2, loss: 6.25, gradientNorm: 5, learningRate: 0.25, seen: {} },
  ]);
  expect(await weightsOf(training)).toEqual([0.75, 1]);
  disposeTraining(training);
});

test("steps count from the very first update, so that a second loop goes on where the first stopped", async () => {
  const training = startParabola();
  await collect(training, { loss: parabola, steps: 1 });
  const rest = await collect(training, { loss: parabola, steps: 3 });
  expect(rest.map(({ step }) => step)).toEqual([2, 3]);
  expect(await collect(training, { loss: parabola, steps: 3 })).toEqual([]);
  disposeTraining(training);
});

test("schedule, batch and loss are asked for the number of updates before the step", async () => {
  const training = startParabola();
  const asked: unknown[] = [];
  const results = await collect(training, {
    schedule: exponentialRate(0.5, { factor: 0.5 }),
    batch: (step) => {
      asked.push(["batch", step]);
      return step;
    },
    loss: (params, batch: number, step) => {
      asked.push(["loss", batch, step]);
      return parabola(params);
    },
    steps: 2,
  });
  expect(asked).toEqual([["batch", 0], ["loss", 0, 0], ["batch", 1], ["loss", 1, 1]]); // biome-ignore format: a table
  expect(results.map(({ learningRate }) => learningRate)).toEqual([0.5, 0.25]);
  disposeTraining(training);
});

test("the schedule's rate is the one that is applied, for every optimizer", async () => {
  const names = ["sgd", "momentum", "adam", "adamw", "adamax", "rmsprop", "adagrad", "adadelta"] as const;
  for (const name of names) {
    const training = startLine({ name, learningRate: 123 });
    const before = await weightsOf(training);
    await collect(training, { loss: leastSquares, schedule: () => 0, steps: 2 });
    expect(await weightsOf(training), name).toEqual(before);
    await collect(training, { loss: leastSquares, schedule: () => 0.01, steps: 3 });
    expect(await weightsOf(training), name).not.toEqual(before);
    disposeTraining(training);
  }
});

test("a schedule that gives no rate stops the training before its batch", async () => {
  const training = startParabola();
  for (const rate of [-1, Number.NaN, undefined]) {
    const steps = collect(training, {
      loss: parabola,
      schedule: () => rate as number,
      batch: () => {
        throw new Error("asked for a batch");
      },
    });
    await expect(steps).rejects.toThrow(
      `train: learning rate: expected a finite number, at least 0, got ${rate}`,
    );
  }
  expect([training.step, ...(await weightsOf(training))]).toEqual([0, 3, 4]);
  disposeTraining(training);
});

test("a batch may come later, its tensors are disposed after the step, and null ends the training", async () => {
  const training = startParabola();
  await expectNoLeak(async () => {
    const results = await collect(training, {
      batch: async (step) => {
        await Promise.resolve();
        return step === 3
          ? null
          : { scale: scalar(2), more: [{ unused: zeros([3]) }], bytes: new Uint8Array(4) };
      },
      loss: ({ p }, { scale }) => sum(mul(scale, square(p))) as Scalar,
    });
    expect(results.map(({ loss }) => loss)).toEqual([50, 0, 0]);
  });
  disposeTraining(training);
});

for (const [name, bad] of [
  ["NaN", ({ p }: { p: Tensor }) => sum(log(sub(p, 1e3))) as Scalar],
  ["infinite loss", ({ p }: { p: Tensor }) => mul(sum(square(p)), 1e38) as Scalar],
  [
    "finite loss, infinite gradient",
    ({ p }: { p: Tensor }) => sum(mul(square(mul(p, 1e30)), 1e-30)) as Scalar,
  ],
] as const) {
  test(`${name}: the training stops with the weights of the last applied update`, async () => {
    const training = startParabola([3, 4]);
    const before = memory().numTensors;
    const loss = (params: { p: Tensor }, _: undefined, step: number) => (step < 2 ? parabola : bad)(params);
    const seen: number[] = [];
    const error = await (async () => {
      for await (const { step } of train(training, { loss })) seen.push(step);
    })().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    const { step, message, loss: value, gradientNorm } = error as NonFiniteError;
    expect(step).toBe(2);
    expect(message).toMatch(
      /^train: (loss|gradient norm) after 2 updates: expected a finite number, got (NaN|Infinity)$/,
    );
    expect(Number.isFinite(value) && Number.isFinite(gradientNorm)).toBe(false);
    expect(seen).toEqual([1, 2]);
    expect(training.step).toBe(2);
    expect(await weightsOf(training)).toEqual([0.75, 1]);
    expect(memory().numTensors).toBe(before);
    // and it can go on
    expect(await collect(training, { loss: parabola, steps: 3 })).toHaveLength(1);
    disposeTraining(training);
  });
}

test("breaking out of the loop leaves nothing but the training, and it can go on", async () => {
  const training = startParabola([1], 0.1);
  await expectNoLeak(async () => {
    for await (const { step } of train(training, { loss: parabola, batch: () => zeros([5]) })) {
      if (step === 5) break;
    }
  });
  expect(training.step).toBe(5);
  await collect(training, { loss: parabola, steps: 6 });
  expect(training.step).toBe(6);
  disposeTraining(training);
});

test("a pause is asking no more: nothing happens between two steps", async () => {
  const training = startParabola();
  const loop = train(training, { loss: parabola });
  await loop.next();
  const weights = await weightsOf(training);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await weightsOf(training)).toEqual(weights);
  expect((await loop.next()).value).toMatchObject({ step: 2 });
  await loop.return();
  expect((await loop.next()).done).toBe(true);
  disposeTraining(training);
});

test("an abort stops before the next update, also in the middle of a step, with the signal's reason", async () => {
  const training = startParabola();
  const reason = new Error("enough");
  let asked = 0;
  let computed = 0;
  for (const moment of ["before", "batch", "loss"]) {
    const before = [training.step, ...(await weightsOf(training))];
    const controller = new AbortController();
    if (moment === "before") controller.abort(reason);
    await expectNoLeak(async () => {
      const aborted = collect(training, {
        batch: async () => {
          asked++;
          if (moment === "batch") controller.abort(reason);
          return zeros([2]);
        },
        loss: (params) => {
          computed++;
          if (moment === "loss") controller.abort(reason);
          return parabola(params);
        },
        signal: controller.signal,
      });
      await expect(aborted).rejects.toBe(reason);
    });
    expect([training.step, ...(await weightsOf(training))]).toEqual(before);
    // An abort that came before asks for no batch, one that came with a batch computes no loss.
    const since = ["before", "batch", "loss"].indexOf(moment);
    expect([asked, computed]).toEqual([since, Math.max(0, since - 1)]);
  }
  disposeTraining(training);
});

test("what the loss or the batch throws comes out, nothing is left behind and nothing has changed", async () => {
  const training = startParabola();
  const mistake = new Error("mistake");
  await expectNoLeak(async () => {
    const failing = collect(training, {
      batch: () => zeros([2]),
      loss: ({ p }) => {
        square(mul(p, 2)); // saved for the gradient
        throw mistake;
      },
    });
    await expect(failing).rejects.toBe(mistake);
    await expect(collect(training, { batch: () => Promise.reject(mistake), loss: parabola })).rejects.toBe(
      mistake,
    );
    await expect(collect(training, { loss: ({ p }) => square(p) as Scalar })).rejects.toThrow(
      new ShapeError("train: loss: expected [], got [2]"),
    );
    await expect(collect(training, { loss: () => scalar(1) })).rejects.toThrow(/connection/);
    await expect(collect(training, { loss: () => 1 as unknown as Scalar })).rejects.toThrow(
      new TypeError("train: loss: expected a scalar, got 1"),
    );
  });
  expect(training.step).toBe(0);
  expect(await weightsOf(training)).toEqual([3, 4]);
  disposeTraining(training);
});

test("two loops that step at once over one training are refused", async () => {
  const training = startParabola();
  const [one, other] = [train(training, { loss: parabola }), train(training, { loss: parabola })];
  const first = one.next();
  await expect(other.next()).rejects.toThrow("train: training: expected no other step under way, got one");
  expect((await first).value).toMatchObject({ step: 1 });
  disposeTraining(training);
});

test("a parameter that the loss does not use is left alone, and the moments of the others keep their places", async () => {
  const start = { a: scalar(1), b: scalar(2), c: scalar(3) };
  const training = startTraining(start, { name: "adam", learningRate: 0.1 });
  const loss = (p: typeof start, _: undefined, step: number) =>
    (step % 2 === 0 ? add(square(p.a), square(p.c)) : add(square(p.b), square(p.c))) as Scalar;
  const alone = startTraining({ c: start.c }, { name: "adam", learningRate: 0.1 });
  const steps = train(training, { loss, weightDecay: 0.5, decays: (path) => path !== "c" });
  const alonesteps = train(alone, { loss: ({ c }) => square(c) as Scalar });
  await steps.next();
  await alonesteps.next();
  expect(await weightsOf(training)).toMatchObject({ 1: 2 });
  for (let i = 0; i < 5; i++) await Promise.all([steps.next(), alonesteps.next()]);
  expect((await weightsOf(training))[2]).toBe((await weightsOf(alone))[0]);
  disposeTraining(training);
  disposeTraining(alone);
});

test("tensors that are no floats are part of the training and not trained", async () => {
  const start = { p: tensor([3, 4]), count: tensor([1, 2], [2], "int32") };
  const training = startTraining(start, { name: "sgd", learningRate: 0.25 });
  await collect(training, { loss: parabola, steps: 1 });
  expect(await weightsOf(training)).toEqual([1, 2, 1.5, 2]);
  disposeTraining(training);
  expect(() => startTraining({ count: start.count }, { name: "sgd", learningRate: 1 })).toThrow(
    new RangeError("startTraining: state: expected at least one float32 tensor to train, got none"),
  );
});

test("the record that a training starts with keeps its values and stays the caller's", async () => {
  const p = tensor([3, 4]);
  await expectNoLeak(async () => {
    const training = startTraining({ p }, { name: "adam", learningRate: 0.1 });
    await collect(training, { loss: parabola, steps: 3 });
    disposeTraining(training);
  });
  expect(await numbers(p)).toEqual([3, 4]);
});

test("every optimizer trains 300 steps without a tensor more than after the first, and leaves none when disposed", async () => {
  const names = ["sgd", "momentum", "adam", "adamw", "adamax", "rmsprop", "adagrad", "adadelta"] as const;
  const all = [...names.map((name) => ({ name })), { name: "rmsprop", centered: true } as const];
  for (const config of all) {
    const { name } = config;
    await expectNoLeak(async () => {
      const variables = Object.keys(engine().registeredVariables).length;
      const training = startLine({ ...config, learningRate: 0.01 });
      let after = 0;
      const schedule = exponentialRate(0.01, { factor: 0.99 });
      const options = { schedule, maxNorm: 0.1, weightDecay: 0.01, steps: 300 };
      for await (const { step } of train(training, { loss: leastSquares, ...options })) {
        if (step === 1) after = memory().numTensors;
        else expect(memory().numTensors, `${name}, step ${step}`).toBe(after);
      }
      disposeTraining(training);
      expect(Object.keys(engine().registeredVariables).length).toBe(variables);
    });
  }
}, 60_000);

test("centered RMSProp follows its formula, for a gradient that is 0 and one that never changes too", async () => {
  // Both have the variance 0, of which tfjs-core takes the root after it has subtracted epsilon.
  const slopes = [0, 10, -0.3, 1e-3];
  const [rate, decay, momentum, epsilon] = [0.01, 0.9, 0.5, 1e-2];
  const p = tensor([1, 2, 3, 4]);
  const config = { name: "rmsprop", learningRate: rate, decay, momentum, epsilon, centered: true } as const;
  const training = startTraining({ p }, config);
  // The slope is halved every third step, so that there is a variance to estimate.
  const slopeAt = (slope: number, step: number) => (step % 3 === 2 && slope !== 10 ? slope / 2 : slope);
  const loss = (at: { p: Tensor }, _: undefined, step: number) =>
    sum(mul(at.p, tensor(slopes.map((slope) => slopeAt(slope, step))))) as Scalar;
  await collect(training, { loss, steps: 60 });
  const got = await weightsOf(training);
  for (const [i, slope] of slopes.entries()) {
    let [weight, meanSquare, mean, moment] = [i + 1, 0, 0, 0];
    for (let step = 0; step < 60; step++) {
      const g = slopeAt(slope, step);
      meanSquare = decay * meanSquare + (1 - decay) * g * g;
      mean = decay * mean + (1 - decay) * g;
      moment = momentum * moment + g / (Math.sqrt(Math.max(meanSquare - mean * mean, 0)) + epsilon);
      weight -= rate * moment;
    }
    // The difference of two numbers near 100 has an error of 100 · 2^-23 or 1.2e-5, beside an epsilon of 1e-2: 6e-4
    // of each step; all steps together move a weight by at most |got|.
    expect(Math.abs(got[i]! - weight)).toBeLessThan(1e-3 * Math.max(1, Math.abs(weight - (i + 1))));
  }
  disposeTraining(training);
  p.dispose();
});

test("options out of range are refused at the call, before a step is asked for", () => {
  const training = startParabola();
  const refused: [options: object, message: string][] = [
    [{ loss: 3 }, "train: loss: expected a function, got 3"],
    [{ batch: [] }, "train: batch: expected a function, got an array of length 0"],
    [{ steps: 1.5 }, "train: steps: expected an integer, at least 0, got 1.5"],
    [{ maxNorm: 0 }, "train: maxNorm: expected a float32 greater than 0, finite, got 0"],
    [{ weightDecay: -1 }, "train: weightDecay: expected a finite number, at least 0, got -1"],
  ];
  for (const [options, message] of refused) {
    expect(() => train(training, { loss: parabola, ...options })).toThrow(message);
  }
  disposeTraining(training);
});

test("optimizers that do not exist and options out of range are refused by name", () => {
  const p = tensor([1]);
  const start = (config: object) => () => startTraining({ p }, config as OptimizerConfig);
  expect(start({ name: "lion", learningRate: 1 })).toThrow(
    new RangeError(
      'startTraining: optimizer: name: expected one of sgd, momentum, adam, adamw, adamax, rmsprop, adagrad, adadelta, got "lion"',
    ),
  );
  expect(start({ name: "sgd" })).toThrow(
    new TypeError(
      "startTraining: optimizer: learningRate: expected a finite number, at least 0, got undefined",
    ),
  );
  expect(start({ name: "adam", learningRate: 1, beta1: 1 })).toThrow(
    new RangeError("startTraining: optimizer: beta1: expected a number in [0, 1), got 1"),
  );
  expect(start({ name: "sgd", learningRate: 1, momentum: 0.9 })).toThrow(
    new RangeError('startTraining: optimizer: expected the options learningRate for sgd, got "momentum"'),
  );
  expect(start({ name: "rmsprop", learningRate: 1, centered: 1 })).toThrow(
    new TypeError("startTraining: optimizer: centered: expected true or false, got 1"),
  );
  expect(() => startTraining({ a: p, b: [p] }, { name: "sgd", learningRate: 1 })).toThrow(
    new RangeError("startTraining: state: b.0: expected a tensor of its own, got that of a"),
  );
});
