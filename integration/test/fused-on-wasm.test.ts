import { type FusedKernel, fusedKernels } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import "@tensorflow/tfjs-backend-cpu";
import {
  engine,
  env,
  getKernel,
  memory,
  type NamedAttrMap,
  setBackend,
  type Tensor,
  tensor,
} from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registerReference } from "../../packages/core/test/reference-kernels.js";

// The fused kernels of the companion module beside plain loops in double precision on the same numbers.

let unregister: () => void;
beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  unregister = registerReference(Object.keys(fusedKernels));
  await enableWasmTraining({ companion: true, threads: 3 });
  await setBackend("wasm");
});
afterAll(async () => {
  unregister();
  await enableWasmTraining({ companion: false });
});

interface Input {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly dtype?: "int32";
}

type Inputs = Readonly<Record<string, Input>>;

/** Numbers about 1 in size, different in every place and for every `phase`. */
const wave = (shape: readonly number[], phase = 0, scale = 1): Input => {
  const size = shape.reduce((a, b) => a * b, 1);
  const at = (i: number) => Math.fround(scale * (1.3 * Math.sin(1.7 * i * (i % 101) + 0.3 * i + phase)));
  return { shape, values: Array.from({ length: size }, (_, i) => at(i)) };
};

const ids = (count: number, most: number, phase = 0): Input => ({
  shape: [count],
  values: Array.from({ length: count }, (_, i) => Math.abs((i * 7919 + phase * 31 + i * i) % most)),
  dtype: "int32",
});

async function results(
  backend: string,
  name: string,
  inputs: Inputs,
  attributes: object,
): Promise<number[][]> {
  await setBackend(backend);
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([key, { shape, values, dtype }]) => [
      key,
      tensor([...values], [...shape], dtype ?? "float32"),
    ]),
  );
  const before = memory().numTensors;
  const given: Tensor | Tensor[] = engine().runKernel(name, tensors, attributes as NamedAttrMap);
  const outputs = Array.isArray(given) ? given : [given];
  expect(memory().numTensors).toBe(before + outputs.length);
  const numbers = await Promise.all(outputs.map(async (x) => Array.from(await x.data())));
  for (const each of [...outputs, ...Object.values(tensors)]) each.dispose();
  return numbers;
}

/**
 * The largest distance of any output of a kernel from the reference, in units of its largest number (of 1 where all are
 * small). Not a number must be where the reference has none.
 */
async function distance(name: string, inputs: Inputs, attributes: object = {}): Promise<number> {
  const got = await results("wasm", name, inputs, attributes);
  const want = await results("cpu", name, inputs, attributes);
  expect(got.length).toBe(want.length);
  let most = 0;
  for (const [k, values] of want.entries()) {
    expect(got[k]!.length).toBe(values.length);
    const finite = values.filter(Number.isFinite);
    const scale = finite.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    for (const [i, value] of values.entries()) {
      if (Object.is(value, got[k]![i])) continue;
      most = Math.max(most, Math.abs(value - got[k]![i]!) / scale);
      if (Number.isNaN(value) || Number.isNaN(got[k]![i])) most = Number.POSITIVE_INFINITY;
    }
  }
  return most;
}

/** A few roundings of float32; sums are taken in double precision. */
const ROUNDINGS = 6 * 2 ** -24;

test("the companion module brings every fused kernel of core's table, and takes it away again", async () => {
  for (const name of Object.keys(fusedKernels)) expect(getKernel(name, "wasm"), name).toBeDefined();
  await enableWasmTraining({ companion: false });
  for (const name of Object.keys(fusedKernels)) expect(getKernel(name, "wasm"), name).toBeUndefined();
  await enableWasmTraining({ companion: true, threads: 3 });
  const backwards = Object.values(fusedKernels).map(({ backward }: FusedKernel) => backward);
  expect(backwards.filter((name) => name !== null && !(name in fusedKernels))).toEqual([]);
});

const size = fc.integer({ min: 1, max: 40 });
const classes = fc.oneof(size, fc.integer({ min: 120, max: 700 }));
const smoothing = fc.constantFrom(0, 0.1, 1);

