import { bernoulli, normal, randomStream } from "@gradlab/random";
import {
  readSafetensors,
  SafetensorsError,
  safetensorsHeaderLength,
  writeSafetensors,
} from "@gradlab/safetensors";
import {
  add,
  matMul,
  max,
  memory,
  mul,
  type Scalar,
  scalar,
  square,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tanh,
  tensor,
  tensor1d,
  tensor2d,
} from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  type AverageOptions,
  checkpointState,
  cosineRate,
  crossEntropy,
  disposeParams,
  disposeTraining,
  embed,
  flattenParams,
  installGradients,
  type JsonValue,
  loadCheckpoint,
  normalTensor,
  type OptimizerConfig,
  type Params,
  readCheckpointHeader,
  reportValidation,
  ShapeError,
  saveCheckpoint,
  startTraining,
  type Training,
  type TrainOptions,
  train,
  xavierUniform,
} from "../src/index.js";
import { expectNoLeak, numbers } from "./tensors.js";

beforeAll(installGradients);

interface Net {
  readonly table: Tensor2D;
  readonly layers: readonly { readonly kernel: Tensor2D; readonly bias: Tensor1D }[];
}

function init(): Net {
  const kernel = (purpose: string, shape: [number, number]) =>
    xavierUniform(shape, { seed: 1, purpose }) as Tensor2D;
  return {
    table: normalTensor([5, 3], { seed: 1, purpose: "table" }) as Tensor2D,
    layers: [
      { kernel: kernel("0", [3, 4]), bias: tensor1d([0, 0.1, 0, -0.1]) },
      { kernel: kernel("1", [4, 3]), bias: tensor1d([0, 0, 0]) },
    ],
  };
}

/** Data and dropout that differ in every step: a resume at the wrong step, or from another state, gives other bits. */
const options: TrainOptions<Net, Uint8Array> = {
  batch: (step) => {
    const stream = randomStream({ seed: 2, purpose: "batch", index: step });
    return Uint8Array.from({ length: 6 }, () => Math.min(4, Math.floor(2 + Math.abs(normal(stream)))));
  },
  loss: ({ table, layers: [first, second] }, ids, step) => {
    const stream = randomStream({ seed: 2, purpose: "dropout", index: step });
    const mask = tensor2d(
      Array.from({ length: 24 }, () => (bernoulli(stream, 0.5) ? 2 : 0)),
      [6, 4],
    );
    const hidden = tanh(
      add(matMul(embed(table, tensor1d(ids, "int32")) as Tensor2D, first!.kernel), first!.bias),
    );
    const logits = add(matMul(mul(hidden, mask) as Tensor2D, second!.kernel), second!.bias);
    return crossEntropy(
      logits,
      tensor1d(
        ids.map((id) => id % 3),
        "int32",
      ),
    );
  },
  schedule: cosineRate(0.05, { steps: 50 }),
  maxNorm: 0.7,
  weightDecay: 0.01,
  steps: 40,
};

function start(config: OptimizerConfig): Training<Net> {
  const net = init();
  const training = startTraining(net, config);
  disposeParams(net);
  return training;
}

const configs: OptimizerConfig[] = [
  { name: "sgd", learningRate: 0.1 },
  { name: "momentum", learningRate: 0.1, momentum: 0.8 },
  { name: "momentum", learningRate: 0.1, nesterov: true },
  { name: "adam", learningRate: 0.1, beta1: 0.85 },
  { name: "adamw", learningRate: 0.1, weightDecay: 0.02 },
  { name: "adamax", learningRate: 0.1 },
  { name: "rmsprop", learningRate: 0.1, momentum: 0.5 },
  { name: "rmsprop", learningRate: 0.1, centered: true, decay: 0.95 },
  { name: "adagrad", learningRate: 0.1, initialAccumulator: 0.3 },
  { name: "adadelta", learningRate: 0.1, rho: 0.9 },
];

