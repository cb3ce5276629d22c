import { graphModelRows } from "./graph-model/graph-model-rows.js";
import { type GraphNode, graphNodes, orderedNodes } from "./graph-model/graph-nodes.js";
import { WeightReader, weightEntries } from "./graph-model/weights-manifest.js";
import { isGraphModel } from "./is-graph-model.js";
import { conversionError, conversionRefusal, Fields, isRecord } from "./json-fields.js";
import { layerCalls } from "./keras/layer-calls.js";
import { topologyOf } from "./keras/layers-model.js";
import { checkLayers } from "./keras/layers-model-rows.js";
import { expectSize, sizeOf } from "./model-shape.js";

const caller = "checkModel";

/**
 * Refuses a `model.json` that tfjs could not load, or would hang on: parts that are missing, layers that read what is
 * not there or themselves, shards that are cut, weights of other shapes than the layers ask for, outputs of billions of
 * numbers.
 *
 * @param weights The bytes of all shards, one after the other.
 * @throws {TypeError | RangeError} naming the layer, node or weight.
 */
export function checkModel(json: unknown, weights: Uint8Array): void {
  if (!isRecord(json)) throw conversionError(`${caller}: json`, "a parsed model.json", json);
  const file = new Fields(json, `${caller}: model`);
  if (!isRecord(file.get("model_topology"))) {
    throw conversionError(`${caller}: modelTopology`, "an object", file.get("model_topology"));
  }
  const names = new Set<string>();
  for (const { name } of weightEntries(file)) {
    if (names.has(name)) throw conversionError(`${caller}: weightsManifest`, "every weight once", name);
    names.add(name);
  }
  if (!isGraphModel(json)) layerCalls(topologyOf(json), caller, true);
  const needed = new WeightReader(file, weights, caller).length();
  if (needed !== weights.length) {
    throw conversionRefusal(`${caller}: weights`, `shards of ${needed} bytes together`, `${weights.length}`);
  }
  if (isGraphModel(json)) checkNodes(json, file.fields("model_topology"), weights);
  else checkLayers(json);
}

/** Loops of control flow are none of a graph's faults. */
function checkNodes(json: unknown, topology: Fields, weights: Uint8Array): void {
  const nodes = graphNodes(topology, caller);
  for (const { name, op, inputs } of nodes.values()) {
    const least = sources.has(op) ? 0 : (leastInputs.get(op) ?? 1);
    if (inputs.length < least) {
      throw conversionRefusal(
        `${caller}: node "${name}" (${op})`,
        `at least ${least} input${least === 1 ? "" : "s"}`,
        `${inputs.length === 0 ? "none" : inputs.length}`,
      );
    }
    const missing = inputs.find(({ node }) => !nodes.has(node));
    if (missing === undefined) continue;
    throw conversionError(
      `${caller}: node "${name}" (${op})`,
      "inputs that are nodes of the graph",
      missing.node,
    );
  }
  // Circles among nodes that no output needs, too.
  orderedNodes(nodes, [...nodes.keys()], caller);
  const reader = new WeightReader(new Fields(json, `${caller}: model`), weights, caller);
  const most = mostSizes([...nodes.values()].filter(({ op }) => op === "Placeholder"));
  for (const node of nodes.values()) {
    if (node.op === "Const") expectConstant(node, reader);
    else expectSizes(node, nodes, reader, most);
  }
  const { input, rows } = graphModelRows(json, { weights });
  expectSize(`${caller}: input`, input);
  for (const { name, op, output } of rows) {
    expectSize(`${caller}: node "${name}" (${op})`, output);
  }
}

/** Operations that read nothing. */
const sources: ReadonlySet<string> = new Set([
  "Const", "Placeholder", "NoOp", "HashTable", "HashTableV2", "VarHandleOp", "Assert",
]); // biome-ignore format: a table

/** Operations that read more than one tensor. */
const leastInputs: ReadonlyMap<string, number> = new Map([
  ...[
    "Conv2D", "Conv1D", "Conv3D", "DepthwiseConv2dNative", "DepthwiseConv2d", "_FusedConv2D", "MatMul", "_FusedMatMul",
    "BatchMatMul", "BatchMatMulV2", "Add", "AddV2", "Sub", "Mul", "RealDiv", "Div", "FloorDiv", "Maximum", "Minimum",
    "BiasAdd", "BiasAddV1", "Reshape", "Mean", "Sum", "Max", "Min", "Prod", "Pad", "PadV2", "MirrorPad", "Transpose",
    "ExpandDims", "ResizeBilinear", "ResizeNearestNeighbor", "ConcatV2", "Concat", "Prelu", "Tile", "BroadcastTo",
    "Fill", "Gather", "ArgMax", "Split", "Pow", "SquaredDifference",
  ].map((op) => [op, 2] as const),
  ["Slice", 3],
  ["StridedSlice", 4],
  ["GatherV2", 3],
  ["Select", 3],
  ["Conv2DBackpropInput", 3],
  ["FusedBatchNorm", 5],
  ["FusedBatchNormV2", 5],
  ["FusedBatchNormV3", 5],
]); // biome-ignore format: a table

/** tfjs keeps the values of constants in the shards alone. */
function expectConstant({ name, op }: GraphNode, reader: WeightReader): void {
  if (reader.shapeOf(name) !== null) return;
  throw conversionRefusal(`${caller}: node "${name}" (${op})`, "its value in weightsManifest", "none");
}

/** Operations that make as much as one of their inputs says, and the place of that input. */
const sizing: ReadonlyMap<string, number> = new Map([
  ["Fill", 0],
  ["BroadcastTo", 1],
  ["Tile", 1],
  ["OneHot", 1],
  ["LinSpace", 2],
  ["Pad", 1],
  ["PadV2", 1],
  ["MirrorPad", 1],
  ["SpaceToBatchND", 2],
  ["ResizeBilinear", 1],
  ["ResizeNearestNeighbor", 1],
  ["Conv2DBackpropInput", 0],
  ["Range", 1],
]);

/**
 * The most that such an input may say of sizes, their product: a million, or far more than the model reads (eight times
 * along each of two axes); more where it does not say what it reads.
 */
function mostSizes(placeholders: readonly GraphNode[]): number {
  const read = placeholders.map(({ attributes }) => attributes.shape("shape"));
  const numbers = read.map((shape) => (shape === null ? null : sizeOf(shape.slice(1))));
  if (numbers.includes(null)) return 2 ** 24;
  return Math.min(2 ** 24, Math.max(2 ** 20, ...numbers.map((count) => 64 * count!)));
}

/** The most that it may say of borders, each. */
const mostAround = 4096;

function expectSizes(
  { name, op, inputs }: GraphNode,
  nodes: ReadonlyMap<string, GraphNode>,
  reader: WeightReader,
  most: number,
): void {
  const place = sizing.get(op);
  const from = place === undefined ? undefined : inputs[place]?.node;
  const entry = from === undefined || nodes.get(from)?.op !== "Const" ? null : reader.shapeOf(from);
  if (from === undefined || entry === null || entry.reduce((all, n) => all * n, 1) > 64) return;
  const where = `${caller}: node "${name}" (${op})`;
  const values = reader.read(from, where);
  const around = /Pad|Space/.test(op);
  const all = around
    ? Math.max(...values.map(Math.abs))
    : values.reduce((product, value) => product * Math.max(1, Math.abs(value)), 1);
  if (all <= (around ? mostAround : most)) return;
  const expected = around ? `borders of at most ${mostAround}` : `sizes of at most ${most} in all`;
  throw conversionRefusal(where, expected, values.join(", "));
}
