import { type LayerGraph, receptiveField } from "@gradlab/receptive-field";
import * as tf from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { layersModelToGraph } from "../src/index.js";
import { makePositive, pixelsByArithmetic, pixelsByForwardDifference } from "./tfjs-oracle.js";

const { layers } = tf;
const image = (...shape: (number | null)[]) => tf.input({ shape });
const modelOf = (
  inputs: tf.SymbolicTensor | tf.SymbolicTensor[],
  outputs: tf.SymbolicTensor | tf.SymbolicTensor[],
) => tf.model({ inputs, outputs });
const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
  layer.apply(x) as tf.SymbolicTensor;
const chain = (input: tf.SymbolicTensor, list: tf.layers.Layer[]) =>
  modelOf(
    input,
    list.reduce((x, layer) => apply(layer, x), input),
  );
const converted = (model: tf.LayersModel) => layersModelToGraph(model.toJSON(null, false));

/** Compares the units of every layer with the shape that tfjs computes; a tensor without positions has one unit. */
function expectUnitsOfTfjs(model: tf.LayersModel): LayerGraph {
  const graph = converted(model);
  const rows = new Map(receptiveField(graph).layers.map((row) => [row.name, row]));
  const axes = graph.input.shape.length;
  const rest: string[] = [];
  for (const layer of model.layers) {
    if (layer.getClassName() === "InputLayer") continue;
    const row = rows.get(layer.name);
    if (row === undefined || row.op === "flatten") {
      rest.push(layer.name);
      continue;
    }
    const shape = layer.outputShape as number[];
    const isFirst = (layer.getConfig() as { dataFormat?: string }).dataFormat === "channelsFirst";
    const grid = isFirst ? shape.slice(2) : shape.slice(1, -1);
    expect([layer.name, row.n]).toEqual([layer.name, grid.length === axes ? grid : Array(axes).fill(1)]);
  }
  expect(rest.filter((name) => !/^flatten/.test(name))).toEqual([]);
  return graph;
}

async function expectPixelsOfTfjs(
  model: tf.LayersModel,
  graph: LayerGraph,
  channelsFirst = false,
): Promise<void> {
  makePositive(model);
  const size = graph.input.shape as number[];
  const seen = await pixelsByForwardDifference((x) => model.predict(x) as typeof x, size, channelsFirst);
  expect(pixelsByArithmetic(graph, graph.layers.at(-1)!.name)).toEqual(seen);
}

test("windows of every padding, stride and dilation have the units that tfjs computes", () => {
  for (const size of [13, 16]) {
    for (const padding of ["same", "valid"] as const) {
      const graph = expectUnitsOfTfjs(
        chain(image(size, size + 3, 2), [
          layers.conv2d({ filters: 3, kernelSize: [3, 2], strides: [1, 2], padding }),
          layers.conv2d({ filters: 4, kernelSize: 2, dilationRate: [1, 2], padding }),
          layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, padding }),
          layers.separableConv2d({ filters: 5, kernelSize: 2, strides: 2, padding }),
          layers.maxPooling2d({ poolSize: [2, 1], padding }),
          layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding }),
          layers.conv2dTranspose({ filters: 2, kernelSize: [1, 2], strides: [2, 3], padding }),
          layers.averagePooling2d({ poolSize: 3, strides: 1, padding }),
        ]),
      );
      expect(graph.input).toEqual({ shape: [size, size + 3], channels: 2 });
    }
  }
});

