import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  type DataType,
  engine,
  type NamedAttrMap,
  setBackend,
  type Tensor,
  tensor,
} from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { allHelpers } from "../src/companion/companion.js";

// One, two and four threads give the same bits, for every kernel that shares its work, on random shapes of a size at which it does.

afterAll(async () => {
  await enableWasmTraining({ companion: false });
});

interface Input {
  readonly shape: readonly number[];
  readonly dtype?: DataType;
  /** Whole numbers below this one; unless given, waves about 1 in size. */
  readonly below?: number;
  readonly positive?: boolean;
}

interface Call {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly attrs?: object;
}

const size = (min: number, max: number) => fc.integer({ min, max });
const of = (...shape: number[]): Input => ({ shape });

/** A convolution of images: shapes, strides and paddings of its three products. */
const windows = fc.record({
  batch: size(2, 5),
  image: fc.tuple(size(12, 24), size(12, 24)),
  channels: fc.oneof(size(1, 5), size(8, 40)),
  outChannels: size(8, 70),
  taps: fc.tuple(size(2, 4), size(2, 4)),
  strides: fc.tuple(size(1, 2), size(1, 2)),
  pad: fc.constantFrom("same", "valid"),
});
type Windows = typeof windows extends fc.Arbitrary<infer W> ? W : never;

const outputOf = ({ image, taps, strides, pad }: Windows): [number, number] =>
  ([0, 1] as const).map((axis) =>
    pad === "same"
      ? Math.ceil(image[axis] / strides[axis])
      : Math.ceil((image[axis] - taps[axis] + 1) / strides[axis]),
  ) as [number, number];

/** Numbers that taps see: what there is to do for each output channel, or for each channel of its own. */
function worthOf(w: Windows): number {
  const [height, width] = outputOf(w);
  return w.batch * height * width * w.taps[0] * w.taps[1] * w.outChannels;
}

/** Multiplications, and steps of windows, below which a job stays on one thread: some tens of microseconds of it. */
const worth = { convolution: 1_200_000, sliding: 120_000 };

const convolution = (make: (w: Windows, output: [number, number]) => Call): fc.Arbitrary<Call> =>
  windows.filter((w) => worthOf(w) * w.channels > worth.convolution).map((w) => make(w, outputOf(w)));

const attrsOf = ({ strides, pad }: Windows) => ({ strides, pad, dataFormat: "NHWC", dilations: [1, 1] });
const imageOf = ({ batch, image, channels }: Windows) => of(batch, ...image, channels);
const filterOf = ({ taps, channels, outChannels }: Windows) => of(...taps, channels, outChannels);

/** Pools, and depthwise convolutions of one filter for each channel. */
const sliding = (make: (w: Windows, output: Input) => Call) =>
  windows
    .filter((w) => worthOf(w) > worth.sliding)
    .map((w) => make({ ...w, channels: w.outChannels }, of(w.batch, ...outputOf(w), w.outChannels)));

const poolAttrs = (w: Windows) => ({ filterSize: w.taps, strides: w.strides, pad: w.pad });

/** Numbers of rows by numbers of a row: enough for several tasks. */
const rows = fc.tuple(size(900, 3000), size(60, 140));
const many = size(60_000, 120_000);

const elementwise = (kernel: string, attrs: object = {}): fc.Arbitrary<Call> =>
  many.map((n) => ({ kernel, inputs: { x: of(n) }, attrs }));
const pairwise = (kernel: string): fc.Arbitrary<Call> =>
  rows.map(([n, columns]) => ({ kernel, inputs: { a: of(n, columns), b: of(columns) } }));
const reduction = (kernel: string): fc.Arbitrary<Call> =>
  fc.tuple(size(20, 60), size(1000, 3000), size(1, 9), size(0, 1)).map(([outer, reduced, inner, axis]) => ({
    kernel,
    inputs: { x: of(outer, reduced, inner) },
    attrs: { axis: [axis], reductionIndices: [axis], keepDims: false },
  }));

const steps = fc.tuple(size(2, 4), size(8, 24), size(100, 180));
const recurrent = (
  gates: number,
  make: (t: number, b: number, n: number) => Call["inputs"],
  kernel: string,
) => steps.map(([t, b, n]): Call => ({ kernel, inputs: { recurrent: of(n, gates * n), ...make(t, b, n) } }));