/** A network that carries a hidden state from batch to batch, as `moved` of its loss. */
interface Carried {
  readonly params: Net;
  readonly carry: { readonly h: Tensor2D; readonly batches: Tensor };
}

const carried = (): Carried => ({
  params: init(),
  carry: { h: tensor2d(new Float32Array(24), [6, 4]), batches: scalar(0, "int32") },
});

/** Three batches for each of 12 updates; the loss of each depends on what the one before it moved. */
const carriedOptions: TrainOptions<Carried, Uint8Array> = {
  ...(options as Pick<typeof options, "maxNorm" | "weightDecay" | "schedule">),
  batch: options.batch!,
  loss: ({ params: { table, layers }, carry }, ids) => {
    const [first, second] = layers;
    const rows = embed(table, tensor1d(ids, "int32")) as Tensor2D;
    const hidden = tanh(add(add(matMul(rows, first!.kernel), first!.bias), mul(carry.h, 0.5)));
    const labels = tensor1d(
      ids.map((id) => id % 3),
      "int32",
    );
    return {
      loss: crossEntropy(add(matMul(hidden as Tensor2D, second!.kernel), second!.bias), labels),
      moved: { carry: { h: hidden, batches: add(carry.batches, scalar(1, "int32")) } },
      seen: { largest: max(hidden) },
    };
  },
  decays: (path) => path.endsWith("kernel"),
  rates: (path) => (path === "params.table" ? 0.5 : 1),
  accumulate: 3,
  steps: 12,
};

/** What a run did, with a report to the plateau after every second update. */
async function run(training: Training<Carried>, each: () => Promise<void> = async () => undefined) {
  const steps: object[] = [];
  for await (const { seconds: _, ...step } of train(training, carriedOptions)) {
    if (step.step % 2 === 0) reportValidation(training, 2 + Math.sin(step.step));
    steps.push(step);
    await each();
  }
  return steps;
}

for (const [i, config] of configs.entries()) {
  const { learningRate: _, ...shown } = config;
  const average: AverageOptions = i % 2 === 0 ? { decay: 0.9 } : { from: 5 };
  const title = `${JSON.stringify(shown)} with ${JSON.stringify(average)}, accumulation, a carried state and a plateau`;
  test(`${title}: 12 updates are the same bits as k, a checkpoint and the rest, for every k`, async () => {
    const like = carried();
    const straight = startTraining(like, config, {
      average,
      plateau: { factor: 0.5, patience: 0 },
      trainable: (path) => path !== "params.layers.0.bias",
    });
    const checkpoints = [await saveCheckpoint(straight)];
    const steps = await run(straight, async () => void checkpoints.push(await saveCheckpoint(straight)));
    expect(straight.plateau!.scale).toBeLessThan(1);
    expect(Array.from(await straight.state.carry.batches.data())).toEqual([36]);
    disposeTraining(straight);
    expect(checkpoints).toHaveLength(13);
    const last = checkpoints[12]!;
    await expectNoLeak(async () => {
      for (const [k, bytes] of checkpoints.entries()) {
        const resumed = loadCheckpoint(bytes, like);
        expect(resumed.step).toBe(k);
        // Losses, norms, rates and what was seen.
        expect(await run(resumed), `after ${k}`).toEqual(steps.slice(k));
        // Weights, slots, averages, step, plateau and configuration; the layout of the file is a function of them.
        expect(Buffer.compare(await saveCheckpoint(resumed), last), `bytes after ${k}`).toBe(0);
        disposeTraining(resumed);
      }
    });
    disposeParams(like);
  }, 60_000);
}

test("40 updates are the same bits as k, a checkpoint and the rest, of a bare record with dropout too", async () => {
  const straight = start({ name: "adam", learningRate: 0.1 });
  const checkpoints = [await saveCheckpoint(straight)];
  for await (const _ of train(straight, options)) checkpoints.push(await saveCheckpoint(straight));
  disposeTraining(straight);
  expect(checkpoints).toHaveLength(41);
  for (const k of [0, 1, 13, 39, 40]) {
    const resumed = loadCheckpoint(checkpoints[k]!);
    for await (const { step } of train(resumed as unknown as Training<Net>, options))
      expect(step).toBeGreaterThan(k);
    expect(Buffer.compare(await saveCheckpoint(resumed), checkpoints[40]!), `after ${k}`).toBe(0);
    disposeTraining(resumed);
  }
});

