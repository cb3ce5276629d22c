import { type LayerGraph, receptiveField } from "@gradlab/receptive-field";
import * as core from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { graphModelToGraph } from "../src/index.js";
import { flag, GraphModelFile, ints, word, words } from "./graph-model-file.js";
import { pixelsByArithmetic, pixelsByForwardDifference } from "./tfjs-oracle.js";

const same = { padding: word("SAME"), data_format: word("NHWC") };
const valid = { padding: word("VALID"), data_format: word("NHWC") };
const explicit = (...pads: number[]) => ({
  padding: word("EXPLICIT"),
  explicit_paddings: ints(...pads),
  data_format: word("NHWC"),
});
const by = (y: number, x = y) => ({ strides: ints(1, y, x, 1), dilations: ints(1, 1, 1, 1) });
const dilated = (y: number, x = y) => ({ strides: ints(1, 1, 1, 1), dilations: ints(1, y, x, 1) });

const converted = (file: GraphModelFile, options = {}) =>
  graphModelToGraph(file.json, { weights: file.weightBytes, ...options });

/** Runs the file in tfjs and compares the units of every layer, and the pixels of the last one. */
async function expectAsInTfjs(file: GraphModelFile, size: [number, number]): Promise<LayerGraph> {
  const graph = converted(file);
  const { layers } = receptiveField(graph, { inputSize: size });
  const flat = new Set<string>();
  const results = file.run(
    core.zeros([1, ...size, 1]),
    layers.map(({ name }) => name),
  );
  layers.forEach((row, i) => {
    const { shape } = results[i]!;
    if (row.op === "flatten" || graph.layers[i]!.inputs!.some((input) => flat.has(input))) {
      if (row.op !== "dense") flat.add(row.name);
      return;
    }
    expect([row.name, row.n]).toEqual([row.name, shape.length === 4 ? shape.slice(1, 3) : [1, 1]]);
  });
  const last = layers.at(-1)!;
  if (!flat.has(last.name)) {
    const seen = await pixelsByForwardDifference((x) => file.run(x, [last.name])[0]!, size);
    const sized = { ...graph, input: { ...graph.input, shape: size } };
    expect(pixelsByArithmetic(sized, last.name)).toEqual(seen);
  }
  return graph;
}

test("convolutions and poolings of every padding, stride and dilation are as tfjs computes them", async () => {
  const file = new GraphModelFile([-1, 15, 14, 1]);
  file.node("a", "Conv2D", ["x", file.weights("aw", 3, 2, 1, 2)], { ...same, ...by(2, 1) });
  file.node("b", "DepthwiseConv2dNative", ["a", file.weights("bw", 2, 3, 2, 2)], {
    ...valid,
    ...dilated(2, 1),
  });
  file.node("c", "_FusedConv2D", ["b", file.weights("cw", 2, 2, 4, 3), file.weights("cb", 3)], {
    ...explicit(0, 0, 2, 1, 0, 1, 0, 0), ...by(1), num_args: { i: "1" }, fused_ops: words("BiasAdd", "Relu"),
  }); // biome-ignore format: attributes
  file.node("d", "AvgPool", ["c"], { ...same, ksize: ints(1, 3, 2, 1), strides: ints(1, 1, 2, 1) });
  file.node("e", "FusedDepthwiseConv2dNative", ["d", file.weights("ew", 2, 2, 3, 1), file.weights("eb", 3)], {
    ...same, ...by(1), num_args: { i: "1" }, fused_ops: words("BiasAdd", "Relu6"),
  }); // biome-ignore format: attributes
  const graph = await expectAsInTfjs(file, [15, 14]);
  expect(graph.input).toEqual({ shape: [15, 14], channels: 1 });
  expect(graph.layers).toEqual([
    { name: "a", op: "conv", kernel: [3, 2], stride: [2, 1], padding: "same", filters: 2, bias: false, inputs: ["input"] },
    { name: "b", op: "conv", kernel: [2, 3], stride: 1, dilation: [2, 1], filters: 4, groups: 2, bias: false, inputs: ["a"] },
    { name: "c", op: "conv", kernel: 2, stride: 1, padding: [[2, 1], [0, 1]], filters: 3, bias: true, inputs: ["b"] },
    { name: "d", op: "pool", mode: "avg", kernel: [3, 2], stride: [1, 2], padding: "same", inputs: ["c"] },
    { name: "e", op: "conv", kernel: 2, stride: 1, padding: "same", filters: 3, groups: 3, bias: true, inputs: ["d"] },
  ]); // biome-ignore format: a table
});