test("cross-entropy and its gradient", async () => {
  await fc.assert(
    fc.asyncProperty(
      size,
      classes,
      smoothing,
      fc.constantFrom(1, 30, 200),
      async (n, c, labelSmoothing, scale) => {
        const [logits, labels, dy] = [wave([n, c], 0, scale), ids(n, c), wave([n], 2)];
        const attributes = { labelSmoothing };
        const inputs = { logits, labels };
        expect(await distance("GradlabCrossEntropy", inputs, attributes)).toBeLessThan(ROUNDINGS);
        expect(await distance("GradlabCrossEntropyGrad", { ...inputs, dy }, attributes)).toBeLessThan(
          ROUNDINGS,
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("cross-entropy of labels out of range, of -Infinity and of NaN: NaN where it belongs", async () => {
  const [inf, nan] = [Number.NEGATIVE_INFINITY, Number.NaN];
  const logits = { shape: [6, 3], values: [1, 2, 3, 1, 2, 3, 1, 2, 3, 0, nan, 1, inf, 1, 2, inf, inf, inf] };
  const labels = { shape: [6], values: [-1, 3, 2 ** 31 - 1, 0, 1, 1], dtype: "int32" as const };
  const [losses] = await results("wasm", "GradlabCrossEntropy", { logits, labels }, { labelSmoothing: 0 });
  expect(losses!.map(Number.isNaN)).toEqual([true, true, true, true, false, true]);
  expect(losses![4]).toBeCloseTo(Math.log(1 + Math.E), 6);
  const dy = { shape: [6], values: [1, 1, 1, 1, 1, 1] };
  const [rows] = await results(
    "wasm",
    "GradlabCrossEntropyGrad",
    { logits, labels, dy },
    { labelSmoothing: 0 },
  );
  expect(rows!.map(Number.isNaN)).toEqual([
    ...new Array(12).fill(true),
    false,
    false,
    false,
    true,
    true,
    true,
  ]);
});

test("a step of Adam, its clip factor, bound and decay", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(size, fc.integer({ min: 16_000, max: 40_000 })),
      fc.integer({ min: 1, max: 1e5 }),
      fc.constantFrom(1, 1e-3, 20),
      fc.constantFrom(Number.POSITIVE_INFINITY, 0.5),
      fc.constantFrom(0, 0.3),
      async (n, count, scale, maxValue, decay) => {
        const [value, gradient, firstMoment] = [wave([n]), wave([n], 1), wave([n], 2, 0.1)];
        const squares = wave([n], 3, 0.1);
        const secondMoment = { ...squares, values: squares.values.map((x) => Math.fround(x * x)) };
        const inputs = { value, gradient, firstMoment, secondMoment };
        const attributes = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, count, scale, maxValue, decay }; // biome-ignore format: one line
        // Six roundings more of a step whose size a small second moment may make as large as it likes.
        expect(await distance("GradlabAdam", inputs, attributes)).toBeLessThan(2 * ROUNDINGS);
      },
    ),
    { numRuns: 30 },
  );
  const one = (x: number) => ({ shape: [1], values: [x] });
  const inputs = { value: one(1), gradient: one(Number.NaN), firstMoment: one(0), secondMoment: one(0) };
  const attributes = { learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-8, count: 1, scale: 1, maxValue: 1, decay: 0 }; // biome-ignore format: one line
  expect(await results("wasm", "GradlabAdam", inputs, attributes)).toEqual([
    [Number.NaN],
    [Number.NaN],
    [Number.NaN],
  ]);
});

test("a step of gradient descent, with momentum and without", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(size, fc.integer({ min: 16_000, max: 40_000 })),
      fc.constantFrom(1, 1e-3, 20),
      fc.constantFrom(Number.POSITIVE_INFINITY, 0.5),
      fc.constantFrom(0, 0.3),
      fc.constantFrom(0, 1),
      async (n, scale, maxValue, decay, nesterov) => {
        const [value, gradient, momentum] = [wave([n]), wave([n], 1), wave([n], 2)];
        const attributes = { learningRate: 0.01, scale, maxValue, decay };
        expect(await distance("GradlabSgd", { value, gradient }, attributes)).toBeLessThan(ROUNDINGS);
        const more = { ...attributes, momentum: 0.9, nesterov };
        expect(await distance("GradlabMomentum", { value, gradient, momentum }, more)).toBeLessThan(
          ROUNDINGS,
        );
      },
    ),
    { numRuns: 30 },
  );
});

test("rows of a table and its gradient, ids out of range", async () => {
  await fc.assert(
    fc.asyncProperty(size, size, fc.nat(60), async (n, d, count) => {
      const table = wave([n, d]);
      const some = ids(count, n + 2, 1);
      const list = { ...some, values: some.values.map((id) => (id === n + 1 ? -1 : id)) };
      expect(await distance("GradlabEmbed", { table, ids: list })).toBe(0);
      const dy = wave([count, d], 1);
      // Up to 60 rows of one id, added up one after another.
      expect(await distance("GradlabEmbedGrad", { dy, ids: list }, { n })).toBeLessThan(60 * 2 ** -24);
    }),
    { numRuns: 60 },
  );
});