test("filters, groups and bias of the layers are kept, and activations inside them leave no trace", () => {
  const graph = converted(
    chain(image(8, 8, 3), [
      layers.conv2d({ name: "a", filters: 4, kernelSize: 3, activation: "relu", useBias: false }),
      layers.depthwiseConv2d({ name: "b", kernelSize: 2, depthMultiplier: 2 }),
      layers.separableConv2d({ name: "c", filters: 5, kernelSize: 2, strides: 2 }),
      layers.flatten({ name: "d" }),
      layers.dense({ name: "e", units: 10, activation: "softmax" }),
    ]),
  );
  expect(graph.layers).toEqual([
    { name: "a", op: "conv", kernel: 3, filters: 4, bias: false, inputs: ["input"] },
    { name: "b", op: "conv", kernel: 2, filters: 8, groups: 4, bias: true, inputs: ["a"] },
    {
      name: "c/depthwise",
      op: "conv",
      kernel: 2,
      stride: 2,
      filters: 8,
      groups: 8,
      bias: false,
      inputs: ["b"],
    },
    { name: "c", op: "conv", kernel: 1, filters: 5, bias: true, inputs: ["c/depthwise"] },
    { name: "d", op: "flatten", inputs: ["c"] },
    { name: "e", op: "dense", units: 10, bias: true, inputs: ["d"] },
  ]);
});

test("padding, cropping, upsampling and pointwise layers have the units that tfjs computes", () => {
  expectUnitsOfTfjs(
    chain(image(9, 10, 2), [
      layers.rescaling({ scale: 1 / 255 }),
      layers.zeroPadding2d({
        padding: [
          [1, 2],
          [3, 0],
        ],
      }),
      layers.cropping2D({
        cropping: [
          [0, 1],
          [2, 1],
        ],
      }),
      layers.upSampling2d({ size: [2, 3] }),
      layers.batchNormalization(),
      layers.layerNormalization(),
      layers.activation({ activation: "softmax" }),
      layers.prelu(),
      layers.leakyReLU(),
      layers.dropout({ rate: 0.5 }),
      layers.gaussianNoise({ stddev: 1 }),
      layers.dense({ units: 4 }),
      layers.globalAveragePooling2d({ dataFormat: "channelsLast" }),
      layers.reshape({ targetShape: [1, 1, 4] }),
      layers.conv2d({ filters: 2, kernelSize: 1 }),
      layers.flatten(),
      layers.dense({ units: 3 }),
      layers.softmax(),
    ]),
  );
});

test("1-D and 3-D models have the units that tfjs computes", () => {
  expectUnitsOfTfjs(
    chain(image(31, 2), [
      layers.conv1d({ filters: 3, kernelSize: 3, dilationRate: 2 }),
      layers.conv1d({ filters: 3, kernelSize: 4, strides: 2, padding: "same" }),
      layers.maxPooling1d({ poolSize: 3, strides: 2 }),
      layers.averagePooling1d({ poolSize: 2, padding: "same" }),
      layers.spatialDropout1d({ rate: 0.1 }),
      layers.globalMaxPooling1d({}),
    ]),
  );
  expectUnitsOfTfjs(
    chain(image(9, 8, 7, 1), [
      layers.conv3d({ filters: 2, kernelSize: [3, 2, 1], padding: "same", strides: [2, 1, 1] }),
      layers.maxPooling3d({ poolSize: [2, 2, 1], padding: "valid" } as Parameters<
        typeof layers.maxPooling3d
      >[0]),
      layers.conv3dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }),
      layers.averagePooling3d({ poolSize: 2 } as Parameters<typeof layers.averagePooling3d>[0]),
    ]),
  );
});