test("transposed convolutions are as tfjs computes them, for every output size that the stride allows", async () => {
  for (const [mode, height] of [[same, 9], [same, 8], [same, 7], [valid, 10], [valid, 11], [valid, 12]] as const) {
    const file = new GraphModelFile([-1, 3, 3, 1]);
    const sizes = file.integers("sizes", [1, height, mode === same ? 9 : 10, 2]);
    file.node("t", "Conv2DBackpropInput", [sizes, file.weights("w", 4, 4, 2, 1), "x"], { ...mode, ...by(3) });
    const graph = converted(file);
    const row = receptiveField(graph).layers[0]!;
    expect(row.n).toEqual([height, mode === same ? 9 : 10]);
    // The batch of the oracle is larger than the 1 of the constant: its file names the batch.
    const seen = await pixelsByForwardDifference((x) => {
      const wide = new GraphModelFile([-1, 3, 3, 1]);
      const all = wide.integers("sizes", [x.shape[0]!, height, mode === same ? 9 : 10, 2]);
      wide.node("t", "Conv2DBackpropInput", [all, wide.weights("w", 4, 4, 2, 1), "x"], { ...mode, ...by(3) });
      return wide.run(x, ["t"])[0]!;
    }, [3, 3]);
    expect(pixelsByArithmetic(graph, "t")).toEqual(seen);
  } // biome-ignore format: a table
  const file = new GraphModelFile([-1, 3, 3, 1]);
  file.node(
    "t",
    "Conv2DBackpropInput",
    [file.integers("s", [1, 6, 9, 2]), file.weights("w", 4, 4, 2, 1), "x"],
    { ...same, ...by(3) },
  );
  expect(() => converted(file)).toThrow(
    'node "t" (Conv2DBackpropInput): expected an output size that the stride leads to, got 6',
  );
});

test("padding, also mirrored, and resizing in all three coordinates are as tfjs computes them", async () => {
  const resizes: [string, Record<string, unknown>][] = [
    ["ResizeBilinear", {}],
    ["ResizeBilinear", { half_pixel_centers: flag(true) }],
    ["ResizeBilinear", { align_corners: flag(true) }],
    ["ResizeNearestNeighbor", {}],
    ["ResizeNearestNeighbor", { half_pixel_centers: flag(true) }],
    ["ResizeNearestNeighbor", { align_corners: flag(true) }],
  ];
  for (const [op, attr] of resizes) {
    const file = new GraphModelFile([-1, 6, 5, 1]);
    file.node("r", op, ["x", file.integers("size", [9, 4])], attr);
    await expectAsInTfjs(file, [6, 5]);
  }
  for (const [op, attr] of [["Pad", {}], ["PadV2", {}], ["MirrorPad", { mode: word("REFLECT") }], ["MirrorPad", { mode: word("SYMMETRIC") }]] as const) {
    const file = new GraphModelFile([-1, 6, 5, 1]);
    const pads = file.integers("pads", [0, 0, 2, 1, 0, 3, 0, 0], [4, 2]);
    const value = op === "PadV2" ? [file.weights("value")] : [];
    file.node("p", op, ["x", pads, ...value], attr);
    file.node("c", "Conv2D", ["p", file.weights("w", 2, 2, 1, 1)], { ...valid, ...by(2) });
    await expectAsInTfjs(file, [6, 5]);
  } // biome-ignore format: a table
});

test("a dilated convolution written with blocks in the batch is as tfjs computes it", async () => {
  for (const mode of [valid, same]) {
    const file = new GraphModelFile([-1, 9, 10, 1]);
    const block = file.integers("block", [3, 2]);
    const pads = file.integers("pads", [1, 2, 1, 1], [2, 2]);
    const crops = file.integers("crops", [0, 1, 1, 0], [2, 2]);
    file.node("s", "SpaceToBatchND", ["x", block, pads]);
    file.node("c", "Conv2D", ["s", file.weights("w", 2, 3, 1, 2)], { ...mode, ...by(1) });
    file.node("bias", "BiasAdd", ["c", file.weights("values", 2)]);
    file.node("b", "BatchToSpaceND", ["bias", block, crops]);
    const graph = converted(file);
    const seen = await pixelsByForwardDifference((x) => file.run(x, ["b"])[0]!, [9, 10]);
    expect(pixelsByArithmetic(graph, "b")).toEqual(seen);
  }
});

