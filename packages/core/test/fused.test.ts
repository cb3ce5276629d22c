import {
  add,
  grad,
  memory,
  mul,
  type Scalar,
  softmax,
  square,
  sum,
  type Tensor,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
  unregisterGradient,
} from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import {
  crossEntropy,
  disposeTraining,
  embed,
  fusedKernels,
  installGradients,
  runFused,
  startTraining,
  train,
} from "../src/index.js";
import { registerReference, runs } from "./reference-kernels.js";
import { expectNoLeak, wave } from "./tensors.js";

beforeAll(installGradients);

let unregister: () => void = () => undefined;
afterEach(() => {
  unregister();
  unregister = () => undefined;
});
const register = (...names: string[]) => {
  unregister = registerReference(names);
};

const values = async (make: () => Tensor) => {
  const result = tidy(make);
  const data = Array.from(await result.data());
  result.dispose();
  return data;
};

/** Fails unless both give the same numbers, of size 1, to a few roundings; leaks count too. */
async function expectSame(composed: readonly number[], make: () => Tensor): Promise<void> {
  await expectNoLeak(async () => {
    for (const [i, x] of (await values(make)).entries())
      expect(Math.abs(x - composed[i]!)).toBeLessThan(2e-6);
  });
}

const labels = tensor1d([1, 0, 3, 1, 2], "int32");
const ids = tensor([[1, 4], [4, 0]], [2, 2], "int32"); // biome-ignore format: rows
const ops: Readonly<Record<string, { at: Tensor; loss: (x: Tensor) => Tensor }>> = {
  GradlabCrossEntropy: {
    at: wave([5, 4]),
    loss: (z) => mul(crossEntropy(z, labels, { labelSmoothing: 0.2, ignoreIndex: 0, reduction: "sum" }), 0.5),
  },
  GradlabEmbed: {
    at: wave([6, 3]),
    loss: (t) => sum(mul(square(embed(t as Tensor2D, ids)), wave([2, 2, 3], 1))),
  },
};

for (const [name, { at, loss }] of Object.entries(ops)) {
  const backward = fusedKernels[name]!.backward!;
  const first = grad(loss);
  const second = grad((x) => sum(square(first(x))) as Tensor);

  test(`${name}: a registered pair of kernels computes the value and the gradient, as ordinary ops do`, async () => {
    const composed = [await values(() => loss(at)), await values(() => first(at))];
    register(name, backward);
    await expectSame(composed[0]!, () => loss(at));
    expect([runs[name], runs[backward]]).toEqual([1, 0]);
    await expectSame(composed[1]!, () => first(at));
    expect([runs[name], runs[backward]]).toEqual([2, 1]);
  });

  test(`${name}: a second derivative is composed, and right`, async () => {
    const composed = await values(() => second(at));
    expect(Math.max(...composed.map(Math.abs))).toBeGreaterThan(0.01);
    register(name, backward);
    await expectSame(composed, () => second(at));
    expect([runs[name], runs[backward]]).toEqual([0, 0]);
  });

  test(`${name}: without the kernel of its gradient it is taken for a value alone`, async () => {
    const composed = [await values(() => loss(at)), await values(() => first(at))];
    register(name);
    await expectSame(composed[0]!, () => loss(at));
    expect(runs[name]).toBe(1);
    await expectSame(composed[1]!, () => first(at));
    expect(runs[name]).toBe(1);
  });
}

test("the gradient of softmax is one kernel where there is one, within another gradient ordinary ops", async () => {
  const x = wave([2, 3, 4]);
  const loss = (x: Tensor) => sum(mul(softmax(x), wave([2, 3, 4], 1)));
  const first = grad(loss);
  const second = grad((x) => sum(square(first(x))) as Tensor);
  const composed = [await values(() => first(x)), await values(() => second(x))];
  register("GradlabSoftmaxGrad");
  await expectSame(composed[0]!, () => first(x));
  expect(runs.GradlabSoftmaxGrad).toBe(1);
  await expectSame(composed[1]!, () => second(x));
  expect(runs.GradlabSoftmaxGrad).toBe(2);
  expect(Math.max(...composed[1]!.map(Math.abs))).toBeGreaterThan(0.01);
});