const optimizer = { learningRate: 0.1, scale: 1, maxValue: 1, decay: 0.1 };

const calls: Readonly<Record<string, fc.Arbitrary<Call>>> = {
  BatchMatMul: fc
    .tuple(size(40, 300), size(200, 900), size(100, 300), fc.boolean(), fc.boolean(), size(1, 3))
    .map(([m, k, n, transposeA, transposeB, batch]) => ({
      kernel: "BatchMatMul",
      inputs: {
        a: of(batch, ...(transposeA ? [k, m] : [m, k])),
        b: of(1, ...(transposeB ? [n, k] : [k, n])),
      },
      attrs: { transposeA, transposeB },
    })),
  _FusedMatMul: fc.tuple(size(40, 300), size(100, 900), size(100, 300)).map(([m, k, n]) => ({
    kernel: "_FusedMatMul",
    inputs: { a: of(1, m, k), b: of(1, k, n), bias: of(n) },
    attrs: { transposeA: false, transposeB: false, activation: "relu" },
  })),
  Conv2D: convolution((w) => ({
    kernel: "Conv2D",
    inputs: { x: imageOf(w), filter: filterOf(w) },
    attrs: attrsOf(w),
  })),
  FusedConv2D: convolution((w) => ({
    kernel: "FusedConv2D",
    inputs: { x: imageOf(w), filter: filterOf(w), bias: of(w.outChannels) },
    attrs: { ...attrsOf(w), activation: "relu" },
  })),
  Conv2DBackpropFilter: convolution((w, output) => ({
    kernel: "Conv2DBackpropFilter",
    inputs: { x: imageOf(w), dy: of(w.batch, ...output, w.outChannels) },
    attrs: { ...attrsOf(w), filterShape: filterOf(w).shape },
  })),
  Conv2DBackpropInput: convolution((w, output) => ({
    kernel: "Conv2DBackpropInput",
    inputs: { dy: of(w.batch, ...output, w.outChannels), filter: filterOf(w) },
    attrs: { ...attrsOf(w), inputShape: imageOf(w).shape },
  })),
  Conv3D: windows
    .filter((w) => worthOf(w) * w.channels > worth.convolution)
    .map((w) => ({
      kernel: "Conv3D",
      inputs: {
        x: of(2, 4, ...w.image, w.channels),
        filter: of(2, ...w.taps, w.channels, w.outChannels),
      },
      attrs: { strides: [1, ...w.strides], pad: w.pad, dataFormat: "NDHWC", dilations: [1, 1, 1] },
    })),
  MaxPool: sliding((w) => ({ kernel: "MaxPool", inputs: { x: imageOf(w) }, attrs: poolAttrs(w) })),
  AvgPool: sliding((w) => ({ kernel: "AvgPool", inputs: { x: imageOf(w) }, attrs: poolAttrs(w) })),
  MaxPoolGrad: sliding((w, output) => ({
    kernel: "MaxPoolGrad",
    inputs: { dy: output, input: imageOf(w), output },
    attrs: poolAttrs(w),
  })),
  AvgPoolGrad: sliding((w, output) => ({
    kernel: "AvgPoolGrad",
    inputs: { dy: output, input: imageOf(w) },
    attrs: poolAttrs(w),
  })),
  DepthwiseConv2dNativeBackpropFilter: sliding((w, output) => ({
    kernel: "DepthwiseConv2dNativeBackpropFilter",
    inputs: { x: imageOf(w), dy: output },
    attrs: { ...attrsOf(w), filterShape: [...w.taps, w.channels, 1] },
  })),
  // At strides of 1 it is a convolution of the stock backend.
  DepthwiseConv2dNativeBackpropInput: sliding((w) => {
    const halved: Windows = { ...w, batch: 2 * w.batch, image: [24, 24], strides: [2, 2], pad: "same" };
    return {
      kernel: "DepthwiseConv2dNativeBackpropInput",
      inputs: {
        dy: of(halved.batch, ...outputOf(halved), w.channels),
        filter: of(...w.taps, w.channels, 1),
      },
      attrs: { ...attrsOf(halved), inputShape: imageOf(halved).shape },
    };
  }),
  Softmax: rows.map(([n, columns]) => ({
    kernel: "Softmax",
    inputs: { logits: of(n, columns) },
    attrs: { dim: 1 },
  })),
  Exp: elementwise("Exp"),
  Tanh: elementwise("Tanh"),
  Sin: elementwise("Sin"),
  ClipByValue: elementwise("ClipByValue", { clipValueMin: -0.5, clipValueMax: 0.5 }),
  Maximum: pairwise("Maximum"),
  Greater: pairwise("Greater"),
  Select: many.map((n) => ({
    kernel: "Select",
    inputs: { condition: { shape: [n], dtype: "bool", below: 2 }, t: of(n), e: of(n) },
  })),
  Sum: reduction("Sum"),
  Mean: reduction("Mean"),
  Max: reduction("Max"),
  Min: reduction("Min"),
  GradlabCrossEntropy: rows.map(([n, columns]) => ({
    kernel: "GradlabCrossEntropy",
    inputs: { logits: of(n, columns), labels: { shape: [n], dtype: "int32", below: columns } },
    attrs: { labelSmoothing: 0.1 },
  })),
  GradlabCrossEntropyGrad: rows.map(([n, columns]) => ({
    kernel: "GradlabCrossEntropyGrad",
    inputs: { logits: of(n, columns), labels: { shape: [n], dtype: "int32", below: columns }, dy: of(n) },
    attrs: { labelSmoothing: 0.1 },
  })),
  GradlabSoftmaxGrad: rows.map(([n, columns]) => ({
    kernel: "GradlabSoftmaxGrad",
    inputs: { y: of(n, columns), dy: of(n, columns) },
  })),
  GradlabEmbed: rows.map(([n, d]) => ({
    kernel: "GradlabEmbed",
    inputs: { table: of(500, d), ids: { shape: [n], dtype: "int32", below: 500 } },
  })),
  GradlabEmbedGrad: rows.map(([n, d]) => ({
    kernel: "GradlabEmbedGrad",
    inputs: { dy: of(n, d), ids: { shape: [n], dtype: "int32", below: 4000 } },
    attrs: { n: 4000 },
  })),
  ...Object.fromEntries(
    ["GradlabBatchNorm", "GradlabBatchNormRelu"].flatMap((kernel) => [
      [
        kernel,
        rows.map(([n, c]) => ({
          kernel,
          inputs: { x: of(n, c), scale: of(c), offset: of(c) },
          attrs: { epsilon: 0.01 },
        })),
      ],
      [
        `${kernel}Grad`,
        rows.map(([n, c]) => ({
          kernel: `${kernel}Grad`,
          inputs: {
            ...{ dy: of(n, c), dMean: of(c), dVariance: of(c), x: of(n, c), scale: of(c), mean: of(c) },
            ...(kernel === "GradlabBatchNormRelu" && { y: of(n, c) }),
            variance: { shape: [c], positive: true },
          },
          attrs: { epsilon: 0.01 },
        })),
      ],
    ]),
  ),
  GradlabLayerNorm: rows.map(([n, width]) => ({
    kernel: "GradlabLayerNorm",
    inputs: { x: of(n, width), scale: of(width), offset: of(width) },
    attrs: { epsilon: 0.01, centers: 1 },
  })),
  GradlabLayerNormGrad: rows.map(([n, width]) => ({
    kernel: "GradlabLayerNormGrad",
    inputs: { dy: of(n, width), x: of(n, width), scale: of(width) },
    attrs: { epsilon: 0.01, centers: 1 },
  })),
  GradlabGelu: elementwise("GradlabGelu", { approximate: 0 }),
  GradlabGeluGrad: many.map((n) => ({
    kernel: "GradlabGeluGrad",
    inputs: { x: of(n), dy: of(n) },
    attrs: { approximate: 1 },
  })),
  GradlabLstm: recurrent(
    4,
    (t, b, n) => ({ gates: of(t, b, 4 * n), h: of(b, n), c: of(b, n) }),
    "GradlabLstm",
  ),
  GradlabLstmGrad: recurrent(
    4,
    (t, b, n) => ({
      ...{ dOutputs: of(t, b, n), dCells: of(t, b, n), h: of(b, n), c: of(b, n) },
      ...{ outputs: of(t, b, n), cells: of(t, b, n), activations: of(t, b, 4 * n) },
    }),
    "GradlabLstmGrad",
  ),
  GradlabGru: recurrent(
    3,
    (t, b, n) => ({ gates: of(t, b, 3 * n), recurrentBias: of(3 * n), h: of(b, n) }),
    "GradlabGru",
  ),
  GradlabGruGrad: recurrent(
    3,
    (t, b, n) => ({
      ...{ dOutputs: of(t, b, n), h: of(b, n), outputs: of(t, b, n), activations: of(t, b, 4 * n) },
    }),
    "GradlabGruGrad",
  ),
  GradlabAdam: many.map((n) => ({
    kernel: "GradlabAdam",
    inputs: {
      ...{ value: of(n), gradient: of(n), firstMoment: of(n) },
      secondMoment: { shape: [n], positive: true },
    },
    attrs: { ...optimizer, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, count: 3 },
  })),
  GradlabSgd: many.map((n) => ({
    kernel: "GradlabSgd",
    inputs: { value: of(n), gradient: of(n) },
    attrs: optimizer,
  })),
  GradlabMomentum: many.map((n) => ({
    kernel: "GradlabMomentum",
    inputs: { value: of(n), gradient: of(n), momentum: of(n) },
    attrs: { ...optimizer, momentum: 0.9, nesterov: 1 },
  })),
};