/** A residual block, a squeeze-and-excitation gate, a concatenation and a classifier, as converters write them. */
function smallNetwork(): GraphModelFile {
  const file = new GraphModelFile([-1, 8, 8, 1]);
  const scale = file.weights("scale", 2);
  file.node("rescale", "Mul", [file.weights("factor"), "x"]);
  file.node("stem", "Conv2D", ["rescale:0", file.weights("stem/w", 3, 3, 1, 2), "^factor"], {
    ...same,
    ...by(1),
  });
  file.node("bn", "FusedBatchNormV3", ["stem", scale, scale, scale, scale], {
    epsilon: { f: 0.001 },
    is_training: flag(false),
    data_format: word("NHWC"),
  });
  file.node("relu", "Relu", ["bn"]);
  file.node(
    "conv",
    "Conv2D",
    ["relu", file.node("w/read", "Identity", [file.weights("conv/w", 3, 3, 2, 2)])],
    { ...same, ...by(1) },
  );
  file.node("sum", "AddV2", ["conv", "relu"]);
  file.node("pooled", "Mean", ["conv", file.integers("axes", [1, 2])], { keep_dims: flag(false) });
  file.node(
    "gate/dense",
    "_FusedMatMul",
    ["pooled", file.weights("gate/w", 2, 2), file.weights("gate/b", 2)],
    { num_args: { i: "1" }, fused_ops: words("BiasAdd") },
  );
  file.node("gate", "Reshape", ["gate/dense", file.integers("gate/shape", [-1, 1, 1, 2])]);
  file.node("gated", "Mul", ["sum", "gate"]);
  file.node("both", "ConcatV2", ["gated", "sum", file.integers("last", -1)], { N: { i: "2" } });
  file.node("pool", "MaxPool", ["both"], { ...valid, ksize: ints(1, 2, 2, 1), strides: ints(1, 2, 2, 1) });
  file.node("flat", "Reshape", ["pool", file.integers("flat/shape", [-1, 64])]);
  file.node("logits", "MatMul", ["flat", file.weights("logits/w", 64, 3)]);
  file.node("prob", "Softmax", ["logits"]);
  file.node("Identity", "Identity", ["prob"]);
  file.output("Identity");
  return file; // biome-ignore format: one node a line
}

test("a network with a residual branch, a gate and a classifier is as tfjs computes it", async () => {
  const file = smallNetwork();
  const graph = await expectAsInTfjs(file, [8, 8]);
  expect(graph.layers.map(({ name, op, inputs }) => `${name} ${op} ${inputs}`)).toEqual([
    "rescale pointwise input",
    "stem conv rescale",
    "bn pointwise stem",
    "relu pointwise bn",
    "conv conv relu",
    "sum add conv,relu",
    "pooled global-pool conv",
    "gate/dense dense pooled",
    "gate pointwise gate/dense",
    "gated multiply sum,gate",
    "both concat gated,sum",
    "pool pool both",
    "flat flatten pool",
    "logits dense flat",
    "prob pointwise logits",
    "Identity pointwise prob",
  ]);
  expect(converted(file, { output: "conv" }).layers.map(({ name }) => name)).toEqual([
    "rescale",
    "stem",
    "bn",
    "relu",
    "conv",
  ]);
});

test("without the shards, filters are known from the manifest, and a constant whose value is needed is named", () => {
  const { json } = smallNetwork();
  expect(graphModelToGraph(json, { output: "sum" }).layers).toHaveLength(6);
  expect(() => graphModelToGraph(json)).toThrow(
    'graphModelToGraph: node "pooled" (Mean): expected the value of the constant "axes", which stands in the weight shards (options.weights), got no weights',
  );
  expect(() => graphModelToGraph(json, { weights: new Uint8Array(40) })).toThrow(
    /^graphModelToGraph: options\.weights: expected all shards, at least \d+ bytes, got "?40 bytes/,
  );
});