test("the pixels of a unit are those whose change changes it in tfjs", async () => {
  const models = [
    [
      layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }),
      layers.conv2d({ filters: 2, kernelSize: [2, 3], dilationRate: [2, 1], padding: "same" }),
    ],
    [
      layers.averagePooling2d({ poolSize: 2, padding: "same" }),
      layers.conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, padding: "same" }),
    ],
    [layers.conv2dTranspose({ filters: 1, kernelSize: [2, 4], strides: 3, padding: "same" })],
    [layers.conv2dTranspose({ filters: 1, kernelSize: [2, 4], strides: 3, padding: "valid" })],
    [layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" })],
    [layers.conv2d({ filters: 1, kernelSize: 2, strides: 2 }), layers.upSampling2d({ size: [3, 2] })],
    [layers.zeroPadding2d({ padding: [[2, 1], [0, 3]] }), layers.separableConv2d({ filters: 2, kernelSize: [3, 4] })],
    [layers.cropping2D({ cropping: [[2, 1], [0, 3]] }), layers.permute({ dims: [2, 1, 3] }), layers.conv2d({ filters: 1, kernelSize: [1, 3] })],
    [layers.conv2d({ filters: 2, kernelSize: 3 }), layers.dense({ units: 3 }), layers.globalAveragePooling2d({ dataFormat: "channelsLast" })],
  ]; // biome-ignore format: one model a line
  for (const list of models) {
    const model = chain(image(8, 7, 1), list);
    const graph = converted(model);
    if (list.some((layer) => layer.getClassName() === "Permute")) {
      // The units come out transposed: their order in tfjs is x, y.
      makePositive(model);
      const seen = await pixelsByForwardDifference((x) => model.predict(x) as typeof x, [8, 7]);
      const swapped = new Map(
        [...seen].map(([index, pixels]) => [index.split(",").reverse().join(), pixels]),
      );
      expect(pixelsByArithmetic(graph, graph.layers.at(-1)!.name)).toEqual(swapped);
    } else await expectPixelsOfTfjs(model, graph);
  }
});

// tfjs reads causal padding and Resizing, but does not run them: worked by hand.
test("causal padding looks only back, and resizing looks at the middle of the pixels that a unit covers", () => {
  const causal = converted(
    chain(image(9, 1), [
      layers.conv1d({ filters: 1, kernelSize: 3, dilationRate: 2, padding: "causal" }),
      layers.conv1d({ name: "last", filters: 1, kernelSize: 2, padding: "causal" }),
    ]),
  );
  const seen = pixelsByArithmetic(causal, "last");
  expect([seen.get("0"), seen.get("1"), seen.get("8")]).toEqual([
    ["0"],
    ["0", "1"],
    ["3", "4", "5", "6", "7", "8"],
  ]);

  const resize = layers.resizing({ name: "r", height: 2, width: 6, interpolation: "bilinear" });
  const row = receptiveField(converted(chain(image(8, 3, 1), [resize]))).layers[0]!;
  // 8 to 2: unit 0 looks at 0.5 · 4 − 0.5 = 1.5; 3 to 6: at 0.5 · 0.5 − 0.5 = −0.25.
  expect([row.n, row.size[0], row.start[0]]).toEqual([[2, 6], 2, 1.5]);
});

test("branches are joined, and a smaller one is broadcast", async () => {
  const x = image(8, 8, 1);
  const a = apply(layers.conv2d({ name: "a", filters: 2, kernelSize: 3, padding: "same" }), x);
  const b = apply(layers.conv2d({ name: "b", filters: 2, kernelSize: 5, padding: "same" }), x);
  const sum = apply(layers.add({ name: "sum" }), [a, b, a]);
  const both = apply(layers.concatenate({ name: "both" }), [sum, x]);
  const last = apply(layers.conv2d({ name: "last", filters: 1, kernelSize: 2, strides: 2 }), both);
  const model = modelOf(x, last);
  const graph = expectUnitsOfTfjs(model);
  expect(graph.layers[2]).toEqual({ name: "sum", op: "add", inputs: ["a", "b"] });
  await expectPixelsOfTfjs(model, graph);

  // Squeeze and excitation: the gate sees everything.
  const pooled = apply(layers.globalAveragePooling2d({ dataFormat: "channelsLast" }), x);
  const gate = apply(layers.reshape({ targetShape: [1, 1, 2] }), apply(layers.dense({ units: 2 }), pooled));
  const merges = ["multiply", "average", "maximum", "minimum"] as const;
  for (const merge of merges) {
    const joined = expectUnitsOfTfjs(modelOf(x, apply(layers[merge](), [a, gate])));
    expect(pixelsByArithmetic(joined, joined.layers.at(-1)!.name).get("0,0")).toHaveLength(64);
  }
});