function made({ shape, dtype = "float32", below, positive }: Input, phase: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  // Between -1.3 and 1.3, from bits that are well mixed.
  const mixed = (i: number) => (Math.imul((i + 1) * 31 + phase, 0x9e3779b1) >>> 8) / 2 ** 24;
  const at = (i: number) =>
    below !== undefined ? Math.floor(mixed(i) * below) : positive ? mixed(i) : 2.6 * mixed(i) - 1.3;
  return tensor(Float32Array.from({ length: count }, (_, i) => at(i)) as never, [...shape], dtype);
}

/** The bits of all outputs as one number (FNV-1a) for each. */
async function bitsOf({ kernel, inputs, attrs = {} }: Call): Promise<number[]> {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, input], i) => [name, made(input, i)]),
  );
  const outputs = [engine().runKernel(kernel, tensors, attrs as NamedAttrMap) as Tensor | Tensor[]].flat();
  const hashes: number[] = [];
  for (const y of outputs) {
    const values = await y.data();
    const words =
      values.byteLength % 4 === 0 ? new Uint32Array(values.slice().buffer) : Uint8Array.from(values);
    let hash = 0x811c9dc5;
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
    hashes.push(hash);
  }
  for (const each of [...outputs, ...Object.values(tensors)]) each.dispose();
  return hashes;
}

