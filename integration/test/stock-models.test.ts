import { wasmMode } from "../training/wasm-mode.js";
import "@tensorflow/tfjs-backend-cpu";
import { repairKernels } from "@gradlab/backend-select";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js"; // layers call them
import {
  constraints,
  input,
  type LayersModel,
  layers,
  model,
  regularizers,
  type SymbolicTensor,
  sequential,
} from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, expect, test } from "vitest";

/*
 * Unchanged models of tfjs-layers, five steps each, on cpu and on wasm.
 */

beforeAll(async () => {
  tf.env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining(wasmMode());
  installGradients();
  repairKernels("cpu");
});

/** The same numbers on every backend, of a mean square of one, by a linear congruence. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * Math.sqrt(3);
  });
}

const some = (shape: number[], seed: number) => tf.tensor(numbers(tf.util.sizeFromShape(shape), seed), shape);

/** Weights that keep the size of what they are multiplied with; variances, scales and slopes above zero. */
function setWeights(net: LayersModel): void {
  tf.tidy(() => {
    net.setWeights(
      net.weights.map((weight, i) => {
        const shape = weight.shape as number[];
        const values = some(shape, i + 1);
        if (/variance|gamma/.test(weight.originalName)) return tf.add(tf.mul(values, 0.2), 1);
        const inputs = Math.max(1, tf.util.sizeFromShape(shape.slice(0, -1)));
        return tf.mul(values, shape.length === 1 ? 0.1 : 1 / Math.sqrt(inputs));
      }),
    );
  });
}

interface Stock {
  readonly name: string;
  /** Shapes of the inputs without the batch. */
  readonly inputs: readonly (readonly number[])[];
  readonly build: () => LayersModel;
  /** Whether the first input is of words, integers below 7. */
  readonly words?: true;
}

type Layers = Parameters<typeof sequential>[0] extends infer C | undefined
  ? C extends { layers?: infer L }
    ? NonNullable<L>
    : never
  : never;

/** A chain of layers, of which the first is told the shape of the input. */
const chain = (name: string, shape: readonly number[], build: (inputShape: number[]) => Layers): Stock => ({
  name,
  inputs: [shape],
  build: () => sequential({ layers: build([...shape]) }),
});

const { conv2d, dense, flatten } = layers;

/** What ends a model of images. */
const head = () => [flatten(), dense({ units: 3 })];