test("a label and an id out of range give NaN by fused kernels too", async () => {
  register("GradlabCrossEntropy", "GradlabCrossEntropyGrad", "GradlabEmbed", "GradlabEmbedGrad");
  expect(await values(() => crossEntropy(wave([1, 2]), tensor1d([2], "int32")))).toEqual([Number.NaN]);
  const rows = await values(() => embed(wave([2, 2]) as Tensor2D, tensor1d([0, -1], "int32")));
  expect(rows.slice(2)).toEqual([Number.NaN, Number.NaN]);
  expect(rows.slice(0, 2).every(Number.isFinite)).toBe(true);
});

test("nothing at all is looked up and judged without a kernel", async () => {
  register("GradlabCrossEntropy", "GradlabCrossEntropyGrad", "GradlabEmbed", "GradlabEmbedGrad");
  expect(await values(() => embed(wave([2, 3]) as Tensor2D, tensor1d([], "int32")))).toEqual([]);
  expect(await values(() => crossEntropy(tensor([], [0, 3]), tensor1d([], "int32")))).toEqual([0]);
  expect([runs.GradlabCrossEntropy, runs.GradlabEmbed]).toEqual([0, 0]);
});

for (const [name, config, options] of [
  ["adam", { name: "adam", learningRate: 0.1 }, {}],
  ["adam clipped by norm", { name: "adam", learningRate: 0.1, beta1: 0.8 }, { maxNorm: 0.5 }],
  ["adam clipped by value", { name: "adam", learningRate: 0.1, beta2: 0.9, epsilon: 0.1 }, { maxValue: 0.3 }],
  ["adamw with accumulation", { name: "adamw", learningRate: 0.1, weightDecay: 0.3 }, { accumulate: 2 }],
  ["sgd clipped by norm", { name: "sgd", learningRate: 0.1 }, { maxNorm: 0.5 }],
  ["sgd clipped by value", { name: "sgd", learningRate: 0.1 }, { maxValue: 0.3 }],
  ["momentum", { name: "momentum", learningRate: 0.1, momentum: 0.8 }, {}],
  ["Nesterov, with accumulation", { name: "momentum", learningRate: 0.1, nesterov: true }, { accumulate: 2 }],
] as const) {
  test(`${name}: one kernel for each tensor makes the whole update, as ordinary ops do`, async () => {
    const start = { a: wave([3, 2]), b: wave([4], 1) };
    const loss = (s: typeof start, _: undefined, step: number) =>
      add(sum(mul(square(s.a), 1 + 0.5 * Math.cos(step))), sum(square(s.b))) as Scalar;
    const run = async () => {
      const training = startTraining(start, config);
      for await (const _ of train(training, { loss, ...options, steps: 6 }));
      const all = [
        training.state.a,
        training.state.b,
        ...Object.values(training.slots).map((slot) => slot.a!),
      ];
      const numbers = (await Promise.all(all.map(async (x) => Array.from(await x.data())))).flat();
      disposeTraining(training);
      return numbers;
    };
    const composed = await run();
    const kernel = ({ sgd: "GradlabSgd", momentum: "GradlabMomentum" } as Record<string, string>)[config.name] ?? "GradlabAdam"; // biome-ignore format: one line
    register(kernel);
    const before = memory().numTensors;
    const fused = await run();
    expect(memory().numTensors).toBe(before);
    expect(runs[kernel]).toBe(12);
    for (const [i, x] of fused.entries()) expect(Math.abs(x - composed[i]!)).toBeLessThan(2e-6);
  });
}

test("a name that is not in the table is refused", () => {
  expect(() => runFused("GradlabAdamant", {}, {})).toThrow(
    /^runFused: name: expected one of GradlabAdam, .*, got "GradlabAdamant"$/,
  );
});

test("without the gradient of its name a kernel is taken for a value alone, however many are registered", async () => {
  const lookUp = (table: Tensor) => sum(embed(table as Tensor2D, tensor1d([0], "int32")));
  register("GradlabEmbed", "GradlabEmbedGrad");
  unregisterGradient("GradlabEmbed");
  try {
    await values(() => lookUp(wave([2, 2])));
    expect(runs.GradlabEmbed).toBe(1);
    await expectSame([1, 1, 0, 0], () => grad(lookUp)(wave([2, 2])));
    expect(runs.GradlabEmbed).toBe(1);
  } finally {
    installGradients();
  }
});