test("sizes computed from the input's size are followed: an upsampling by a factor stays one", async () => {
  const file = new GraphModelFile([-1, -1, -1, 1]);
  file.node("c", "Conv2D", ["x", file.weights("w", 3, 3, 1, 2)], { ...same, ...by(2) });
  file.node("shape", "Shape", ["c"], { out_type: { type: "DT_INT32" } });
  file.node("hw", "StridedSlice", [
    "shape",
    file.integers("one", [1]),
    file.integers("three", [3]),
    file.integers("step", [1]),
  ]);
  file.node("twice", "Mul", ["hw", file.integers("two", [2, 3])], { T: { type: "DT_INT32" } });
  file.node("up", "ResizeNearestNeighbor", ["c", "twice"]);
  const graph = await expectAsInTfjs(file, [6, 5]);
  expect(graph.input).toEqual({ shape: [null, null], channels: 1 });
  expect(graph.layers[1]).toMatchObject({ op: "resize", scale: [2, 3] });

  // A shape packed from the batch and constants, as Keras writes Flatten and Reshape.
  const packed = new GraphModelFile([-1, 4, 4, 1]);
  packed.node("shape", "Shape", ["x"], { out_type: { type: "DT_INT32" } });
  packed.node(
    "batch",
    "StridedSlice",
    ["shape", packed.integers("zero", [0]), packed.integers("one", [1]), packed.integers("step", [1])],
    { shrink_axis_mask: { i: "1" } },
  );
  packed.node("to", "Pack", ["batch", packed.integers("sixteen", 16)], { axis: { i: "0" }, N: { i: "2" } });
  packed.node("flat", "Reshape", ["x", "to"]);
  packed.node("d", "MatMul", ["flat", packed.weights("w", 16, 2)]);
  const dense = await expectAsInTfjs(packed, [4, 4]);
  expect(dense.layers.map(({ op }) => op)).toEqual(["flatten", "dense"]);
});

test("a 1-D network written with 2-D windows, and a layer applied at every position, are as tfjs computes them", () => {
  const line = new GraphModelFile([-1, 20, 3]);
  line.node("wide", "ExpandDims", ["x", line.integers("place", 1)]);
  line.node("c", "Conv2D", ["wide", line.weights("w", 1, 4, 3, 2)], { ...valid, ...by(1, 2) });
  line.node("narrow", "Squeeze", ["c"], { squeeze_dims: ints(1) });
  line.node("m", "Mean", ["narrow", line.integers("axis", [1])]);
  const graph = converted(line);
  expect(graph.layers[1]).toMatchObject({ op: "conv", kernel: 4, stride: 2 });
  expect(receptiveField(graph).layers.map(({ n }) => n)).toEqual([[20], [9], [9], [1]]);
  expect(line.run(core.zeros([1, 20, 3]), ["c", "narrow"]).map(({ shape }) => shape)).toEqual([
    [1, 1, 9, 2],
    [1, 9, 2],
  ]);

  const everywhere = new GraphModelFile([-1, 6, 6, 3]);
  everywhere.node("lines", "Reshape", ["x", everywhere.integers("l", [-1, 3])]);
  everywhere.node("m", "MatMul", ["lines", everywhere.weights("w", 3, 2)]);
  everywhere.node("grid", "Reshape", ["m", everywhere.integers("g", [-1, 6, 6, 2])]);
  everywhere.node("c", "Conv2D", ["grid", everywhere.weights("v", 3, 3, 2, 1)], { ...valid, ...by(1) });
  const rows = receptiveField(converted(everywhere)).layers;
  expect(rows.map(({ op, n, size }) => [op, n, size])).toEqual([
    ["pointwise", [6, 6], [1, 1]],
    ["conv", [6, 6], [1, 1]],
    ["pointwise", [6, 6], [1, 1]],
    ["conv", [4, 4], [3, 3]],
  ]);
});