const stocks: readonly Stock[] = [
  chain("dense layers of saturating activations", [6], (inputShape) => [
    dense({ units: 7, activation: "tanh", inputShape }),
    dense({ units: 6, activation: "sigmoid" }),
    dense({ units: 5, activation: "hardSigmoid" }),
    dense({ units: 4, activation: "softsign" }),
    dense({ units: 3, activation: "softmax" }),
  ]),
  chain("dense layers of rectifying activations", [6], (inputShape) => [
    dense({ units: 7, activation: "relu", inputShape }),
    dense({ units: 6, activation: "elu" }),
    dense({ units: 6, activation: "selu" }),
    dense({ units: 5, activation: "relu6" }),
    dense({ units: 4, activation: "softplus" }),
    dense({ units: 3, activation: "swish" }),
  ]),
  chain("activation layers with slopes and thresholds", [6], (inputShape) => [
    dense({ units: 8, inputShape }),
    layers.prelu({}),
    dense({ units: 8 }),
    layers.leakyReLU({ alpha: 0.2 }),
    layers.elu({}),
    layers.thresholdedReLU({ theta: 0.1 }),
    layers.reLU({ maxValue: 2 }),
    dense({ units: 3 }),
    layers.softmax({}),
  ]),
  chain("dropout, regularizers and constraints", [6], (inputShape) => [
    dense({ units: 9, inputShape, kernelRegularizer: regularizers.l1l2({ l1: 0.01, l2: 0.02 }) }),
    layers.dropout({ rate: 0.3, seed: 3 }),
    dense({ units: 5, kernelConstraint: constraints.maxNorm({ maxValue: 0.8 }) }),
    dense({ units: 3, kernelConstraint: constraints.unitNorm({}) }),
  ]),
  chain("batch normalization of images", [4, 5, 3], (inputShape) => [
    conv2d({ filters: 4, kernelSize: 2, inputShape, useBias: false }),
    layers.batchNormalization({}),
    layers.activation({ activation: "relu" }),
    ...head(),
  ]),
  chain("layer normalization with every switch", [4, 5], (inputShape) => [
    dense({ units: 6, inputShape }),
    layers.layerNormalization({}),
    layers.layerNormalization({ center: false }),
    layers.layerNormalization({ scale: false }),
    layers.layerNormalization({ center: false, scale: false }),
    layers.layerNormalization({ axis: [1, 2] }),
    ...head(),
  ]),
  chain("convolutions of sequences", [9, 3], (inputShape) => [
    layers.conv1d({ filters: 5, kernelSize: 3, padding: "same", activation: "relu", inputShape }),
    layers.maxPooling1d({ poolSize: 2 }),
    layers.conv1d({ filters: 4, kernelSize: 2, strides: 3, padding: "same" }),
    ...head(),
  ]),
  chain("dilated convolutions of sequences", [10, 2], (inputShape) => [
    layers.conv1d({ filters: 4, kernelSize: 2, inputShape }),
    layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2, padding: "same", activation: "tanh" }),
    layers.averagePooling1d({ poolSize: 3, strides: 2, padding: "same" }),
    layers.globalMaxPooling1d(),
    dense({ units: 3 }),
  ]),
  chain("a classic convolutional network", [9, 9, 1], (inputShape) => [
    conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape }),
    layers.maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 5, kernelSize: 2, padding: "same" }),
    layers.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" }),
    ...head(),
  ]),
  chain("patches whose stride is larger than the window", [8, 9, 3], (inputShape) => [
    conv2d({ filters: 6, kernelSize: 3, strides: 4, padding: "same", inputShape }),
    layers.reshape({ targetShape: [6, 6] }),
    layers.layerNormalization({}),
    layers.permute({ dims: [2, 1] }),
    ...head(),
  ]),
  chain("windows and strides that are not square", [7, 10, 2], (inputShape) => [
    conv2d({ filters: 3, kernelSize: [5, 2], strides: [1, 3], padding: "same", inputShape }),
    layers.maxPooling2d({ poolSize: [1, 3], strides: [2, 1], padding: "same" }),
    layers.averagePooling2d({ poolSize: [2, 1], strides: [3, 2], padding: "same" }),
    ...head(),
  ]),
  chain("dilated convolutions", [8, 8, 2], (inputShape) => [
    conv2d({ filters: 3, kernelSize: 3, dilationRate: 2, padding: "same", inputShape }),
    conv2d({ filters: 4, kernelSize: 2, dilationRate: [3, 1] }),
    ...head(),
  ]),
  chain("channels first", [2, 6, 5], (inputShape) => [
    conv2d({ filters: 3, kernelSize: 3, dataFormat: "channelsFirst", padding: "same", inputShape }),
    layers.maxPooling2d({ poolSize: 2, dataFormat: "channelsFirst" }),
    ...head(),
  ]),
  chain("separable convolutions", [7, 6, 3], (inputShape) => [
    layers.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2, padding: "same", inputShape }),
    layers.separableConv2d({ filters: 3, kernelSize: 2, strides: 2, activation: "tanh" }),
    layers.globalAveragePooling2d({}),
    dense({ units: 3 }),
  ]),
  chain("depthwise convolutions", [7, 6, 3], (inputShape) => [
    layers.depthwiseConv2d({ kernelSize: 3, padding: "same", activation: "relu6", inputShape }),
    layers.depthwiseConv2d({ kernelSize: [2, 3], depthMultiplier: 2, strides: [3, 3], padding: "same" }),
    conv2d({ filters: 4, kernelSize: 1 }),
    layers.globalMaxPooling2d({}),
    dense({ units: 3 }),
  ]),
  chain("transposed convolutions", [3, 4, 2], (inputShape) => [
    layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: "same", inputShape }),
    layers.conv2dTranspose({ filters: 2, kernelSize: [2, 3], strides: [3, 2], activation: "tanh" }),
    ...head(),
  ]),
  chain("an encoder and decoder of images", [8, 8, 1], (inputShape) => [
    conv2d({ filters: 3, kernelSize: 3, strides: 2, padding: "same", activation: "relu", inputShape }),
    conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }),
    layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }),
    layers.conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, padding: "same" }),
  ]),
  chain("convolutions and pools of volumes", [4, 5, 4, 2], (inputShape) => [
    layers.conv3d({ filters: 3, kernelSize: 2, padding: "same", activation: "relu", inputShape }),
    layers.maxPooling3d({ poolSize: [2, 2, 1] }),
    layers.conv3d({ filters: 2, kernelSize: [1, 2, 2] }),
    layers.averagePooling3d({ poolSize: 2, strides: 1, padding: "same" }),
    ...head(),
  ]),
  chain("volumes with strides larger than the window", [5, 4, 5, 2], (inputShape) => [
    layers.conv3d({ filters: 3, kernelSize: 1, strides: 2, padding: "same", inputShape }),
    layers.maxPooling3d({ poolSize: [1, 2, 1], strides: [2, 1, 2], padding: "same" }),
    ...head(),
  ]),
  chain("transposed convolutions of volumes", [2, 3, 2, 2], (inputShape) => [
    layers.conv3dTranspose({ filters: 2, kernelSize: 2, strides: 2, padding: "same", inputShape }),
    ...head(),
  ]),
  chain("upsampling, margins and crops", [4, 3, 2], (inputShape) => [
    layers.upSampling2d({ size: [2, 3], inputShape }),
    layers.zeroPadding2d({
      padding: [
        [1, 0],
        [2, 1],
      ],
    }),
    conv2d({ filters: 3, kernelSize: 3 }),
    layers.cropping2D({
      cropping: [
        [1, 0],
        [0, 2],
      ],
    }),
    layers.upSampling2d({ size: [2, 2], interpolation: "bilinear" }),
    ...head(),
  ]),
  chain("a long short-term memory above another", [6, 3], (inputShape) => [
    layers.lstm({ units: 5, returnSequences: true, inputShape }),
    layers.lstm({ units: 4, recurrentActivation: "sigmoid" }),
    dense({ units: 3 }),
  ]),
  chain("recurrent layers over one step", [1, 4], (inputShape) => [
    layers.lstm({ units: 5, returnSequences: true, inputShape }),
    layers.gru({ units: 4, returnSequences: true }),
    layers.simpleRNN({ units: 3 }),
  ]),
  chain("gated recurrent units", [5, 3], (inputShape) => [
    layers.gru({ units: 4, returnSequences: true, goBackwards: true, inputShape }),
    layers.gru({ units: 3, recurrentActivation: "sigmoid", useBias: false }),
  ]),
  chain("simple recurrent layers", [4, 3], (inputShape) => [
    layers.simpleRNN({ units: 5, returnSequences: true, inputShape }),
    layers.simpleRNN({ units: 3, activation: "relu" }),
  ]),
  chain("layers that read in both directions", [5, 3], (inputShape) => [
    layers.bidirectional({
      layer: layers.lstm({ units: 3, returnSequences: true }) as never,
      mergeMode: "concat",
      inputShape,
    }),
    layers.bidirectional({ layer: layers.gru({ units: 3 }) as never, mergeMode: "sum" }),
  ]),
  chain("cells in a stack", [4, 3], (inputShape) => [
    layers.rnn({
      cell: [layers.lstmCell({ units: 4 }), layers.gruCell({ units: 3 }), layers.simpleRNNCell({ units: 3 })],
      inputShape,
    } as never),
  ]),
  chain("a convolutional long short-term memory", [3, 5, 4, 2], (inputShape) => [
    layers.convLstm2d({ filters: 2, kernelSize: 3, padding: "same", inputShape } as never),
    ...head(),
  ]),
  chain("the same layer at every step", [4, 5, 5, 1], (inputShape) => [
    layers.timeDistributed({ layer: conv2d({ filters: 2, kernelSize: 3, strides: 2 }), inputShape }),
    layers.timeDistributed({ layer: flatten() }),
    layers.timeDistributed({ layer: dense({ units: 4, activation: "relu" }) }),
    layers.lstm({ units: 3 }),
  ]),
  {
    ...chain("embedded words", [6], (inputShape) => [
      layers.embedding({ inputDim: 7, outputDim: 5, inputLength: inputShape[0]! }),
      layers.globalAveragePooling1d({}),
      dense({ units: 3 }),
    ]),
    words: true,
  },
  {
    ...chain("embedded words with a mask", [5], (inputShape) => [
      layers.embedding({ inputDim: 7, outputDim: 4, maskZero: true, inputLength: inputShape[0]! }),
      layers.lstm({ units: 4, returnSequences: true }),
      layers.gru({ units: 3 }),
    ]),
    words: true,
  },
  chain("masked steps", [5, 3], (inputShape) => [
    layers.masking({ maskValue: 0, inputShape }),
    layers.simpleRNN({ units: 4 }),
    layers.repeatVector({ n: 3 }),
    layers.lstm({ units: 2, returnSequences: true }),
    ...head(),
  ]),
  {
    name: "a residual block",
    inputs: [[6, 6, 3]],
    build: () => {
      const x = input({ shape: [6, 6, 3] });
      const convolved = (y: SymbolicTensor) =>
        layers
          .batchNormalization({})
          .apply(
            conv2d({ filters: 3, kernelSize: 3, padding: "same", useBias: false }).apply(y),
          ) as SymbolicTensor;
      const inner = layers.reLU({}).apply(convolved(x)) as SymbolicTensor;
      const sum = layers.add({}).apply([x, convolved(inner)]) as SymbolicTensor;
      const pooled = layers.globalAveragePooling2d({}).apply(layers.reLU({}).apply(sum));
      return model({ inputs: x, outputs: dense({ units: 3 }).apply(pooled) as SymbolicTensor });
    },
  },
  {
    name: "branches of many windows, joined",
    inputs: [[6, 7, 2]],
    build: () => {
      const x = input({ shape: [6, 7, 2] });
      const pool = { poolSize: 3, strides: 1, padding: "same" } as const;
      const branches = [
        conv2d({ filters: 2, kernelSize: 1 }).apply(x),
        conv2d({ filters: 2, kernelSize: 5, padding: "same" }).apply(x),
        layers.maxPooling2d(pool).apply(x),
        layers.averagePooling2d(pool).apply(x),
      ] as SymbolicTensor[];
      const joined = layers.concatenate({ axis: -1 }).apply(branches);
      return model({
        inputs: x,
        outputs: dense({ units: 3 }).apply(flatten().apply(joined)) as SymbolicTensor,
      });
    },
  },
  {
    name: "two inputs, merged in every way",
    inputs: [[5], [5]],
    build: () => {
      const [a, b] = [input({ shape: [5] }), input({ shape: [5] })];
      const pair = [dense({ units: 5 }).apply(a), dense({ units: 5 }).apply(b)] as SymbolicTensor[];
      const merged = [
        layers.add({}),
        layers.multiply({}),
        layers.average({}),
        layers.maximum({}),
        layers.minimum({}),
        layers.dot({ axes: -1, normalize: true }),
      ].map((layer) => layer.apply(pair) as SymbolicTensor);
      const joined = layers.concatenate({}).apply(merged);
      return model({ inputs: [a, b], outputs: dense({ units: 3 }).apply(joined) as SymbolicTensor });
    },
  },
  {
    name: "attention over memories",
    inputs: [
      [4, 6],
      [5, 6],
    ],
    build: () => {
      const [query, value] = [input({ shape: [4, 6] }), input({ shape: [5, 6] })];
      const q = dense({ units: 4 }).apply(query) as SymbolicTensor;
      const [k, v] = [4, 6].map((units) => dense({ units }).apply(value)) as SymbolicTensor[];
      const scores = layers.dot({ axes: 2 }).apply([q, k!]) as SymbolicTensor;
      const weights = layers.activation({ activation: "softmax" }).apply(scores) as SymbolicTensor;
      const attended = layers.dot({ axes: [2, 1] }).apply([weights, v!]) as SymbolicTensor;
      const sum = layers.layerNormalization({}).apply(layers.add({}).apply([query, attended]));
      return model({ inputs: [query, value], outputs: dense({ units: 3 }).apply(sum) as SymbolicTensor });
    },
  },
];