const helped = () => allHelpers().reduce((sum, helpers) => sum + helpers.helped(), 0);

/** Cases of each kernel, the same for every number of threads; the second binary has the same cuts. */
const runs = { relaxed: 2, plain: 1 };

type Drawn = ReadonlyMap<string, readonly Call[]>;

async function allBits(drawn: Drawn): Promise<Map<string, number[][]>> {
  const bits = new Map<string, number[][]>();
  for (const [name, cases] of drawn) {
    const results: number[][] = [];
    for (const each of cases) results.push(await bitsOf(each));
    bits.set(name, results);
  }
  return bits;
}

for (const relaxedSimd of [true, false]) {
  test(`1, 2 and 4 threads give the same bits, ${relaxedSimd ? "relaxed" : "plain"} SIMD`, async () => {
    const seed = Number(process.env.GRADLAB_SEED) || 1;
    const numRuns = relaxedSimd ? runs.relaxed : runs.plain;
    const drawn = new Map(
      Object.entries(calls).map(([name, cases]) => [name, fc.sample(cases, { numRuns, seed })]),
    );
    let want: Map<string, number[][]> | undefined;
    for (const threads of [4, 2, 1]) {
      const training = await enableWasmTraining({ relaxedSimd, threads });
      expect(training.threads).toBe(threads);
      await setBackend("wasm");
      // A worker that wakes late finds nothing to do, and a busy machine wakes it late: again then.
      const deadline = performance.now() + 30_000;
      do {
        const got = await allBits(drawn);
        want ??= got;
        for (const [name, bits] of got) expect(bits, `${name}, ${threads} threads`).toEqual(want.get(name));
      } while (threads > 1 && helped() === 0 && performance.now() < deadline);
      if (threads > 1) expect(helped()).toBeGreaterThan(0);
      training.stop();
    }
  }, 180_000);
}