test("channels can be shuffled, split and summed without a trace on positions", async () => {
  const file = new GraphModelFile([-1, 5, 6, 1]);
  file.node("c", "Conv2D", ["x", file.weights("w", 3, 3, 1, 6)], { ...same, ...by(1) });
  file.node("groups", "Reshape", ["c", file.integers("g", [-1, 5, 6, 2, 3])]);
  file.node("swapped", "Transpose", ["groups", file.integers("perm", [0, 1, 2, 4, 3])]);
  file.node("mixed", "Reshape", ["swapped", file.integers("m", [-1, 5, 6, 6])]);
  file.node("parts", "Split", [file.integers("axis", 3), "mixed"], { num_split: { i: "2" } });
  file.node("one", "Conv2D", ["parts:1", file.weights("v", 1, 3, 3, 4)], { ...valid, ...by(1) });
  file.node("space", "DepthToSpace", ["one"], { block_size: { i: "2" }, data_format: word("NHWC") });
  const graph = converted(file);
  const row = receptiveField(graph).layers.at(-1)!;
  expect(row.n).toEqual([10, 8]);
  const seen = await pixelsByForwardDifference((x) => file.run(x, ["space"])[0]!, [5, 6]);
  expect(pixelsByArithmetic(graph, "space")).toEqual(seen);
});

test("what does not depend on the pixels is cut off: control inputs, random dropout, other placeholders", () => {
  const file = new GraphModelFile([-1, 6, 6, 1]);
  file.node("phase", "Placeholder", [], { shape: { shape: {} }, dtype: { type: "DT_BOOL" } });
  file.node("shape", "Shape", ["x"]);
  file.node("random", "RandomUniform", ["shape"]);
  file.node("keep", "GreaterEqual", ["random", file.weights("rate")]);
  file.node("mask", "Cast", ["keep"]);
  file.node("dropped", "Mul", ["x", "mask", "^phase"]);
  file.node("chosen", "Select", ["phase", "dropped", "x"]);
  file.node("c", "Conv2D", ["chosen", file.weights("w", 3, 3, 1, 1)], { ...valid, ...by(1) });
  expect(converted(file).layers.map(({ name, op, inputs }) => `${name} ${op} ${inputs}`)).toEqual([
    "dropped pointwise input",
    "chosen merge dropped,input",
    "c conv chosen",
  ]);
});

test("of several images one has to be named", () => {
  const file = new GraphModelFile([-1, 6, 6, 1]);
  const dim = [-1, 6, 6, 1].map((size) => ({ size: String(size) }));
  file.node("y", "Placeholder", [], { shape: { shape: { dim } } });
  file.node("both", "Add", ["x", "y"]);
  expect(() => converted(file)).toThrow(
    'graphModelToGraph: options.input: expected one of "x", "y", got nothing',
  );
  expect(converted(file, { input: "y" }).layers).toEqual([
    { name: "both", op: "pointwise", fn: "add", inputs: ["input"] },
  ]);
  expect(() => converted(file, { input: "z" })).toThrow('expected one of "x", "y", got "z"');
});

test("older files, with the signature in the metadata, plain texts and character codes, are read alike", () => {
  const file = smallNetwork();
  const { signature, ...json } = file.json;
  const graph = converted(file);
  const options = { weights: file.weightBytes };
  expect(graphModelToGraph({ ...json, userDefinedMetadata: { signature } }, options)).toEqual(graph);
  expect(graphModelToGraph(json, options)).toEqual(graph);
  const text = JSON.stringify(json);
  expect(graphModelToGraph(JSON.parse(text.replaceAll(`"${btoa("SAME")}"`, '"SAME"')), options)).toEqual(
    graph,
  );
  expect(
    graphModelToGraph(JSON.parse(text.replaceAll(`"${btoa("SAME")}"`, "[83,65,77,69]")), options),
  ).toEqual(graph);
});

test("3-D windows and channels first are read in their layout", () => {
  const solid = new GraphModelFile([-1, 9, 8, 7, 1]);
  const same3 = { padding: word("SAME"), data_format: word("NDHWC"), dilations: ints(1, 1, 1, 1, 1) };
  solid.node("c", "Conv3D", ["x", solid.weights("w", 3, 2, 1, 1, 2)], {
    ...same3,
    strides: ints(1, 2, 1, 1, 1),
  });
  solid.node("p", "MaxPool3D", ["c"], { ...same3, ksize: ints(1, 1, 2, 2, 1), strides: ints(1, 1, 2, 2, 1) });
  const shapes = solid.run(core.zeros([1, 9, 8, 7, 1]), ["c", "p"]).map(({ shape }) => shape.slice(1, -1));
  expect(receptiveField(converted(solid)).layers.map(({ n }) => n)).toEqual(shapes);

  const first = new GraphModelFile([-1, 3, 9, 8]);
  const layout = { padding: word("VALID"), data_format: word("NCHW"), dilations: ints(1, 1, 1, 1) };
  first.node("c", "Conv2D", ["x", first.weights("w", 3, 1, 3, 4)], {
    ...layout,
    strides: ints(1, 1, 2, 1),
  });
  first.node("m", "Mean", ["c", first.integers("axes", [2, 3])]);
  const graph = converted(first);
  expect(graph.input).toEqual({ shape: [9, 8], channels: 3 });
  expect(graph.layers).toMatchObject([{ kernel: [3, 1], stride: [2, 1], filters: 4 }, { op: "global-pool" }]);
});