test.each(["GradlabBatchNorm", "GradlabBatchNormRelu"])(
  "batch norm in training and its gradient, many rows, a mean far from 0: %s",
  async (name) => {
    const rows = fc.oneof(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1000, max: 9000 }));
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 13 }), fc.constantFrom(0, 100), async (n, c, far) => {
        const near = wave([n, c]);
        const x = { ...near, values: near.values.map((value) => Math.fround(value + far)) };
        const [scale, offset, dy] = [wave([c], 1), wave([c], 2), wave([n, c], 3)];
        const epsilon = 0.01;
        expect(await distance(name, { x, scale, offset }, { epsilon })).toBeLessThan(ROUNDINGS);
        const [y, mean, variance] = await results("cpu", name, { x, scale, offset }, { epsilon });
        const inputs = {
          ...{ dy, dMean: wave([c], 4), dVariance: wave([c], 5), x, scale },
          ...{ mean: { shape: [c], values: mean! }, variance: { shape: [c], values: variance! } },
          ...(name === "GradlabBatchNormRelu" && { y: { shape: [n, c], values: y! } }),
        };
        // Terms up to 1.3² / √ε = 17, which may cancel each other, with two roundings each.
        expect(await distance(`${name}Grad`, inputs, { epsilon })).toBeLessThan(17 * 2 * 2 ** -24);
      }),
      { numRuns: 30 },
    );
  },
);

const rows = fc.oneof(size, fc.integer({ min: 600, max: 3000 }));

test("the gradient of softmax", async () => {
  await fc.assert(
    fc.asyncProperty(rows, classes, async (n, columns) => {
      fc.pre(n * columns < 2e5);
      const y = wave([n, columns]);
      // Sums of up to 700 products, which may cancel each other; each is rounded once.
      const most = ROUNDINGS + columns * 2 ** -24;
      expect(await distance("GradlabSoftmaxGrad", { dy: wave([n, columns], 1), y })).toBeLessThan(most);
    }),
    { numRuns: 40 },
  );
});

test("layer norm and root mean square norm with their gradients, rows far from 0", async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      classes,
      fc.constantFrom(0, 1),
      fc.constantFrom(0, 100),
      async (n, width, centers, far) => {
        fc.pre(n * width < 2e5);
        const near = wave([n, width]);
        const x = { ...near, values: near.values.map((value) => Math.fround(value + far)) };
        const [scale, offset, dy] = [wave([width], 1), wave([width], 2), wave([n, width], 3)];
        const attributes = { epsilon: 0.01, centers };
        // A number of a row whose mean is 100 has an error of its own, which the division by √ε multiplies.
        const most = 17 * 2 ** -24;
        expect(await distance("GradlabLayerNorm", { x, scale, offset }, attributes)).toBeLessThan(most);
        expect(await distance("GradlabLayerNormGrad", { dy, x, scale }, attributes)).toBeLessThan(
          17 * 2 * 2 ** -24,
        );
      },
    ),
    { numRuns: 40 },
  );
});

test("a GRU over all steps and its gradient", async () => {
  const few = fc.integer({ min: 1, max: 5 });
  const units = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(100));
  await fc.assert(
    fc.asyncProperty(few, few, units, async (t, b, n) => {
      const gates = wave([t, b, 3 * n]);
      const [recurrent, recurrentBias] = [wave([n, 3 * n], 1, 1 / Math.sqrt(n)), wave([3 * n], 2, 0.5)];
      const h = wave([b, n], 3, 0.7);
      // Roundings of sums of up to 100 products, which the steps carry on.
      expect(await distance("GradlabGru", { gates, recurrent, recurrentBias, h })).toBeLessThan(3e-6);
      const [outputs, activations] = await results(
        "cpu",
        "GradlabGru",
        { gates, recurrent, recurrentBias, h },
        {},
      );
      const given = {
        ...{ dOutputs: wave([t, b, n], 4), recurrent, h },
        outputs: { shape: [t, b, n], values: outputs! },
        activations: { shape: [t, b, 4 * n], values: activations! },
      };
      expect(await distance("GradlabGruGrad", given)).toBeLessThan(3e-6);
    }),
    { numRuns: 25 },
  );
});