test("a tensor that some losses did not use resumes with its own count of updates", async () => {
  const state = { a: scalar(1), b: scalar(1) };
  const loss = ({ a, b }: typeof state, _: undefined, step: number) =>
    (step < 3 ? square(a) : add(square(a), square(b))) as Scalar;
  const straight = startTraining(state, { name: "adam", learningRate: 0.1 });
  for await (const _ of train(straight, { loss, steps: 5 }));
  const bytes = await saveCheckpoint(straight);
  expect(readCheckpointHeader(bytes).counts).toEqual({ b: 2 });
  const resumed = loadCheckpoint(bytes, state);
  expect(resumed.counts).toEqual({ a: 5, b: 2 });
  for (const each of [straight, resumed]) for await (const _ of train(each, { loss, steps: 7 }));
  expect(Buffer.compare(await saveCheckpoint(resumed), await saveCheckpoint(straight))).toBe(0);
  for (const each of [straight, resumed]) disposeTraining(each);
});

test("the header of a checkpoint can be read from its first bytes, without a tensor", async () => {
  const options = { average: { decay: 0.9 }, plateau: { patience: 3 } };
  const training = startTraining(carried(), { name: "momentum", learningRate: 0.1 }, options);
  training.extra = { epoch: 3 };
  const bytes = await saveCheckpoint(training);
  const first = bytes.slice(0, safetensorsHeaderLength(bytes));
  expect(first.length).toBeLessThan(bytes.length);
  await expectNoLeak(() => {
    const { shapes, ...header } = readCheckpointHeader(first);
    expect(header).toEqual({
      step: 0,
      config: { name: "momentum", learningRate: 0.1, momentum: 0.9, nesterov: false },
      trained: training.trained,
      counts: {},
      averaging: { decay: 0.9 },
      plateau: training.plateau,
      extra: { epoch: 3 },
    });
    expect(Object.fromEntries(shapes)).toMatchObject({ "carry.h": [6, 4], "params.layers.1.bias": [3] });
    expect(shapes.size).toBe(7);
  });
  expect(() => readCheckpointHeader(bytes.slice(0, 20))).toThrow(SafetensorsError);
  expect(() => readCheckpointHeader(writeSafetensors({ a: zeros([1]) }))).toThrow(
    'readCheckpointHeader: metadata "gradlab.training": expected the state of a training, got none',
  );
  disposeTraining(training);
});

