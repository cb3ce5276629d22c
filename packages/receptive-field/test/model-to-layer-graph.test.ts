import { expect, test } from "vitest";
import {
  checkLayerGraph,
  exampleNetworks,
  graphModelToGraph,
  layersModelToGraph,
  modelToLayerGraph,
  weightShardPaths,
} from "../src/index.js";
import { GraphModelFile, ints, word } from "./graph-model-file.js";

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
  expect(modelToLayerGraph(JSON.parse(JSON.stringify(graph)))).toEqual(graph);

  const { format: _, ...unmarked } = layersModel;
  for (const json of [layersModel, unmarked, layersModel.modelTopology]) {
    expect(modelToLayerGraph(json)).toEqual(layersModelToGraph(layersModel));
  }

  const file = graphModel();
  const weights = file.weightBytes;
  const { format: __, ...bare } = file.json;
  for (const json of [file.json, bare]) {
    expect(modelToLayerGraph(json, { weights })).toEqual(graphModelToGraph(file.json, { weights }));
  }
  expect(() => modelToLayerGraph(file.json)).toThrow('expected the value of the constant "pads"');
  expect(() => checkLayerGraph(modelToLayerGraph(file.json, { weights }))).not.toThrow();
  expect(modelToLayerGraph(file.json, { weights, output: "p" }).layers).toHaveLength(1);
});

test("anything else is refused with what was found", () => {
  const expected =
    "modelToLayerGraph: json: expected a LayerGraph {input, layers} or the model.json of a tfjs LayersModel or GraphModel, got ";
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
    expect(() => modelToLayerGraph(json)).toThrow(expected + found);
    expect(() => modelToLayerGraph(json)).toThrow(/^modelToLayerGraph: /);
  }
  expect(() => modelToLayerGraph({ input: { shape: [8, 8] }, layers: [] })).toThrow(
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
  const graph = modelToLayerGraph(json, { weights: Uint8Array.from(bytes) });
  expect(graph.layers).toEqual([{ name: "p", op: "pad", padding: [[1, 2], [3, 4]], inputs: ["input"] }]); // biome-ignore format: short
});