test("nodes without a meaning on positions are refused by name and operation", () => {
  const refusal = (write: (file: GraphModelFile) => void): (() => LayerGraph) => {
    const file = new GraphModelFile([-1, 6, 6, 2]);
    write(file);
    return () => converted(file);
  };
  const cases: [(file: GraphModelFile) => void, string][] = [
    [(f) => f.node("n", "NonMaxSuppressionV3", ["x"]),
      'node "n" (NonMaxSuppressionV3): expected an operation on positions (convolution, pooling, resizing, padding, merging, elementwise, flattening, MatMul), got NonMaxSuppressionV3 (options.output can end the graph before it)'],
    [(f) => f.node("n", "toString", ["x"]), 'node "n" (toString): expected an operation on positions'],
    [(f) => f.node("n", "Mean", ["x", f.integers("a", [1])]), 'node "n" (Mean): expected a reduction over all positions, or over channels, got over 1 of [batch, 6 positions, 6 positions, 2 channels]'],
    [(f) => f.node("n", "ConcatV2", ["x", "x", f.integers("a", 2)]), 'node "n" (ConcatV2): expected concatenation along channels, got along dimension 2'],
    [(f) => f.node("n", "Reshape", ["x", f.integers("s", [-1, 4, 9, 2])]), 'node "n" (Reshape): expected a shape that keeps every axis of positions'],
    [(f) => f.node("n", "Softmax", [f.node("t", "Transpose", ["x", f.integers("p", [0, 3, 1, 2])])]), 'node "n" (Softmax): expected Softmax over channels, got [batch, 2 channels, 6 positions, 6 positions]'],
    [(f) => f.node("n", "AddV2", [f.node("m", "Mean", ["x", f.integers("a", [1, 2])], { keep_dims: flag(true) }), f.weights("w", 1, 6, 6, 1)]), 'node "n" (AddV2): expected a constant with no more positions than the branch, got [1, 6, 6, 1]'],
    [(f) => f.node("n", "Split", [f.integers("a", 3), "x"], { num_split: { i: "1000000000" } }), 'node "n" (Split): expected one part per channel at most, got 1000000000'],
    [(f) => f.node("n", "MatMul", ["x", f.weights("w", 2, 2)]), 'node "n" (MatMul): expected a matrix [batch, features]'],
    [(f) => f.node("n", "Conv2D", ["x", f.weights("w", 3, 3, 3, 1)], { ...same, ...by(1) }), 'node "n" (Conv2D): expected filters for 2 channels, got for 3'],
    [(f) => f.node("n", "Conv2D", ["x", f.weights("w", 9)], { ...same, ...by(1) }), 'node "n" (Conv2D): expected a constant of 4 dimensions as input 1, got [9]'],
    [(f) => f.node("n", "Conv2D", ["x"], { ...same, ...by(1) }), 'node "n" (Conv2D): expected an input 1, got 1 inputs'],
    [(f) => f.node("n", "Conv2D", ["x", "x"], { ...same, ...by(1) }), 'node "n" (Conv2D): expected a constant as input 1, got "input"'],
    [(f) => f.node("n", "Conv2D", ["x", f.weights("w", 3, 3, 2, 1)], { ...by(1), padding: word("FULL") }), 'node "n" (Conv2D): padding: expected SAME or VALID or EXPLICIT, got "FULL"'],
    [(f) => f.node("n", "Conv2D", ["x", f.weights("w", 3, 3, 2, 1)], { ...same, strides: ints(1, 0, 1, 1) }), 'node "n" (Conv2D): strides: expected positive integers'],
    [(f) => f.node("n", "Conv2D", ["x", f.weights("w", 3, 3, 2, 1)], { ...same, strides: { i: 1 } }), 'node "n" (Conv2D): strides: expected a list of integers'],
    [(f) => f.node("n", "Relu", ["y"]), 'node "n" (Relu): expected inputs that are nodes of the graph, got "y"'],
    [(f) => f.node("n", "Relu", ["x:3"]), 'node "n" (Relu): expected an output that "x" has, got number 3'],
    [(f) => { f.node("n", "Add", ["x", "m"]); f.node("m", "Relu", ["n"]); f.output("n"); }, 'node "m" (Relu): expected no cycle, got one through "n"'],
    [(f) => f.node("x", "Relu", ["x"]), 'node "x" (Relu): name: expected a name used once, got "x"'],
    [() => {}, "model: expected a node that nothing reads, as output, got none"],
    [(f) => f.node("n", "ResizeBilinear", ["x", f.node("r", "RandomUniform", [f.integers("s", [2])])]), 'node "n" (ResizeBilinear): expected a constant of known value, got "r" (RandomUniform)'],
  ]; // biome-ignore format: a table
  for (const [write, message] of cases) {
    expect(refusal(write)).toThrow(`graphModelToGraph: ${message}`);
    try {
      refusal(write)();
    } catch (error) {
      expect(error instanceof RangeError || error instanceof TypeError).toBe(true);
    }
  }
});