test("a checkpoint is a safetensors file whose weights other tools can read", async () => {
  const training = start({ name: "adam", learningRate: 0.1 });
  for await (const { step } of train(training, options)) if (step === 3) break;
  training.extra = { cursor: 12, stream: { ...randomStream({ seed: 0, purpose: "data" }).toJSON() } };
  const { tensors, metadata } = readSafetensors(await saveCheckpoint(training));
  const paths = ["layers.0.bias", "layers.0.kernel", "layers.1.bias", "layers.1.kernel", "table"];
  expect([...tensors.keys()].sort()).toEqual(
    [
      ...paths.map((path) => `state.${path}`),
      ...paths.flatMap((path) => [`optimizer.firstMoment.${path}`, `optimizer.secondMoment.${path}`]),
    ].sort(),
  );
  expect(tensors.get("state.table")).toMatchObject({ dtype: "F32", shape: [5, 3] });
  expect(JSON.parse(metadata.get("gradlab.training")!)).toEqual({
    version: 2,
    step: 3,
    optimizer: { name: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
    trained: paths,
    counts: {},
    average: null,
    plateau: null,
    extra: training.extra,
  });
  disposeTraining(training);
});

test("frozen tensors are saved, stay frozen and keep their bits; the moments of the others keep their places", async () => {
  const net = init();
  const isFrozen = (path: string) => path.startsWith("layers.0");
  const options40 = { ...options, steps: 8 };
  const training = startTraining(
    net,
    { name: "adam", learningRate: 0.1 },
    { trainable: (path) => !isFrozen(path) },
  );
  for await (const { step } of train(training, options40)) if (step === 3) break;
  const bytes = await saveCheckpoint(training);
  expect(JSON.parse(readSafetensors(bytes).metadata.get("gradlab.training")!).trained).toEqual([
    "layers.1.bias",
    "layers.1.kernel",
    "table",
  ]);
  const resumed = loadCheckpoint(bytes, net);
  for (const each of [training, resumed]) {
    for await (const { step } of train(each, options40)) expect(step).toBeGreaterThan(3);
  }
  expect(Buffer.compare(await saveCheckpoint(resumed), await saveCheckpoint(training))).toBe(0);
  const before = new Map(flattenParams(net));
  for (const [path, tensor] of flattenParams(resumed.state)) {
    const same = Buffer.compare(
      Buffer.from((await tensor.data()).slice().buffer),
      Buffer.from((await before.get(path)!.data()).slice().buffer),
    );
    expect([path, same === 0]).toEqual([path, isFrozen(path)]);
  }
  for (const each of [training, resumed]) disposeTraining(each);
  disposeParams(net);
});

test("a checkpoint holds the moment of the call, whatever is trained before it is written", async () => {
  const training = start({ name: "adam", learningRate: 0.1 });
  const loop = train(training, options);
  await loop.next();
  const expected = await saveCheckpoint(training);
  const writing = saveCheckpoint(training);
  const stepping = loop.next();
  expect(Buffer.compare(await writing, expected)).toBe(0);
  await stepping;
  expect(training.step).toBe(2);
  disposeTraining(training);
});

test("extra comes back the same, and the bytes may be changed after loading", async () => {
  const training = start({ name: "sgd", learningRate: 0.1 });
  const extra: JsonValue = { a: [1, null, "ü", true, { b: 1e-300 }], "": 2 ** 53 };
  training.extra = extra;
  const bytes = await saveCheckpoint(training);
  const loaded = loadCheckpoint(bytes);
  bytes.fill(0);
  expect(loaded.extra).toEqual(extra);
  const [table, same] = [training.state.table, loaded.state.table as Tensor];
  expect(Array.from(await same.data())).toEqual(Array.from(await table.data()));
  for (const each of [training, loaded]) disposeTraining<Params | Net>(each);
});

test("the state alone is that of the training, number for number, and no tensor", async () => {
  const training = start({ name: "adam", learningRate: 0.1 });
  const bytes = await saveCheckpoint(training);
  const { numTensors } = memory();
  const state = checkpointState(bytes);
  expect(memory().numTensors).toBe(numTensors);
  const expected = flattenParams(training.state as unknown as Params);
  expect([...state.keys()].sort()).toEqual(expected.map(([path]) => path).sort());
  for (const [path, tensor] of expected) {
    expect(state.get(path)).toMatchObject({ dtype: "F32", shape: tensor.shape });
    expect(Array.from(state.get(path)!.data as Float32Array), path).toEqual(Array.from(await tensor.data()));
  }
  disposeTraining(training);
  expect(() => checkpointState(writeSafetensors({ a: zeros([1]) }))).toThrow(
    new RangeError(
      'checkpointState: metadata "gradlab.training": expected the state of a training, got none',
    ),
  );
  expect(() => checkpointState(bytes.subarray(0, bytes.length - 1))).toThrow(SafetensorsError);
});

test("extra that JSON would change without a word is refused, with its place", async () => {
  const training = start({ name: "sgd", learningRate: 0.1 });
  const cases: [extra: unknown, message: string][] = [
    [
      { a: [0, Number.NaN] },
      "saveCheckpoint: extra.a[1]: expected plain JSON (numbers finite, none -0), got NaN",
    ],
    [-0, 'saveCheckpoint: extra: expected plain JSON (numbers finite, none -0), got "-0"'],
    [
      { a: undefined },
      "saveCheckpoint: extra.a: expected plain JSON (numbers finite, none -0), got undefined",
    ],
    [
      { a: new Map() },
      "saveCheckpoint: extra.a: expected plain JSON (numbers finite, none -0), got an object (Map)",
    ],
  ];
  await expectNoLeak(async () => {
    for (const [extra, message] of cases) {
      training.extra = extra as JsonValue;
      await expect(saveCheckpoint(training)).rejects.toThrow(new TypeError(message));
    }
  });
  disposeTraining(training);
});

test("weights of every type and value come back to the bit: NaN, -0, subnormal numbers, integers, booleans", async () => {
  const start = {
    f: tensor([Number.NaN, -0, 1e-45, Number.NEGATIVE_INFINITY]),
    i: tensor([-(2 ** 31), 2 ** 31 - 1], [2], "int32"),
    b: tensor([1, 0, 1], [3], "bool"),
    s: scalar(3),
    none: tensor([], [0, 4]),
  };
  const training = startTraining(start, { name: "sgd", learningRate: 1 });
  const loaded = loadCheckpoint(await saveCheckpoint(training), start);
  for (const [path, tensor] of flattenParams(start)) {
    const got = new Map(flattenParams(loaded.state)).get(path)!;
    expect([got.shape, got.dtype]).toEqual([tensor.shape, tensor.dtype]);
    const bytes = async (t: Tensor) => new Uint8Array((await t.data()).slice().buffer);
    expect(await bytes(got)).toEqual(await bytes(tensor));
  }
  for (const each of [training, loaded]) disposeTraining(each);
});

/** The file of two steps of Adam with a change in it. */
async function changed(
  change: (file: ReturnType<typeof readSafetensors>, state: Record<string, unknown>) => void,
): Promise<Uint8Array> {
  const training = start({ name: "adam", learningRate: 0.1 });
  for await (const { step } of train(training, options)) if (step === 2) break;
  const file = readSafetensors(await saveCheckpoint(training));
  disposeTraining(training);
  const state = JSON.parse(file.metadata.get("gradlab.training")!);
  file.metadata.clear();
  change(file, state);
  if (!file.metadata.has("gradlab.training")) file.metadata.set("gradlab.training", JSON.stringify(state));
  return writeSafetensors(file.tensors, { metadata: file.metadata });
}

const zeros = (shape: number[]) => ({
  dtype: "F32" as const,
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});
const hostile: [name: string, change: Parameters<typeof changed>[0], message: RegExp][] = [
  ["no JSON", ({ metadata }) => metadata.set("gradlab.training", "{"), /training": expected JSON, got "\{"$/],
  [
    "JSON that is no object",
    ({ metadata }) => metadata.set("gradlab.training", "[1]"),
    /expected an object, got \[1\]$/,
  ],
  ["another version", (_, state) => Object.assign(state, { version: 1 }), /version: expected 2, got 1$/],
  [
    "a negative step",
    (_, state) => Object.assign(state, { step: -1 }),
    /step: expected an integer, at least 0, got -1$/,
  ],
  [
    "a list of trained paths that is none",
    (_, state) => Object.assign(state, { trained: "table" }),
    /trained: expected a list of paths, got "table"$/,
  ],
  [
    "a trained path twice",
    (_, state) => Object.assign(state, { trained: ["table", "table"] }),
    /trained: expected each path once, got \["table","table"\]$/,
  ],
  [
    "a trained path that is not there",
    (_, state) => Object.assign(state, { trained: ["tables"] }),
    /state\.tables: expected a float32 parameter to train, got none$/,
  ],
  [
    "slots of a tensor that is not trained",
    (_, state) => Object.assign(state, { trained: ["layers.0.bias"] }),
    /firstMoment\.layers\.0\.kernel: expected no such/,
  ],
  ["no counts", (_, state) => delete state.counts, /counts: expected an object, got undefined$/],
  [
    "a count above the step",
    (_, state) => Object.assign(state, { counts: { table: 3 } }),
    /counts: table: expected an integer in \[0, 2\], got 3$/,
  ],
  [
    "a count of no trained path",
    (_, state) => Object.assign(state, { counts: { tables: 1 } }),
    /counts: tables: expected a path that is trained, got another$/,
  ],
  ["a step that is no number", (_, state) => Object.assign(state, { step: "2" }), /step: .* got "2"$/],
  [
    "no optimizer",
    (_, state) => delete state.optimizer,
    /optimizer: expected \{name, learningRate, …\}, got undefined$/,
  ],
  [
    "an optimizer of Object.prototype",
    (_, state) => Object.assign(state, { optimizer: { name: "constructor", learningRate: 1 } }),
    /optimizer: name: expected one of .*, got "constructor"$/,
  ],
  [
    "a learning rate that is no number",
    (_, state) => Object.assign(state, { optimizer: { name: "adam", learningRate: "1" } }),
    /optimizer: learningRate: expected a finite number, at least 0, got "1"$/,
  ],
  [
    "the slots of another optimizer",
    (_, state) => Object.assign(state, { optimizer: { name: "momentum", learningRate: 1 } }),
    /optimizer\.momentum\.layers\.0\.bias: expected a tensor \[4\], got none$/,
  ],
  [
    "a slot too few",
    ({ tensors }) => tensors.delete("optimizer.firstMoment.table"),
    /firstMoment\.table: .* got none$/,
  ],
  [
    "averages that are no options",
    (_, state) => Object.assign(state, { average: { decay: 2 } }),
    /average: decay: expected a number in \[0, 1\), got 2$/,
  ],
  [
    "averages that are not there",
    (_, state) => Object.assign(state, { average: { decay: 0.5 } }),
    /average\.layers\.0\.bias: expected a tensor \[4\], got none$/,
  ],
  [
    "averages that nobody asked for",
    ({ tensors }) => tensors.set("average.table", zeros([5, 3])),
    /average\.table: expected no such tensor for no averaging$/,
  ],
  [
    "a plateau that is none",
    (_, state) => Object.assign(state, { plateau: 3 }),
    /plateau: expected an object, got 3$/,
  ],
  [
    "a plateau with a wrong option",
    (_, state) => Object.assign(state, { plateau: { options: { factor: 3 } } }),
    /plateau: options: factor: expected a number in \[0, 1\), got 3$/,
  ],
  [
    "a plateau that stands nowhere",
    (_, state) =>
      Object.assign(state, { plateau: { options: {}, scale: 2, best: null, bad: 0, cooling: 0 } }),
    /plateau: scale: expected a number in \[0, 1\], got 2$/,
  ],
  [
    "a slot of another shape",
    ({ tensors }) => tensors.set("optimizer.firstMoment.table", zeros([3, 5])),
    /optimizer\.firstMoment\.table: expected \[5, 3\], got \[3, 5\]$/,
  ],
  [
    "a slot of integers",
    ({ tensors }) =>
      tensors.set("optimizer.firstMoment.table", { dtype: "I32", shape: [5, 3], data: new Int32Array(15) }),
    /firstMoment\.table: expected float32, got int32$/,
  ],
  [
    "a slot of no parameter",
    ({ tensors }) => tensors.set("optimizer.firstMoment.other", zeros([1])),
    /firstMoment\.other: expected no such tensor for adam$/,
  ],
  [
    "a name of another kind",
    ({ tensors }) => tensors.set("weights", zeros([1])),
    /weights: expected a name that begins/,
  ],
  [
    "a path through Object.prototype",
    ({ tensors }) => tensors.set("state.__proto__.polluted", zeros([1])),
    /expected names without dots/,
  ],
  [
    "a path through a tensor",
    ({ tensors }) => tensors.set("state.table.x", zeros([1])),
    /expected one tensor per path/,
  ],
  [
    "half precision",
    ({ tensors }) => tensors.set("state.table", { dtype: "F16", shape: [1], data: new Uint16Array(1) }),
    /state\.table: expected F32, I32 or BOOL, got F16$/,
  ],
];
for (const [name, change, message] of hostile) {
  test(`a file with ${name} is refused, and nothing is left behind`, async () => {
    const bytes = await changed(change);
    await expectNoLeak(() => {
      expect(() => loadCheckpoint(bytes)).toThrow(RangeError);
      expect(() => loadCheckpoint(bytes)).toThrow(message);
    });
  });
}

/** What the state alone does not have to know: the memory of an optimizer, averages, and the record that paths make. */
const beside = /slot|averages that are not|averages that nobody|of another kind|path through/;
for (const [name, change, message] of hostile) {
  test(`the state alone of a file with ${name} is ${beside.test(name) ? "given" : "refused"}`, async () => {
    const bytes = await changed(change);
    if (beside.test(name)) {
      expect(checkpointState(bytes).get("table")).toMatchObject({ dtype: "F32", shape: [5, 3] });
      return;
    }
    const got =
      name === "a trained path that is not there" ? /state\.tables: expected .* F32, got none$/ : message;
    expect(() => checkpointState(bytes)).toThrow(/^checkpointState: /);
    expect(() => checkpointState(bytes)).toThrow(got);
  });
}

test("a safetensors file that is no checkpoint is refused", () => {
  expect(() => loadCheckpoint(writeSafetensors({ a: zeros([1]) }))).toThrow(
    new RangeError('loadCheckpoint: metadata "gradlab.training": expected the state of a training, got none'),
  );
  const state = JSON.stringify({
    version: 2,
    step: 0,
    optimizer: { name: "sgd", learningRate: 1 },
    trained: [],
    counts: {},
    average: null,
    plateau: null,
  });
  expect(() => loadCheckpoint(writeSafetensors({}, { metadata: { "gradlab.training": state } }))).toThrow(
    new RangeError("loadCheckpoint: state: expected at least one float32 tensor to train, got none"),
  );
});

test("a file that is cut off anywhere is refused, and nothing is left behind", async () => {
  const bytes = await changed(() => undefined);
  loadCheckpointAndDispose(bytes);
  await expectNoLeak(() => {
    for (let length = 0; length < bytes.length; length += length < 64 ? 1 : 37) {
      expect(() => loadCheckpoint(bytes.subarray(0, length)), `${length} bytes`).toThrow(SafetensorsError);
    }
  });
});

function loadCheckpointAndDispose(bytes: Uint8Array): void {
  disposeTraining(loadCheckpoint(bytes));
}

test("a file with changed bytes loads or is refused as a RangeError, and never leaves anything behind", async () => {
  const bytes = await changed(() => undefined);
  const before = memory().numTensors;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1500), fc.nat(255)), { minLength: 1, maxLength: 4 }), (edits) => {
      const copy = bytes.slice();
      for (const [at, value] of edits) copy[at] = value;
      try {
        loadCheckpointAndDispose(copy);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
      expect(memory().numTensors).toBe(before);
    }),
    { numRuns: 300 },
  );
});

test("parameters that are not those of the model are refused with their path", async () => {
  const bytes = await changed(() => undefined);
  const like = init();
  await expectNoLeak(() => {
    const wider = { ...like, table: like.layers[0]!.kernel };
    expect(() => loadCheckpoint(bytes, wider)).toThrow(
      new ShapeError("loadCheckpoint: table: expected [3, 4], got [5, 3]"),
    );
    expect(() => loadCheckpoint(bytes, { table: like.table })).toThrow(
      new RangeError("loadCheckpoint: layers.0.bias: expected no such tensor, got [4]"),
    );
  });
  const loaded: Training<Net> = loadCheckpoint(bytes, like);
  expect(Array.isArray(loaded.state.layers)).toBe(true);
  expect(await numbers(loaded.state.layers[1]!.bias.clone())).toHaveLength(3);
  disposeTraining(loaded);
});
