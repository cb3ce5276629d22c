import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { graphModelToGraph, modelRows, weightShardPaths } from "@gradlab/tfjs-models";
import * as tf from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import "./tfjs-oracle.js";

const { layers } = tf;
const image = (...shape: (number | null)[]) => tf.input({ shape });
const chain = (input: tf.SymbolicTensor, ...list: tf.layers.Layer[]) =>
  tf.model({
    inputs: input,
    outputs: list.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, input),
  });

// The default multiplies by chained ops, which are not registered here.
const recurrentInitializer = "glorotUniform";

const models: Record<string, () => tf.LayersModel> = {
  "convolutions in 2-D": () =>
    chain(
      image(20, 18, 3),
      layers.conv2d({ filters: 4, kernelSize: [3, 2], strides: [1, 2], padding: "same" }),
      layers.batchNormalization(),
      layers.prelu({ sharedAxes: [1, 2] }),
      layers.zeroPadding2d({ padding: [[1, 2], [0, 3]] }),
      layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
      layers.batchNormalization({ scale: false, trainable: false }),
      layers.separableConv2d({ filters: 5, kernelSize: 2, useBias: false }),
      layers.elu(),
      layers.conv2dTranspose({ filters: 6, kernelSize: 3, strides: 2 }),
      layers.upSampling2d({ size: [2, 3] }),
      layers.cropping2D({ cropping: [[1, 0], [2, 1]] }),
      layers.prelu(),
      layers.layerNormalization(),
      layers.gaussianNoise({ stddev: 1 }),
      layers.maxPooling2d({ poolSize: [2, 3], strides: 2, padding: "same" }),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 7 }),
      layers.softmax(),
    ), // biome-ignore format: a list of layers
  "one axis": () =>
    chain(
      image(30, 4),
      layers.conv1d({ filters: 5, kernelSize: 3, dilationRate: 2 }),
      layers.averagePooling1d({ poolSize: 2 }),
      layers.bidirectional({
        layer: layers.lstm({ units: 6, recurrentInitializer, returnSequences: true }) as tf.RNN,
        mergeMode: "concat",
      }),
      layers.gru({ units: 3, recurrentInitializer, returnSequences: true }),
      layers.timeDistributed({ layer: layers.dense({ units: 9 }) }),
      layers.simpleRNN({ units: 4, recurrentInitializer, useBias: false }),
      layers.repeatVector({ n: 3 }),
      layers.permute({ dims: [2, 1] }),
      layers.flatten(),
      layers.dense({ units: 2, useBias: false }),
    ),
  "three axes": () =>
    chain(
      image(8, 9, 10, 2),
      layers.conv3d({ filters: 3, kernelSize: 2, strides: [1, 2, 1] }),
      layers.conv3dTranspose({ filters: 4, kernelSize: 2, strides: 2 }),
      layers.maxPooling3d({ poolSize: 2, strides: 2 }),
      layers.reshape({ targetShape: [-1, 4] }),
      layers.globalMaxPooling1d(),
      layers.dense({ units: 1, activation: "sigmoid" }),
    ),
  words: () =>
    chain(
      image(12),
      layers.embedding({ inputDim: 20, outputDim: 5 }),
      layers.lstm({ units: 3, recurrentInitializer }),
      layers.dense({ units: 2 }),
    ),
  "a film": () =>
    chain(
      image(4, 9, 9, 2),
      layers.convLstm2d({
        filters: 3,
        recurrentInitializer,
        kernelSize: 3,
        returnSequences: true,
      }) as tf.layers.Layer,
      layers.flatten(),
    ),
  "channels first": () =>
    chain(
      image(3, 10, 12),
      layers.conv2d({ filters: 4, kernelSize: 3, dataFormat: "channelsFirst" }),
      layers.batchNormalization({ axis: 1 }),
      layers.globalMaxPooling2d({ dataFormat: "channelsFirst" }),
    ),
  "a shared layer and branches": () => {
    const x = image(6, 6, 3);
    const shared = layers.conv2d({ filters: 3, kernelSize: 3, padding: "same" });
    const once = shared.apply(x) as tf.SymbolicTensor;
    const twice = shared.apply(once) as tf.SymbolicTensor;
    const sum = layers.add().apply([once, twice]) as tf.SymbolicTensor;
    const both = layers.concatenate().apply([sum, x]) as tf.SymbolicTensor;
    return tf.model({ inputs: x, outputs: both });
  },
  "states that come out beside the output": () => {
    const x = image(9, 4);
    const options = { recurrentInitializer, returnState: true, returnSequences: true } as const;
    const [sequence, h, c] = layers.lstm({ units: 5, ...options }).apply(x) as tf.SymbolicTensor[];
    const [, g] = layers.gru({ units: 3, ...options }).apply(sequence!) as tf.SymbolicTensor[];
    const all = layers.concatenate().apply([h!, c!, g!]) as tf.SymbolicTensor;
    return tf.model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(all) as tf.SymbolicTensor });
  },
};

