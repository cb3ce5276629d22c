import { expect, test } from "vitest";
import { checkLayerGraph, type LayerGraph, parseNetwork, receptiveField } from "../src/index.js";

const graph = (...layers: unknown[]) => ({ input: { shape: [8, 8] }, layers }) as unknown as LayerGraph;
const conv = (fields: object) => graph({ name: "c", op: "conv", kernel: 3, ...fields });

const rejected: [what: string, graph: unknown, message: string][] = [
  ["no object", null, "graph: expected a LayerGraph {input, layers}, got null"],
  ["no input", { layers: [] }, "graph.input: expected {shape}, got nothing"],
  ["no axes", { input: { shape: [] }, layers: [] }, "graph.input.shape: expected 1 to 3 sizes, got []"],
  ["a fractional input", { input: { shape: [8.5] }, layers: [{}] }, "graph.input.shape: expected positive integers or null, got 8.5"],
  ["no layer", graph(), "graph.layers: expected at least one layer, got []"],
  ["a layer without a name", graph({ op: "conv" }), "layers[0].name: expected a name, got nothing"],
  ["two layers of one name", graph({ name: "a", op: "pointwise" }, { name: "a", op: "pointwise" }), 'layers[1].name: expected a name used once, got "a"'],
  ["a layer named input", graph({ name: "input", op: "pointwise" }), 'layers[0].name: expected another name than that of the input, got "input"'],
  ["an unknown op", graph({ name: "a", op: "attention" }), 'layer "a": op: expected one of conv, pool,'],
  ["an op from the prototype", graph({ name: "a", op: "constructor" }), 'layer "a": op: expected one of conv, pool,'],
  ["an unknown input", graph({ name: "a", op: "pointwise", inputs: ["b"] }), 'layer "a": inputs: expected names of layers or "input", got "b"'],
  ["no inputs", graph({ name: "a", op: "pointwise", inputs: [] }), 'layer "a": inputs: expected at least one name, got []'],
  ["two inputs of a convolution", graph({ name: "a", op: "pointwise" }, { name: "c", op: "conv", kernel: 1, inputs: ["a", "input"] }), 'layer "c": inputs: expected one name for op conv, got ["a","input"]'],
  ["a layer that reads itself", graph({ name: "a", op: "pointwise", inputs: ["a"] }), "graph: expected no cycle, got a → a"],
  ["a cycle", graph({ name: "a", op: "pointwise", inputs: ["c"] }, { name: "b", op: "pointwise" }, { name: "c", op: "pointwise" }), "graph: expected no cycle, got a → b → c → a"],
  ["no kernel", conv({ kernel: undefined }), 'layer "c": kernel: expected a positive integer, got nothing'],
  ["a kernel of 0", conv({ kernel: 0 }), 'layer "c": kernel: expected a positive integer, got 0'],
  ["a fractional kernel", conv({ kernel: [3, 2.5] }), 'layer "c": kernel: expected a positive integer, got 2.5'],
  ["three strides for two axes", conv({ stride: [1, 1, 1] }), 'layer "c": stride: expected one number or 2 of them, got [1,1,1]'],
  ["a stride in words", conv({ stride: "2" }), 'layer "c": stride: expected a positive integer, got "2"'],
  ["a dilation of 0", conv({ dilation: 0 }), 'layer "c": dilation: expected a positive integer, got 0'],
  ["an unknown padding", conv({ padding: "full" }), 'layer "c": padding: expected integers or [begin, end] pairs of them, got "full"'],
  ["a fractional padding", conv({ padding: [1, [0.5, 1]] }), 'layer "c": padding: expected integers or [begin, end] pairs of them, got [0.5,1]'],
  ["a ceil mode in words", conv({ ceilMode: "yes" }), 'layer "c": ceilMode: expected true or false, got "yes"'],
  ["both scale and size", graph({ name: "r", op: "resize", scale: 2, size: 4 }), 'layer "r": scale: expected either scale or size, got 2'],
  ["an irrational scale", graph({ name: "r", op: "resize", scale: Math.SQRT2 }), 'layer "r": scale: expected a positive number with a denominator up to 1024'],
  ["an unknown method", graph({ name: "r", op: "resize", scale: 2, method: "cubic" }), 'layer "r": method: expected nearest or bilinear, got "cubic"'],
  ["strides instead of stride", conv({ strides: 2 }), 'layer "c": strides: expected the name stride for this field, got "strides"'],
  ["a kernel_size", conv({ kernel_size: 2 }), 'layer "c": kernel_size: expected the name kernel for this field'],
  ["outputPadding beside same", graph({ name: "t", op: "transposed-conv", kernel: 3, stride: 2, padding: "same", outputPadding: 1 }), 'layer "t": outputPadding: expected none beside padding "same", got 1'],
  ["positions added to what is flattened", graph({ name: "f", op: "flatten" }, { name: "s", op: "add", inputs: ["f", "input"] }), 'layer "s": inputs: expected all of them flattened, or none, got ["f","input"]'],
  ["a convolution after flatten", graph({ name: "f", op: "flatten" }, { name: "c", op: "conv", kernel: 1 }), 'layer "c": op: expected pointwise, flatten or dense after a flatten layer, got "conv"'],
]; // biome-ignore format: a table

