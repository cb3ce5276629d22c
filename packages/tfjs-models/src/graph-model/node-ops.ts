import type { MergeLayer } from "@gradlab/receptive-field";
import { type Feature, isAxis, isChannels, joinedDims, showDims } from "../dims.js";
import { type Convert, feature, isFeature, type NodeAt, pointwiseOf } from "./node-at.js";
import type { Constant } from "./node-constants.js";
import {
  argument,
  concat,
  expandDims,
  matMul,
  reduce,
  reshape,
  split,
  squeeze,
  transpose,
} from "./node-shapes.js";
import { blocks, conv, depthToSpace, pad, pool, resize, transposedConv } from "./node-windows.js";

/** Adds a node to the graph, or refuses it. */
export function addGraphNode(at: NodeAt): readonly Feature[] {
  const convert = converters.get(at.op);
  if (convert === undefined) {
    return at.refuse(
      "an operation on positions (convolution, pooling, resizing, padding, merging, elementwise, flattening, MatMul)",
      at.op,
    );
  }
  const outputs = convert(at);
  return Array.isArray(outputs) ? (outputs as readonly Feature[]) : [outputs as Feature];
}

const pointwise =
  (fn?: string): Convert =>
  (at) => {
    const from = feature(at, 0);
    return pointwiseOf(at, from, from.dims, fn);
  };

/** Over the last dimension, which has to be channels. */
const softmax: Convert = (at) => {
  const from = feature(at, 0);
  const last = from.dims[from.dims.length - 1];
  if (!isChannels(last) && last !== "one") at.refuse(`${at.op} over channels`, showDims(from));
  return pointwiseOf(at, from, from.dims);
};

/** Element by element, with branches and constants, each broadcast to the others. */
const elementwise =
  (op: MergeLayer["op"], fn: string): Convert =>
  (at) => {
    const features = at.inputs.filter(isFeature);
    const dims = joinedDims(features.map((one) => one.dims));
    if (dims === null) return at.refuse("inputs of one layout", features.map(showDims).join(" and "));
    const joined = at.draft.join(at.name, op, fn, features, dims);
    for (const value of at.inputs) if (!isFeature(value)) checkNotWider(at, joined, value);
    return joined;
  };

/** A constant with more positions than the feature would make positions that the graph does not have. */
function checkNotWider(at: NodeAt, { dims, size }: Feature, { shape }: Constant): void {
  const wider = shape?.some((n, i) => {
    const dim = dims[i - shape.length + dims.length];
    if (n === 1 || (dim !== undefined && (dim === "row" || isChannels(dim)))) return false;
    return !(isAxis(dim) && size[dim.axis] !== 1);
  });
  if (wider) at.refuse("a constant with no more positions than the branch", `[${shape!.join(", ")}]`);
}

const elementwiseOps: Readonly<Record<string, readonly [MergeLayer["op"], string]>> = {
  Add: ["add", "add"],
  AddV2: ["add", "add"],
  AddN: ["add", "add"],
  Mul: ["multiply", "multiply"],
  Sub: ["merge", "subtract"],
  RealDiv: ["merge", "divide"],
  Div: ["merge", "divide"],
  DivNoNan: ["merge", "divide"],
  FloorDiv: ["merge", "floor_divide"],
  Mod: ["merge", "mod"],
  FloorMod: ["merge", "mod"],
  Maximum: ["merge", "maximum"],
  Minimum: ["merge", "minimum"],
  Pow: ["merge", "power"],
  SquaredDifference: ["merge", "squared_difference"],
  Atan2: ["merge", "atan2"],
  Greater: ["merge", "greater"],
  GreaterEqual: ["merge", "greater_equal"],
  Less: ["merge", "less"],
  LessEqual: ["merge", "less_equal"],
  Equal: ["merge", "equal"],
  NotEqual: ["merge", "not_equal"],
  LogicalAnd: ["merge", "and"],
  LogicalOr: ["merge", "or"],
  Select: ["merge", "select"],
  SelectV2: ["merge", "select"],
  Prelu: ["merge", "prelu"],
};

const pointwiseOps = [
  "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf",
  "Exp", "Expm1", "Log", "Log1p", "Sqrt", "Rsqrt", "Square", "Reciprocal", "Inv", "Abs", "Neg", "Sign",
  "Floor", "Ceil", "Round", "Rint", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh",
  "Acosh", "Atanh", "ClipByValue", "Cast", "LogicalNot", "IsNan", "IsInf", "IsFinite", "Identity",
  "StopGradient", "Snapshot", "CheckNumerics", "PreventGradient", "BiasAdd", "BiasAddV1",
]; // biome-ignore format: a table

const converters: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ["Conv2D", conv(2, false)],
  ["_FusedConv2D", conv(2, false)],
  ["DepthwiseConv2dNative", conv(2, true)],
  ["FusedDepthwiseConv2dNative", conv(2, true)],
  ["Conv3D", conv(3, false)],
  ["Conv2DBackpropInput", transposedConv(2)],
  ["Conv3DBackpropInputV2", transposedConv(3)],
  ["MaxPool", pool(2, "max")],
  ["AvgPool", pool(2, "avg")],
  ["MaxPool3D", pool(3, "max")],
  ["AvgPool3D", pool(3, "avg")],
  ["MaxPoolWithArgmax", (at) => [pool(2, "max")(at)].flat()],
  ["Pad", pad("constant")],
  ["PadV2", pad("constant")],
  ["MirrorPad", pad("mirror")],
  ["ResizeBilinear", resize("bilinear")],
  ["ResizeNearestNeighbor", resize("nearest")],
  ["DepthToSpace", depthToSpace],
  ["SpaceToBatchND", blocks(true)],
  ["BatchToSpaceND", blocks(false)],
  ["Mean", reduce("avg")],
  ["Max", reduce("max")],
  ["Sum", reduce(null)],
  ["Min", reduce(null)],
  ["Prod", reduce(null)],
  ["ArgMax", argument],
  ["ArgMin", argument],
  ["ConcatV2", concat(false)],
  ["Concat", concat(true)],
  ["Split", split(0, 1)],
  ["SplitV", split(2, 0)],
  ["FusedBatchNorm", pointwise("batch_norm")],
  ["FusedBatchNormV2", pointwise("batch_norm")],
  ["FusedBatchNormV3", pointwise("batch_norm")],
  ["LRN", pointwise("lrn")],
  ["Softmax", softmax],
  ["LogSoftmax", softmax],
  ["Reshape", reshape],
  ["Squeeze", squeeze],
  ["ExpandDims", expandDims],
  ["Transpose", transpose],
  ["MatMul", matMul],
  ["_FusedMatMul", matMul],
  ...Object.entries(elementwiseOps).map(([op, [merge, fn]]): [string, Convert] => [
    op,
    elementwise(merge, fn),
  ]),
  ...pointwiseOps.map((op): [string, Convert] => [op, pointwise()]),
]);