/** The losses of five steps. */
async function descend(backend: string, { inputs, build, words }: Stock): Promise<number[]> {
  await tf.setBackend(backend);
  const net = build();
  setWeights(net);
  net.compile({ optimizer: tf.train.momentum(0.02, 0.9), loss: "meanSquaredError" });
  const xs = inputs.map((shape, i) => {
    if (i > 0 || !words) return some([6, ...shape], 100 + i);
    return tf.tensor(
      Array.from({ length: 6 * shape[0]! }, (_, k) => (k * k + 3 * k) % 7),
      [6, shape[0]!],
    );
  });
  const y = some([6, ...(net.outputs[0]!.shape.slice(1) as number[])], 200);
  const options = { epochs: 5, batchSize: 6, shuffle: false, verbose: 0 } as const;
  const { history } = await net.fit(xs.length === 1 ? xs[0]! : xs, y, options);
  tf.dispose([xs, y]);
  net.dispose();
  return history.loss as number[];
}

test("there are thirty of them", () => {
  expect(stocks.length).toBeGreaterThanOrEqual(30);
});

for (const stock of stocks) {
  test(`${stock.name}: five steps on wasm as on cpu`, async () => {
    const reference = await descend("cpu", stock);
    const ours = await descend("wasm", stock);
    expect(reference).toHaveLength(5);
    // It trains at all: the loss moves by much more than what is compared.
    expect(Math.abs(reference.at(-1)! - reference[0]!)).toBeGreaterThan(1e-3 * reference[0]!);
    for (const [i, loss] of reference.entries()) {
      expect(Math.abs(ours[i]! - loss) / Math.abs(loss), `step ${i}`).toBeLessThan(1e-4);
    }
    const [sum] = await tf.tidy(() => tf.add(1, 1)).data();
    expect(sum).toBe(2);
  });
}

afterAll(() => tf.disposeVariables());