test("the Gaussian error linear unit and its gradient, both forms", async () => {
  for (const approximate of [0, 1]) {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.constantFrom(0.01, 1, 4), async (n, scale) => {
        const [x, dy] = [wave([n, 3], 0, scale), wave([n, 3], 1)];
        expect(await distance("GradlabGelu", { x }, { approximate })).toBeLessThan(ROUNDINGS);
        expect(await distance("GradlabGeluGrad", { dy, x }, { approximate })).toBeLessThan(ROUNDINGS);
      }),
      { numRuns: 20 },
    );
  }
  // Many numbers on several threads.
  const many = Array.from({ length: 40_001 }, (_, i) => Math.fround(-8 + (i % 400) / 25));
  const x = { shape: [many.length], values: many };
  const dy = { shape: [many.length], values: many.map(() => 1) };
  const [y] = await results("wasm", "GradlabGelu", { x }, { approximate: 0 });
  const [want] = await results("cpu", "GradlabGelu", { x }, { approximate: 0 });
  const [slope] = await results("wasm", "GradlabGeluGrad", { x, dy }, { approximate: 0 });
  const [wantSlope] = await results("cpu", "GradlabGeluGrad", { x, dy }, { approximate: 0 });
  for (const [i, value] of want!.entries()) {
    // The tail keeps its digits: x²/2 below 32 has an error of 2e-6.
    expect(Math.abs(y![i]! - value)).toBeLessThan(4e-6 * Math.abs(value) + 1e-30);
    expect(Math.abs(slope![i]! - wantSlope![i]!)).toBeLessThan(3e-7);
  }
});

test("the Gaussian error linear unit far out, of infinities and of NaN", async () => {
  const values = [0, -0, 1e30, -1e30, Number.POSITIVE_INFINITY, Number.NaN, 40, -40, 1e-40];
  const x = { shape: [values.length], values };
  const [y] = await results("wasm", "GradlabGelu", { x }, { approximate: 0 });
  expect(y!.map((value) => value + 0)).toEqual([
    0,
    0,
    Math.fround(1e30),
    0,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    40,
    0,
    // Half of it, in the last bits that a denormal has.
    expect.closeTo(5e-41, 43),
  ]);
});

const few = fc.integer({ min: 1, max: 9 });
const step = { learningRate: 0.01, scale: 2, maxValue: Number.POSITIVE_INFINITY, decay: 0.1 };

const smallNorm = (n: number, c: number): [Inputs, object] => [
  { x: wave([n, c]), scale: wave([c], 1), offset: wave([c], 2) },
  { epsilon: 0.01 },
];
const smallNormGradient = (n: number, c: number): [Inputs, object] => [
  {
    ...{ dy: wave([n, c], 1), dMean: wave([c], 2), dVariance: wave([c], 3), x: wave([n, c]) },
    ...{ scale: wave([c], 4), mean: wave([c], 5), variance: { shape: [c], values: new Array(c).fill(2) } },
  },
  { epsilon: 0.01 },
];

/** Inputs of every kernel, of a few rows by a few numbers. */
const small: Readonly<
  Record<string, (n: number, c: number) => readonly [inputs: Inputs, attributes: object]>