test.each(rejected)(
  "a graph with %s is rejected with its place and what was expected",
  (_, wrong, message) => {
    expect(() => checkLayerGraph(wrong)).toThrow(`checkLayerGraph: ${message}`);
    expect(() => receptiveField(wrong as LayerGraph)).toThrow(`receptiveField: ${message}`);
  },
);

test("a layer whose output would be empty is named, with the axis and the sizes", () => {
  expect(() => receptiveField(parseNetwork("conv1 3/2, conv2 5x3/1"), { inputSize: [8, 20] })).toThrow(
    'receptiveField: layer "conv2": its output would be empty along y (3 units come in, the window spans 5)',
  );
});

test("branches of different length cannot be added", () => {
  expect(() =>
    receptiveField(parseNetwork("a 3/1, b 5/1 from input, sum = a + b"), { inputSize: 9 }),
  ).toThrow('receptiveField: layer "sum": expected inputs of one size along y, got a 7, b 5');
});

test("mirrors show what is there once, and a concatenation does not broadcast", () => {
  const pad = (mode: string, padding: number): LayerGraph => graph({ name: "p", op: "pad", mode, padding });
  expect(() => receptiveField(pad("reflect", 8))).toThrow(
    'layer "p": padding: expected at most 7 mirrored units along y (8 come in), got 8',
  );
  expect(() => receptiveField(pad("symmetric", 8))).not.toThrow();
  expect(() => receptiveField(pad("symmetric", 9))).toThrow("expected at most 8 mirrored units");
  const pooled = [
    { name: "g", op: "global-pool" },
    { name: "s", op: "concat", inputs: ["g", "input"] },
  ];
  expect(() => receptiveField(graph(...pooled))).toThrow(
    "expected inputs of one size along y, got g 1, input 8",
  );
});

test("sizes, origins, layers and positions that do not exist are rejected", () => {
  const net = parseNetwork("conv1 3/2");
  expect(() => receptiveField(net, { inputSize: 0 })).toThrow("inputSize: expected positive integers, got 0");
  expect(() => receptiveField(net, { inputSize: [9] })).toThrow(
    "inputSize: expected one size or 2 of them, got [9]",
  );
  expect(() => receptiveField(net, { origin: "zero" as "one" })).toThrow(
    'origin: expected index, half or one, got "zero"',
  );
  const field = receptiveField(net, { inputSize: 9 });
  expect(() => field.unit("conv9", [0, 0])).toThrow(
    'unit: layer: expected a layer of the graph, got "conv9"',
  );
  expect(() => field.unit("conv1", [0, 4])).toThrow(
    "unit: index: expected an integer from 0 to 3 along x, got 4",
  );
  expect(() => field.unit("conv1", [0])).toThrow("unit: index: expected 2 integers, got [0]");
  expect(() => field.unitsSeeing("conv1", [9, 0])).toThrow(
    "pixel: expected an integer from 0 to 8 along y, got 9",
  );
});