test("channels_first models are read in their layout", async () => {
  const x = image(1, 8, 6);
  const dataFormat = "channelsFirst";
  const a = apply(layers.conv2d({ filters: 2, kernelSize: [3, 1], strides: [2, 1], dataFormat }), x);
  const b = apply(layers.conv2d({ filters: 3, kernelSize: [3, 1], strides: [2, 1], dataFormat }), x);
  const both = apply(layers.concatenate({ axis: 1 }), [a, b]);
  const model = modelOf(x, apply(layers.averagePooling2d({ poolSize: [1, 2], dataFormat }), both));
  const graph = converted(model);
  expect(graph.input).toEqual({ shape: [8, 6], channels: 1 });
  const seen = pixelsByArithmetic(graph, graph.layers.at(-1)!.name);
  expect(seen.size).toBe(3 * 3);
  expect(seen.get("1,2")).toEqual(["2,4", "2,5", "3,4", "3,5", "4,4", "4,5"]);
});

test("nested models are inlined, and a shared one is copied for every call", () => {
  const inner = tf.sequential({
    name: "block",
    layers: [
      layers.conv2d({ name: "conv", filters: 1, kernelSize: 3, padding: "same", inputShape: [12, 12, 1] }),
      layers.reLU({ name: "relu" }),
    ],
  });
  const x = image(12, 12, 1);
  const once = inner.apply(x) as tf.SymbolicTensor;
  const twice = inner.apply(once) as tf.SymbolicTensor;
  const model = modelOf(x, apply(layers.maxPooling2d({ name: "pool", poolSize: 2 }), twice));
  const graph = converted(model);
  expect(graph.layers.map(({ name, inputs }) => [name, inputs])).toEqual([
    ["block/conv", ["input"]],
    ["block/relu", ["block/conv"]],
    ["block_1/conv", ["block/relu"]],
    ["block_1/relu", ["block_1/conv"]],
    ["pool", ["block_1/relu"]],
  ]);
  expect(receptiveField(graph).layers.at(-1)!.size).toEqual([6, 6]);

  const shared = layers.conv2d({ name: "c", filters: 1, kernelSize: 3, padding: "same" });
  const taken = apply(
    layers.conv2d({ name: "c_1", filters: 1, kernelSize: 3, padding: "same" }),
    apply(shared, x),
  );
  const copies = converted(modelOf(x, apply(shared, taken)));
  expect(copies.layers.map(({ name }) => name)).toEqual(["c", "c_1", "c_1_1"]);
});

test("a Sequential model that starts with a model, and one without an InputLayer, know their input", () => {
  const first = tf.sequential({
    layers: [layers.conv2d({ filters: 1, kernelSize: 3, inputShape: [9, null, 3] })],
  });
  const outer = tf.sequential({ layers: [first, layers.maxPooling2d({ poolSize: 2 })] });
  expect(converted(outer).input).toEqual({ shape: [9, null], channels: 3 });
});

test("every form in which tfjs and Keras write a topology is read alike", () => {
  const model = chain(tf.input({ shape: [null, 9, 3], name: "x" }), [
    layers.conv2d({ name: "c", filters: 1, kernelSize: 3, dataFormat: "channelsLast" }),
  ]);
  const bare = model.toJSON(null, false) as Record<string, unknown>;
  const graph = layersModelToGraph(bare);
  expect(graph.input.shape).toEqual([null, 9]);
  const { class_name, config } = bare;
  for (const json of [
    { format: "layers-model", modelTopology: bare, weightsManifest: [] },
    { modelTopology: { keras_version: "2.15.0", model_config: { class_name, config } } },
    { model_config: { class_name, config } },
    { className: model.getClassName(), config: model.getConfig() },
    JSON.parse(model.toJSON() as string),
  ]) {
    expect(layersModelToGraph(json)).toEqual(graph);
  }
});