> = {
  GradlabCrossEntropy: (n, c) => [{ logits: wave([n, c]), labels: ids(n, c) }, { labelSmoothing: 0 }],
  GradlabCrossEntropyGrad: (n, c) => [
    { logits: wave([n, c]), labels: ids(n, c), dy: wave([n], 1) },
    { labelSmoothing: 0.1 },
  ],
  GradlabSoftmaxGrad: (n, c) => [{ dy: wave([n, c], 1), y: wave([n, c]) }, {}],
  GradlabEmbed: (n, c) => [{ table: wave([n, c]), ids: ids(5, n) }, {}],
  GradlabEmbedGrad: (n, c) => [{ dy: wave([n, c]), ids: ids(n, 4) }, { n: 4 }],
  GradlabBatchNorm: smallNorm,
  GradlabBatchNormGrad: smallNormGradient,
  GradlabBatchNormRelu: smallNorm,
  GradlabBatchNormReluGrad: (n, c) => {
    const [inputs, attributes] = smallNormGradient(n, c);
    return [{ ...inputs, y: wave([n, c], 6) }, attributes];
  },
  GradlabLayerNorm: (n, c) => [
    { x: wave([n, c]), scale: wave([c], 1), offset: wave([c], 2) },
    { epsilon: 0.01, centers: n % 2 },
  ],
  GradlabLayerNormGrad: (n, c) => [
    { dy: wave([n, c], 1), x: wave([n, c]), scale: wave([c], 2) },
    { epsilon: 0.01, centers: n % 2 },
  ],
  GradlabGelu: (n, c) => [{ x: wave([n, c]) }, { approximate: n % 2 }],
  GradlabGeluGrad: (n, c) => [{ x: wave([n, c]), dy: wave([n, c], 1) }, { approximate: n % 2 }],
  GradlabLstm: (n, c) => [
    { gates: wave([2, n, 4 * c]), recurrent: wave([c, 4 * c], 1), h: wave([n, c], 2), c: wave([n, c], 3) },
    {},
  ],
  GradlabLstmGrad: (n, c) => [
    {
      ...{ dOutputs: wave([2, n, c], 4), dCells: wave([2, n, c], 5), recurrent: wave([c, 4 * c], 1) },
      ...{ h: wave([n, c], 2), c: wave([n, c], 3), outputs: wave([2, n, c], 6), cells: wave([2, n, c], 7) },
      activations: wave([2, n, 4 * c], 8, 0.6),
    },
    {},
  ],
  GradlabGru: (n, c) => [
    { gates: wave([2, n, 3 * c]), recurrent: wave([c, 3 * c], 1), recurrentBias: wave([3 * c], 2), h: wave([n, c], 3) }, // biome-ignore format: one line
    {},
  ],
  GradlabGruGrad: (n, c) => [
    {
      ...{ dOutputs: wave([2, n, c], 4), recurrent: wave([c, 3 * c], 1), h: wave([n, c], 3) },
      ...{ outputs: wave([2, n, c], 5), activations: wave([2, n, 4 * c], 6, 0.6) },
    },
    {},
  ],
  GradlabAdam: (n, c) => [
    {
      ...{ value: wave([n, c]), gradient: wave([n, c], 1), firstMoment: wave([n, c], 2) },
      secondMoment: { shape: [n, c], values: new Array(n * c).fill(0.5) },
    },
    { ...step, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, count: 3 },
  ],
  GradlabSgd: (n, c) => [{ value: wave([n, c]), gradient: wave([n, c], 1) }, step],
  GradlabMomentum: (n, c) => [
    { value: wave([n, c]), gradient: wave([n, c], 1), momentum: wave([n, c], 2) },
    { ...step, momentum: 0.9, nesterov: n % 2 },
  ],
};

const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const classOf = (x: number) => (Number.isFinite(x) ? "finite" : String(x));

test("a few infinities and NaN among the numbers give them where the reference has them, in every kernel", async () => {
  expect(Object.keys(small).sort()).toEqual(Object.keys(fusedKernels).sort());
  const spot = fc.tuple(fc.nat(8), fc.nat(2 ** 20), fc.nat(2));
  for (const [name, make] of Object.entries(small)) {
    const cases = fc.tuple(few, few, fc.array(spot, { minLength: 1, maxLength: 2 }));
    await fc.assert(
      fc.asyncProperty(cases, async ([n, c, spots]) => {
        const [plain, attributes] = make(n, c);
        const inputs: Record<string, Input> = { ...plain };
        const numeric = Object.keys(inputs).filter((key) => inputs[key]!.dtype !== "int32");
        for (const [input, place, kind] of spots) {
          const key = numeric[input % numeric.length]!;
          const values = [...inputs[key]!.values];
          values[place % values.length] = special[kind]!;
          inputs[key] = { shape: inputs[key]!.shape, values };
        }
        const want = await results("cpu", name, inputs, attributes);
        const got = await results("wasm", name, inputs, attributes);
        expect(
          got.map((values) => values.map(classOf)),
          name,
        ).toEqual(want.map((values) => values.map(classOf)));
      }),
      { numRuns: 40 },
    );
  }
});

test("nothing at all is computed without reading or writing", async () => {
  const none = { shape: [0, 4], values: [] };
  const labels = { shape: [0], values: [], dtype: "int32" as const };
  expect(
    await results("wasm", "GradlabCrossEntropy", { logits: none, labels }, { labelSmoothing: 0 }),
  ).toEqual([[]]);
  expect(await results("wasm", "GradlabEmbed", { table: wave([2, 4]), ids: labels }, {})).toEqual([[]]);
  expect(await results("wasm", "GradlabEmbedGrad", { dy: none, ids: labels }, { n: 1 })).toEqual([
    [0, 0, 0, 0],
  ]);
});
