import "@tensorflow/tfjs-backend-cpu";
import { checkLayerGraph, exampleNetworks } from "@gradlab/receptive-field";
import { env } from "@tensorflow/tfjs-core";
import { sequential, layers as tfLayers } from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { graphModelToGraph, layersModelToGraph, toLayerGraph, weightShardPaths } from "../src/index.js";
import { GraphModelFile, ints, word } from "./graph-model-file.js";

// tfjs's own flag for runs under test: without it the cpu backend advertises another backend on the console.
env().set("IS_TEST", true);

const layersModel = {
  format: "layers-model",
  modelTopology: {
    class_name: "Sequential",
    config: {
      layers: [
        {
          class_name: "Conv2D",
          config: { name: "c", batch_input_shape: [null, 9, 9, 3], kernel_size: 3, filters: 4 },
        },
      ],
    },
  },
  weightsManifest: [{ paths: ["weights.bin"], weights: [] }],
};

function graphModel(): GraphModelFile {
  const file = new GraphModelFile([-1, 9, 9, 3]);
  const attr = { padding: word("VALID"), strides: ints(1, 1, 1, 1) };
  file.node("p", "Pad", ["x", file.integers("pads", [0, 0, 1, 1, 1, 1, 0, 0], [4, 2])]);
  file.node("c", "Conv2D", ["p", file.weights("w", 3, 3, 3, 4)], attr);
  return file;
}

test("each of the three forms is recognised, a tfjs file also by its contents alone", () => {
  const graph = exampleNetworks["alexnet-227"];
  expect(toLayerGraph(JSON.parse(JSON.stringify(graph)))).toEqual(graph);

  const { format: _, ...unmarked } = layersModel;
  for (const json of [layersModel, unmarked, layersModel.modelTopology]) {
    expect(toLayerGraph(json)).toEqual(layersModelToGraph(layersModel));
  }

  const file = graphModel();
  const weights = file.weightBytes;
  const { format: __, ...bare } = file.json;
  for (const json of [file.json, bare]) {
    expect(toLayerGraph(json, { weights })).toEqual(graphModelToGraph(file.json, { weights }));
  }
  expect(() => toLayerGraph(file.json)).toThrow('expected the value of the constant "pads"');
  expect(() => checkLayerGraph(toLayerGraph(file.json, { weights }))).not.toThrow();
  expect(toLayerGraph(file.json, { weights, output: "p" }).layers).toHaveLength(1);
});

test("anything else is refused with what was found", () => {
  const expected =
    "toLayerGraph: model: expected a LayerGraph {input, layers}, or a LayersModel or GraphModel of tfjs, itself or its model.json, got ";
  const cases: [unknown, string][] = [
    [null, "nothing"],
    [undefined, "nothing"],
    [[layersModel], "[{"],
    ["model.json", '"model.json"'],
    [7, "7"],
    [() => 1, "a function"],
    [{}, "an object without keys"],
    [{ nodes: [], edges: [] }, "an object with nodes, edges"],
    [{ irVersion: "8", graph: { node: [] }, opsetImport: [] }, "an ONNX model (convert it to tfjs first)"],
    [{ "conv1.weight": [], "conv1.bias": [] }, "PyTorch weights, which do not say how layers are wired"],
    [layersModel.modelTopology.config, "an object with layers"],
    [{ name: "m", layers: [] }, "the config of a Keras model without its class_name"],
    [{ weightsManifest: [] }, "a weights manifest without modelTopology"],
    [Object.create({ input: {}, layers: [] }), "an object without keys"],
  ];
  for (const [json, found] of cases) {
    expect(() => toLayerGraph(json)).toThrow(expected + found);
    expect(() => toLayerGraph(json)).toThrow(/^toLayerGraph: /);
  }
  expect(() => toLayerGraph({ input: { shape: [8, 8] }, layers: [] })).toThrow(
    "checkLayerGraph: graph.layers: expected at least one layer",
  );
});

test("the shards of a file are named in the order of their bytes", () => {
  expect(weightShardPaths(graphModel().json)).toEqual([
    "group1-shard1of2.bin",
    "group1-shard2of2.bin",
    "group2-shard1of1.bin",
  ]);
  expect(weightShardPaths(layersModel)).toEqual(["weights.bin"]);
  expect(weightShardPaths({})).toEqual([]);
  expect(() => weightShardPaths([])).toThrow("weightShardPaths: json: expected a parsed model.json, got []");
  expect(() => weightShardPaths({ weightsManifest: [{ paths: [3] }] })).toThrow(
    "weightShardPaths: weightsManifest[0]: paths: expected file names, got",
  );
  expect(() => weightShardPaths({ weightsManifest: [null] })).toThrow(TypeError);
});

test("quantized and text weights do not displace the constants behind them", () => {
  const bytes = [
    ...[4, 0, 0, 0, 0xe2, 0x82, 0xac, 0x21], // a text of four bytes, after its length
    ...[10, 20], // uint8, quantized: 10 · 0.5 + 1 and 20 · 0.5 + 1
    ...[1, 0], // uint16, quantized
    ...new Uint8Array(Int32Array.from([0, 0, 1, 2, 3, 4, 0, 0]).buffer),
  ];
  const json = {
    modelTopology: {
      node: [
        {
          name: "x",
          op: "Placeholder",
          attr: { shape: { shape: { dim: [-1, 9, 9, 3].map((size) => ({ size })) } } },
        },
        { name: "pads", op: "Const" },
        { name: "p", op: "Pad", input: ["x", "pads"] },
      ],
    },
    weightsManifest: [
      {
        paths: ["a"],
        weights: [
          { name: "text", shape: [1], dtype: "string" },
          {
            name: "small",
            shape: [2],
            dtype: "float32",
            quantization: { dtype: "uint8", scale: 0.5, min: 1 },
          },
          { name: "half", shape: [], dtype: "int32", quantization: { dtype: "uint16", scale: 2, min: 0 } },
          { name: "pads", shape: [4, 2], dtype: "int32" },
        ],
      },
    ],
  };
  const graph = toLayerGraph(json, { weights: Uint8Array.from(bytes) });
  expect(graph.layers).toEqual([{ name: "p", op: "pad", padding: [[1, 2], [3, 4]], inputs: ["input"] }]); // biome-ignore format: short
});

test("a model that tfjs has loaded is the graph of its file, with the constants of its weights", () => {
  const layers = sequential({
    layers: [
      tfLayers.conv2d({ inputShape: [9, 9, 3], kernelSize: 3, filters: 4, padding: "same", name: "c" }),
      tfLayers.globalAveragePooling2d({ name: "g" }),
    ],
  });
  expect(toLayerGraph(layers)).toEqual(layersModelToGraph(layers.toJSON(null, false)));
  expect(toLayerGraph(layers, { output: "c" }).layers.map(({ name }) => name)).toEqual(["c"]);
  layers.dispose();

  const file = graphModel();
  const loaded = file.load();
  expect(toLayerGraph(loaded)).toEqual(graphModelToGraph(file.json, { weights: file.weightBytes }));
  expect(toLayerGraph(loaded, { output: "p" }).layers).toHaveLength(1);
  loaded.dispose();
  // Shards that were loaded apart are one run of bytes.
  const { artifacts } = loaded as unknown as { artifacts: { weightData: ArrayBuffer } };
  const bytes = artifacts.weightData;
  artifacts.weightData = [bytes.slice(0, 12), bytes.slice(12)] as unknown as ArrayBuffer;
  expect(toLayerGraph(loaded)).toEqual(graphModelToGraph(file.json, { weights: file.weightBytes }));
});