/** A model as Keras 3 writes it: tensors in `args`, in lists or alone. */
function keras3(nodes: Record<string, unknown>[], outputs: unknown) {
  const input = {
    class_name: "InputLayer",
    name: "x",
    config: { name: "x", batch_shape: [null, 16, 16, 3] },
    inbound_nodes: [],
  };
  return {
    class_name: "Functional",
    config: {
      name: "m",
      trainable: true,
      layers: [input, ...nodes],
      input_layers: ["x", 0, 0],
      output_layers: outputs,
    },
  };
}
const tensor = (name: string, node = 0) => ({
  class_name: "__keras_tensor__",
  config: { shape: [null, 16, 16, 3], dtype: "float32", keras_history: [name, node, 0] },
});
const layer = (class_name: string, name: string, config: object, ...args: unknown[]) => ({
  module: "keras.layers",
  class_name,
  name,
  config: {
    name,
    dtype: { module: "keras", class_name: "DTypePolicy", config: { name: "float32" } },
    ...config,
  },
  inbound_nodes: [{ args, kwargs: { training: false } }],
});
const keras3Conv = {
  filters: 3,
  kernel_size: [3, 3],
  strides: [1, 1],
  padding: "same",
  groups: 3,
  dilation_rate: [1, 1],
  use_bias: true,
};

test("inbound nodes of Keras 3 are read", () => {
  const graph = layersModelToGraph(
    keras3(
      [
        layer("Conv2D", "a", keras3Conv, tensor("x")),
        layer("Activation", "r", { activation: { class_name: "function", config: "relu" } }, tensor("a")),
        layer("Add", "s", {}, [tensor("x"), tensor("r")]),
        layer("GlobalAveragePooling2D", "g", { keepdims: true }, tensor("s")),
        layer("Multiply", "m", {}, [tensor("g"), tensor("s")]),
      ],
      [["m", 0, 0]],
    ),
  );
  expect(graph.layers).toEqual([
    {
      name: "a",
      op: "conv",
      kernel: 3,
      padding: "same",
      filters: 3,
      groups: 3,
      bias: true,
      inputs: ["input"],
    },
    { name: "r", op: "pointwise", fn: "relu", inputs: ["a"] },
    { name: "s", op: "add", inputs: ["input", "r"] },
    { name: "g", op: "global-pool", mode: "avg", inputs: ["s"] },
    { name: "m", op: "multiply", inputs: ["g", "s"] },
  ]);
});

test("of several inputs one has to be named; what depends on the others alone is left out", () => {
  const x = tf.input({ shape: [8, 8, 1], name: "image" });
  const y = tf.input({ shape: [4], name: "facts" });
  const seen = apply(
    layers.globalAveragePooling2d({ name: "g", dataFormat: "channelsLast" }),
    apply(layers.conv2d({ name: "c", filters: 2, kernelSize: 3 }), x),
  );
  const both = apply(layers.concatenate({ name: "both" }), [
    seen,
    apply(layers.dense({ name: "d", units: 3 }), y),
  ]);
  const json = modelOf([x, y], apply(layers.dense({ name: "out", units: 1 }), both)).toJSON(null, false);
  expect(() => layersModelToGraph(json)).toThrow(
    'layersModelToGraph: options.input: expected one of "image", "facts" (the model has several inputs), got nothing',
  );
  expect(layersModelToGraph(json, { input: "image" }).layers.map(({ name, op }) => `${name} ${op}`)).toEqual([
    "c conv", "g global-pool", "both pointwise", "out dense",
  ]); // biome-ignore format: short
  expect(() => layersModelToGraph(json, { input: "sound" })).toThrow(
    'expected one of "image", "facts", got "sound"',
  );
});

test("a layer called input keeps clear of the name of the graph's input", () => {
  const model = chain(tf.input({ shape: [8, 8, 1], name: "x" }), [
    layers.conv2d({ name: "input", filters: 1, kernelSize: 3 }),
  ]);
  expect(converted(model).layers[0]).toMatchObject({ name: "input_1", inputs: ["input"] });
});