test("files with missing or wrong parts are refused with the part", () => {
  const cases: [unknown, string][] = [
    [undefined, "json: expected the JSON object of a GraphModel, got nothing"],
    [{}, "node: expected a list, got nothing"],
    [{ modelTopology: { node: [3] } }, "modelTopology.node[0]: expected an object, got 3"],
    [{ modelTopology: { node: [{ name: "a" }] } }, "modelTopology.node[0]: op: expected a text, got nothing"],
    [{ modelTopology: { node: [{ name: "a", op: "Relu", input: "x" }] } }, 'node "a" (Relu): input: expected a list, got "x"'],
    [{ modelTopology: { node: [{ name: "a", op: "Relu", input: [3] }] } }, 'node "a" (Relu): input: expected names, got 3'],
    [{ modelTopology: { node: [{ name: "a", op: "Relu", attr: [] }] } }, 'node "a" (Relu): expected an object, got []'],
    [{ modelTopology: { node: [] }, weightsManifest: [{ weights: [{ name: "w", dtype: "float32" }] }] }, "weightsManifest[0].weights[0]: shape: expected a list"],
    [{ modelTopology: { node: [] }, weightsManifest: {} }, "weightsManifest: expected a list, got an object without keys"],
    [{ modelTopology: { node: [{ name: "x", op: "Placeholder" }, { name: "a", op: "Relu", input: ["x"] }] }, signature: { outputs: { a: 3 } } }, "signature: expected an object, got 3"],
  ]; // biome-ignore format: a table
  for (const [json, message] of cases) {
    expect(() => graphModelToGraph(json)).toThrow(message);
    expect(() => graphModelToGraph(json)).toThrow(/^graphModelToGraph: /);
  }
  expect(() => graphModelToGraph(smallNetwork().json, { weights: [] as unknown as Uint8Array })).toThrow(
    "graphModelToGraph: options.weights: expected a Uint8Array of the concatenated shards, got []",
  );
});

test("a placeholder of unknown rank is an image, and names of object prototypes are names like any other", () => {
  const json = {
    modelTopology: {
      node: [
        { name: "__proto__", op: "Placeholder", attr: { shape: { shape: { unknownRank: true } } } },
        { name: "constructor", op: "Relu", input: ["__proto__"] },
      ],
    },
  };
  expect(graphModelToGraph(json)).toEqual({
    input: { shape: [null, null] },
    layers: [{ name: "constructor", op: "pointwise", fn: "relu", inputs: ["input"] }],
  });
});

test("very long chains are read", () => {
  const node = Array.from({ length: 20_000 }, (_, i) => ({
    name: `r${i}`,
    op: "Relu",
    input: [i === 0 ? "x" : `r${i - 1}`],
  }));
  const graph = graphModelToGraph({
    modelTopology: { node: [...node.reverse(), { name: "x", op: "Placeholder" }] },
  });
  expect(graph.layers).toHaveLength(20_000);
});