test.each(Object.keys(models))("%s: parameters and shapes are those of tfjs", (name) => {
  const model = models[name]!();
  const table = modelRows(model.toJSON(null, false));
  const trainable = model.trainableWeights.reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a! * b!, 1)!,
    0,
  );
  expect(table.trainable).toBe(trainable);
  expect(table.warnings.filter((text) => !text.startsWith("no receptive fields"))).toEqual([]);
  for (const layer of model.layers) {
    const row = table.rows.find((one) => one.name === layer.name);
    if (row === undefined || layer.inboundNodes.length > 1) continue;
    const [first] = layer.outputShape as unknown[];
    const own = (Array.isArray(first) ? first : layer.outputShape) as (number | null)[];
    expect([layer.name, row.params, row.output]).toEqual([
      layer.name,
      layer.countParams(),
      // A size that tfjs leaves open until it runs may be known here.
      own.slice(1).map((size, i) => size ?? row.output![i]),
    ]);
  }
  expect(table.params).toBe(model.countParams());
  model.dispose();
});

const topology = (...list: object[]) => ({
  modelTopology: { class_name: "Sequential", config: { name: "s", layers: list } },
});
const conv = {
  class_name: "Conv2D",
  config: { name: "c", filters: 2, kernel_size: [3, 3], batch_input_shape: [null, 8, 8, 3] },
};
const dense = { class_name: "Dense", config: { name: "d", units: 4 } };

test("a layer that is not known is a row with the weights of its name, and a warning", () => {
  const json = {
    ...topology(conv, { class_name: "Mystery", config: { name: "m" } }, dense),
    weightsManifest: [
      {
        paths: [],
        weights: [
          { name: "m/w", shape: [5, 2], dtype: "float32" },
          { name: "d/kernel", shape: [7, 4], dtype: "float32" },
        ],
      },
    ],
  };
  const { rows, warnings, params } = modelRows(json);
  expect(rows.map(({ name, output, params: own }) => [name, output, own])).toEqual([
    ["c", [6, 6, 2], 56],
    ["m", null, 10],
    ["d", null, 32],
  ]);
  expect(params).toBe(98);
  expect(warnings[0]).toContain('layer "m": Mystery is not known here');
});

test("a size or channels for which the weights do not fit are refused", () => {
  const flat = topology(conv, { class_name: "Flatten", config: { name: "f" } }, dense);
  expect(modelRows(flat, { size: [8, 8] }).params).toBe(56 + 72 * 4 + 4);
  expect(() => modelRows(flat, { size: [9, 8] })).toThrow(
    'options.size: expected a size for which layer "d" (Dense) has weights: kernel [72, 4], got one that needs [84, 4]',
  );
  expect(() => modelRows(flat, { channels: 1 })).toThrow(
    "options.channels: expected 3, which the model takes, got 1",
  );
  expect(modelRows(topology(conv), { size: [20, 10] }).rows[0]!.output).toEqual([18, 8, 2]);
});

test("a node that is not known is a row without shape, and the float weights of a graph model count", () => {
  const shape = (...sizes: number[]) => ({ shape: { dim: sizes.map((size) => ({ size: `${size}` })) } });
  const padding = { padding: { s: btoa("SAME") }, strides: { list: { i: ["1", "1", "1", "1"] } } };
  const json = {
    format: "graph-model",
    modelTopology: {
      node: [
        { name: "x", op: "Placeholder", attr: { shape: shape(-1, 6, 6, 3) } },
        { name: "k", op: "Const" },
        { name: "k2", op: "Identity", input: ["k"] },
        { name: "c", op: "Conv2D", input: ["x", "k2"], attr: padding },
        { name: "odd", op: "Odd", input: ["c"] },
        { name: "end", op: "Relu", input: ["odd"] },
      ],
    },
    weightsManifest: [
      {
        paths: [],
        weights: [
          { name: "k", shape: [3, 3, 3, 2], dtype: "float32" },
          { name: "n", shape: [4], dtype: "int32" },
          { name: "spare", shape: [5], dtype: "float32", quantization: { dtype: "uint8", scale: 1, min: 0 } },
        ],
      },
    ],
  };
  const { rows, params, trainable, warnings } = modelRows(json);
  expect(rows.map(({ name, output, params: own, macs }) => [name, output, own, macs])).toEqual([
    ["c", [6, 6, 2], 54, 36 * 54],
    ["odd", null, 0, null],
    ["end", null, 0, null],
    ["(read by nothing)", null, 5, 0],
  ]);
  expect({ params, trainable, warnings: warnings.length }).toEqual({
    params: 59,
    trainable: null,
    warnings: 1,
  });
  expect(warnings[0]).toMatch(/^node "odd" \(Odd\): expected an operation on positions/);
});