test("layers without a meaning on positions are refused by name and class, and can be left out", () => {
  const conv = layers.conv2d({ name: "c", filters: 2, kernelSize: 3 });
  const refusals: [tf.layers.Layer[], string][] = [
    [[conv, layers.reshape({ name: "r", targetShape: [2, 36] })],
      'layer "r" (Reshape): expected a shape that keeps every axis of positions, or lays out everything in a row, got [?, 2, 36] from [batch, 6 positions, 6 positions, 2 channels]'],
    [[conv, layers.permute({ name: "p", dims: [1, 3, 2] }), layers.conv2d({ name: "q", filters: 1, kernelSize: 1 })],
      'layer "q" (Conv2D): expected an input [batch, positions, channels] with 2 dimensions of positions, got [batch, 6 positions, 2 channels, 6 positions]'],
    [[conv, layers.layerNormalization({ name: "n", axis: [1, 2] })],
      'layer "n" (LayerNormalization): expected LayerNormalization over channels only, got dimension 1 of'],
    [[conv, layers.flatten(), layers.softmax({ name: "s" })], 'layer "s" (Softmax): expected Softmax over channels only'],
    [[conv, layers.timeDistributed({ name: "t", layer: layers.conv1d({ filters: 1, kernelSize: 2 }) })],
      'layer "t" (TimeDistributed): expected a layer that works on positions (convolution, pooling, resizing, merging, pointwise, Flatten, Dense), got TimeDistributed (options.output can end the graph before it)'],
  ]; // biome-ignore format: a table
  for (const [list, message] of refusals) {
    const json = chain(image(8, 8, 1), list).toJSON(null, false);
    expect(() => layersModelToGraph(json)).toThrow(RangeError);
    expect(() => layersModelToGraph(json)).toThrow(message);
    expect(layersModelToGraph(json, { output: "c" }).layers).toHaveLength(1);
  }
  const x = image(8, 8, 1);
  const stacked = modelOf(x, apply(layers.concatenate({ name: "stack", axis: 1 }), [x, x]));
  expect(() => converted(stacked)).toThrow(
    'layer "stack" (Concatenate): expected concatenation along channels, got along dimension 1 of [batch, 8 positions, 8 positions, 1 channels]',
  );
});

test("impossible descriptions are refused with the place and what is wrong", () => {
  const conv = (config: object) =>
    keras3([layer("Conv2D", "c", { ...keras3Conv, ...config }, tensor("x"))], [["c", 0, 0]]);
  const cases: [unknown, string][] = [
    [null, "json: expected the JSON object of a LayersModel, got nothing"],
    [[], "json: expected the JSON object of a LayersModel, got []"],
    [{}, "model: expected modelTopology with class_name and config, got an object without keys"],
    [{ modelTopology: 3 }, "model: modelTopology: expected an object, got 3"],
    [{ class_name: "Sequential", config: { layers: [] } }, "expected at least one layer, got none"],
    [{ class_name: "Sequential", config: 3 }, "config: expected a list, got 3"],
    [{ class_name: "Sequential", config: [{ class_name: "Conv2D", config: { name: "c" } }] }, 'layer "c" (Conv2D): batch_input_shape: expected the shape'],
    [{ class_name: "Functional", config: { layers: [{}] } }, "layers[0]: class_name: expected a text, got nothing"],
    [conv({ kernel_size: "3" }), 'layer "c" (Conv2D): kernel_size: expected 2 positive integers, got "3"'],
    [conv({ kernel_size: [3] }), 'layer "c" (Conv2D): kernel_size: expected 2 positive integers, got [3]'],
    [conv({ kernel_size: [3, -1] }), 'layer "c" (Conv2D): kernel_size: expected 2 positive integers, got [3,-1]'],
    [conv({ padding: "full" }), 'layer "c" (Conv2D): padding: expected valid or same or causal, got "full"'],
    [conv({ filters: 1e99 }), 'layer "c" (Conv2D): filters: expected a positive integer, got 1e+99'],
    [conv({ kernel_size: 99, padding: "valid" }), 'layer "c": its output would be empty along y'],
    [keras3([layer("Conv2D", "c", keras3Conv, tensor("y"))], [["c", 0, 0]]), 'layer "c" (Conv2D): inputs: expected calls of layers of the model, got call 0 of "y"'],
    [keras3([layer("Conv2D", "c", keras3Conv, tensor("x", 7))], [["c", 0, 0]]), 'layer "c" (Conv2D): inputs: expected calls of layers of the model, got call 7 of "x"'],
    [keras3([layer("Conv2D", "c", keras3Conv)], [["c", 0, 0]]), 'layer "c" (Conv2D): inbound_nodes: expected inputs, got'],
    [keras3([layer("ReLU", "a", {}, tensor("b")), layer("ReLU", "b", {}, tensor("a"))], [["a", 0, 0]]), 'expected no cycle, got one through'],
    [keras3([layer("ReLU", "a", {}, tensor("a"))], [["a", 0, 0]]), 'layer "a" (ReLU): expected no cycle, got one through "a"'],
    [keras3([layer("ReLU", "a", {}, tensor("x")), layer("ReLU", "a", {}, tensor("x"))], [["a", 0, 0]]), 'name: expected a name used once, got "a"'],
    [keras3([], [["x", 0, 1]]), "inputs: expected an output that \"x\" has, got 1"],
    [keras3([], []), "output_layers: expected at least one output, got []"],
    [keras3([layer("toString", "t", {}, tensor("x"))], [["t", 0, 0]]), 'layer "t" (toString): expected a layer that works'],
  ]; // biome-ignore format: a table
  for (const [json, message] of cases) {
    expect(() => layersModelToGraph(json)).toThrow(message);
    expect(() => layersModelToGraph(json)).toThrow(/^layersModelToGraph: /);
  }
});

