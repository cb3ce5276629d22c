import { checkModel, scoreKind } from "@gradlab/tfjs-models";
import { expect, test } from "vitest";

const graph = (...after: readonly (readonly [op: string, attr?: object])[]) => ({
  format: "graph-model",
  modelTopology: {
    node: [
      { name: "x", op: "Placeholder" },
      { name: "w", op: "Const" },
      { name: "n0", op: "MatMul", input: ["x", "w"] },
      ...after.map(([op, attr], i) => ({ name: `n${i + 1}`, op, input: [`n${i}`], attr })),
    ],
  },
});

const fused = (op: string) => ({ fused_ops: { list: { s: [btoa("BiasAdd"), btoa(op)] } } });

test.each([
  ["a product", [], "logits"],
  ["a softmax behind a reshape", [["Softmax"], ["Reshape"]], "softmax"],
  ["sigmoids", [["Sigmoid"], ["Identity"]], "sigmoid"],
  ["the logarithm of a softmax", [["LogSoftmax"]], "logits"],
  ["a fused bias", [["_FusedMatMul", fused("BiasAdd")]], "logits"],
  ["a fused sigmoid", [["_FusedMatMul", fused("Sigmoid")]], "sigmoid"],
  ["a fused rectifier", [["_FusedMatMul", fused("Relu")]], null],
  ["a rectifier", [["Relu"]], null],
] as const)("a graph that ends in %s", (_, after, kind) => {
  expect(scoreKind(graph(...after))).toBe(kind);
});

const layers = (...list: readonly (readonly [name: string, config?: object])[]) => ({
  modelTopology: {
    class_name: "Sequential",
    config: list.map(([class_name, config], i) => ({
      class_name,
      config: { name: `l${i}`, ...(i === 0 && { batch_input_shape: [null, 4, 4, 2] }), ...config },
    })),
  },
});

test.each([
  ["a softmax in a dense layer", [["Flatten"], ["Dense", { units: 2, activation: "softmax" }]], "softmax"],
  ["a layer of softmax, then dropout", [["Softmax"], ["Dropout", { rate: 0.5 }]], "softmax"],
  [
    "an activation as an object",
    [["Activation", { activation: { class_name: "Sigmoid", config: {} } }]],
    "sigmoid",
  ],
  [
    "the mean of a convolution",
    [["Conv2D", { filters: 2, kernel_size: 1 }], ["GlobalAveragePooling2D"]],
    "logits",
  ],
  ["the mean of rectified units", [["ReLU"], ["GlobalAveragePooling2D"]], null],
  [
    "a linear activation",
    [
      ["Dense", { units: 2 }],
      ["Activation", { activation: "linear" }],
    ],
    "logits",
  ],
  ["tanh", [["Dense", { units: 2, activation: "tanh" }]], null],
] as const)("layers that end in %s", (_, list, kind) => {
  expect(scoreKind(layers(...list))).toBe(kind);
});

test("one output of several is asked by name", () => {
  const json = layers(["Softmax"], ["Dense", { units: 2 }]);
  expect([scoreKind(json), scoreKind(json, "l0")]).toEqual(["logits", "softmax"]);
  expect(() => scoreKind(json, "l9")).toThrow('scoreKind: output: expected the name of a layer, got "l9"');
});

test("shards that are too long are refused as those that are cut", () => {
  const weights = [{ name: "l0/kernel", shape: [2], dtype: "float32" }];
  const json = { ...layers(["Softmax"]), weightsManifest: [{ paths: ["w"], weights }] };
  checkModel(json, new Uint8Array(8));
  for (const length of [7, 9]) {
    expect(() => checkModel(json, new Uint8Array(length))).toThrow(/8 bytes.*got/);
  }
});