test("a layer that nobody knows may have several outputs, and attention has the weights of Keras", () => {
  const json = {
    modelTopology: {
      class_name: "Functional",
      config: {
        name: "m",
        layers: [
          {
            name: "x",
            class_name: "InputLayer",
            config: { batch_input_shape: [null, 6, 8] },
            inbound_nodes: [],
          },
          {
            name: "att",
            class_name: "MultiHeadAttention",
            config: { num_heads: 2, key_dim: 3 },
            inbound_nodes: [[["x", 0, 0, { value: ["x", 0, 0] }]]],
          },
          {
            name: "two",
            class_name: "Odd",
            config: { return_state: true },
            inbound_nodes: [[["att", 0, 0, {}]]],
          },
          { name: "end", class_name: "Softmax", config: {}, inbound_nodes: [[["two", 0, 1, {}]]] },
        ],
        input_layers: [["x", 0, 0]],
        output_layers: [["end", 0, 0]],
      },
    },
  };
  const { rows } = modelRows(json);
  // Three kernels of 8 x 2 x 3 with biases, one of 2 x 3 x 8 with 8.
  expect(rows.map(({ name, output, params }) => [name, output, params])).toEqual([
    ["att", [6, 8], 3 * (48 + 6) + 48 + 8],
    ["two", null, 0],
    ["end", null, 0],
  ]);
});

test("a graph with a loop and a branch has a row for every node, those of control flow without shape", () => {
  const node = (name: string, op: string, ...input: string[]) => ({ name, op, input });
  const json = {
    format: "graph-model",
    modelTopology: {
      node: [
        {
          name: "x",
          op: "Placeholder",
          attr: { shape: { shape: { dim: ["1", "6", "6", "3"].map((size) => ({ size })) } } },
        },
        node("before", "Relu", "x"),
        node("enter", "Enter", "before"),
        node("merge", "Merge", "enter", "next"),
        node("cond", "LoopCond", "test"),
        node("test", "Less", "merge", "merge"),
        node("switch", "Switch", "merge", "cond"),
        node("body", "Relu6", "switch:1"),
        node("next", "NextIteration", "body"),
        node("exit", "Exit", "switch"),
        node("y", "Softmax", "exit"),
      ],
    },
  };
  const { rows, warnings, graph } = modelRows(json);
  expect(rows.map(({ name }) => name).toSorted()).toEqual(
    ["before", "enter", "merge", "cond", "test", "switch", "body", "next", "exit", "y"].toSorted(),
  );
  expect(rows.find(({ name }) => name === "before")!.output).toEqual([6, 6, 3]);
  expect(rows.find(({ name }) => name === "y")!.output).toBeNull();
  expect(warnings.length).toBeGreaterThan(0);
  expect(graph).not.toBeNull();
  expect(() => graphModelToGraph(json)).toThrow(/node "enter" \(Enter\): expected an operation on positions/);
  // A circle that is no loop is none of a graph.
  const circle = {
    ...json,
    modelTopology: { node: [node("a", "Relu", "b"), node("b", "Relu", "a"), node("c", "Relu", "a")] },
  };
  expect(() => modelRows(circle)).toThrow(/expected no cycle, got one through/);
});

const data = process.env.GRADLAB_DATA;
const pretrained = data === undefined ? "" : join(data, "models");

test.runIf(existsSync(pretrained)).each([
  ["mobilenet-v1-025-224", 475_544, 470_072, [1000]],
  ["mobilenet-v1-025-graph", 470_329, null, [1001]],
  ["darknet-tiny", 1_046_488, 1_042_104, [1000]],
  ["tiny-vgg", 19_920, 19_920, [10]],
])("%s has the known number of parameters", (name, params, trainable, output) => {
  const json: unknown = JSON.parse(readFileSync(join(pretrained, name, "model.json"), "utf8"));
  const shards = weightShardPaths(json).map((path) => readFileSync(join(pretrained, name, path)));
  const table = modelRows(json, { weights: new Uint8Array(Buffer.concat(shards)) });
  expect(table).toMatchObject({ params, trainable, warnings: [] });
  expect(table.rows.at(-1)!.output).toEqual(output);
});