test("names of object prototypes are names like any other", () => {
  const graph = layersModelToGraph(
    keras3(
      [
        layer("Conv2D", "__proto__", keras3Conv, tensor("x")),
        layer("ReLU", "constructor", {}, tensor("__proto__")),
        layer("Add", "toString", {}, [tensor("constructor"), tensor("__proto__")]),
      ],
      [["toString", 0, 0]],
    ),
  );
  expect(graph.layers.map(({ name }) => name)).toEqual(["__proto__", "constructor", "toString"]);
  expect(receptiveField(graph).layers.at(-1)!.size).toEqual([3, 3]);
});

test("very long chains are read, very deep nesting is refused", () => {
  const long = Array.from({ length: 20_000 }, (_, i) =>
    layer("ReLU", `r${i}`, {}, tensor(i === 0 ? "x" : `r${i - 1}`)),
  );
  expect(layersModelToGraph(keras3(long.reverse(), [["r19999", 0, 0]])).layers).toHaveLength(20_000);

  const nested: { class_name: string; name: string; config: { layers: unknown[] } } = {
    class_name: "Sequential",
    name: "s",
    config: { layers: [] },
  };
  nested.config.layers.push(nested);
  expect(() => layersModelToGraph(nested)).toThrow("expected at most 40 nested models, got more");
  let args: unknown = tensor("x");
  for (let depth = 0; depth < 50_000; depth++) args = [args];
  expect(() => layersModelToGraph(keras3([layer("ReLU", "a", {}, args)], [["a", 0, 0]]))).toThrow(RangeError);
});

test("models that multiply when they are inlined stop at a limit", () => {
  const double = (inner: object, depth: number) => ({
    class_name: "Sequential",
    config: {
      name: `s${depth}`,
      layers: [
        { ...inner, name: "a" },
        { ...inner, name: "b" },
      ],
    },
  });
  let json: object = { class_name: "ReLU", config: { batch_input_shape: [null, 8, 8, 1] } };
  for (let depth = 0; depth < 30; depth++) json = double(json, depth);
  expect(() => layersModelToGraph(json)).toThrow(
    "layersModelToGraph: model: expected at most 100000 layers, got more",
  );
});
