import type { LayerGraph } from "@gradlab/receptive-field";
import { type Dim, type Feature, isAxis, isChannels } from "../dims.js";
import { GraphDraft } from "../graph-draft.js";
import { conversionError, conversionRefusal, Fields, isRecord } from "../json-fields.js";
import { type GraphNode, graphNodes, orderedNodes, tensorName, tensorShape } from "./graph-nodes.js";
import { isFeature } from "./node-at.js";
import { type Constant, constantOf } from "./node-constants.js";
import { addGraphNode } from "./node-ops.js";
import { sizeKey } from "./node-windows.js";
import { WeightReader } from "./weights-manifest.js";

export interface GraphModelOptions {
  /**
   * The bytes of all weight shards, one after the other. Shapes of filters
   * stand in the JSON; paddings, sizes, axes and shapes only in these bytes.
   */
  readonly weights?: Uint8Array;
  /** The placeholder whose pixels are meant; needed where several are images. The others count as constants. */
  readonly input?: string;
  /** The node at which the graph ends; default: the outputs of the signature, or the nodes that nothing reads. */
  readonly output?: string;
}

const caller = "graphModelToGraph";

/**
 * A GraphModel of tfjs (`model.json` with `format: "graph-model"`) as a graph
 * of positions. Every node between the placeholder and the outputs becomes
 * one layer of the same name; constants, and what is computed from them alone,
 * leave no trace.
 *
 * @param json Parsed JSON. Sizes that the model leaves open are null.
 * @throws {TypeError} when a part is missing or has the wrong type.
 * @throws {RangeError} when a node has no meaning on positions, when the wiring
 *   is impossible, when one of several placeholders has to be named, or when
 *   the value of a constant is needed and `weights` is not given.
 */
export function graphModelToGraph(json: unknown, options: GraphModelOptions = {}): LayerGraph {
  const { ends, ...model } = graphModelNodes(json, options);
  const { chosen, shape } = chooseInput(model.order, model.model, options.input);
  const { draft, values } = walkNodes(model, chosen, shape);
  if (!ends.some((end) => isFeature(values.get(end)![0]!))) {
    throw conversionRefusal(`${caller}: outputs`, `a node that reads "${chosen}"`, "none");
  }
  return draft.finish();
}

/** The nodes that the outputs of a GraphModel need, in an order of computation. */
export interface GraphModelNodes {
  readonly model: Fields;
  readonly weights: WeightReader;
  readonly ends: readonly string[];
  readonly order: readonly GraphNode[];
}

export function graphModelNodes(json: unknown, options: GraphModelOptions): GraphModelNodes {
  if (!isRecord(json)) throw conversionError(`${caller}: json`, "the JSON object of a GraphModel", json);
  const model = new Fields(json, `${caller}: model`);
  const topology = model.get("model_topology") === undefined ? model : model.fields("model_topology");
  const nodes = graphNodes(topology, caller);
  const weights = new WeightReader(model, options.weights, caller);
  const ends = endsOf(model, nodes, options.output);
  return { model, weights, ends, order: orderedNodes(nodes, ends, caller) };
}

export type NodeValues = ReadonlyMap<string, readonly (Feature | Constant)[]>;

/**
 * Follows positions from the chosen placeholder through all nodes.
 *
 * @param unknown Where given, is told of a node that is refused; it and what reads it then have no value.
 */
export function walkNodes(
  { order, weights }: Pick<GraphModelNodes, "order" | "weights">,
  chosen: string,
  shape: readonly (number | null)[] | null,
  unknown?: (node: GraphNode, error: unknown) => void,
): { draft: GraphDraft; values: NodeValues } {
  const draft = new GraphDraft(caller, ...inputLayout(shape, order));

  const values = new Map<string, readonly (Feature | Constant)[]>();
  for (const node of order) {
    if (
      unknown !== undefined &&
      node.op !== "Merge" &&
      node.inputs.some(({ node: from }) => !values.has(from))
    )
      continue;
    try {
      values.set(node.name, valuesOf(node));
    } catch (error) {
      if (unknown === undefined) throw error;
      unknown(node, error);
    }
  }
  return { draft, values };

  function valuesOf(node: GraphNode): readonly (Feature | Constant)[] {
    const where = `${caller}: node "${node.name}" (${node.op})`;
    const inputs = node.inputs.map(({ node: from, output }) => {
      const value = values.get(from)?.[output];
      if (value !== undefined) return value;
      if (!values.has(from))
        throw conversionRefusal(where, "a graph without control flow", `a loop or branch through "${from}"`);
      throw conversionRefusal(where, `an output that "${from}" has`, `number ${output}`);
    });
    if (node.name === chosen) return [draft.input];
    if (!inputs.some(isFeature)) return constantsOf(node, inputs as Constant[], weights);
    if (shapeOps.has(node.op)) return [shapeOf(node.op, inputs.find(isFeature)!)];
    const refuse = (expected: string, got: string): never => {
      throw conversionRefusal(where, expected, `${got} (options.output can end the graph before it)`);
    };
    return addGraphNode({ draft, ...node, inputs, where, refuse });
  }
}

/** A node that depends on constants alone. It may have several outputs, all of unknown value. */
function constantsOf(node: GraphNode, inputs: readonly Constant[], weights: WeightReader): Constant[] {
  if (node.op === "Const") {
    const shape = weights.shapeOf(node.name) ?? node.attributes.constantShape();
    return [{ shape, entries: (reader) => weights.read(node.name, reader).map((value) => ({ value })) }];
  }
  const mask = (key: string) => node.attributes.integer(key, 0);
  const first = constantOf({ name: node.name, op: node.op, inputs, mask });
  return [
    first,
    ...Array.from({ length: 16 }, () => constantOf({ ...node, op: `${node.op} output`, inputs, mask })),
  ];
}

/** Operations on a feature whose result does not depend on the pixels. */
const shapeOps: ReadonlySet<string> = new Set(["Shape", "Rank", "Size", "ZerosLike", "OnesLike"]);

function shapeOf(op: string, feature: Feature): Constant {
  const { dims, size } = feature;
  if (op === "ZerosLike" || op === "OnesLike") return constantOf({ name: op, op, inputs: [], mask: () => 0 });
  const sizes = dims.map((dim) => {
    if (isAxis(dim)) {
      return { value: size[dim.axis]!, of: { axis: sizeKey(feature, dim.axis), factor: 1, plus: 0 } };
    }
    if (isChannels(dim)) return { value: dim.channels };
    return { value: dim === "one" ? 1 : null };
  });
  if (op === "Rank") return { shape: [], entries: () => [{ value: dims.length }] };
  if (op === "Size") return { shape: [], entries: () => [{ value: null }] };
  return { shape: [dims.length], entries: () => sizes };
}

/** The names of the nodes at which the graph ends. */
function endsOf(model: Fields, nodes: ReadonlyMap<string, GraphNode>, output?: string): string[] {
  if (output !== undefined) {
    const { node } = tensorName(output);
    if (!nodes.has(node)) throw conversionError(`${caller}: options.output`, "the name of a node", output);
    return [node];
  }
  const outputs = signatureOf(model)?.get("outputs");
  if (isRecord(outputs) && Object.keys(outputs).length > 0) {
    const names = Object.values(outputs).map(
      (tensor) => tensorName(new Fields(tensor, `${caller}: signature`).text("name")).node,
    );
    if (names.every((name) => nodes.has(name))) return [...new Set(names)];
  }
  const read = new Set([...nodes.values()].flatMap((node) => node.inputs.map((input) => input.node)));
  const ends = [...nodes.values()].filter((node) => !read.has(node.name) && node.inputs.length > 0);
  if (ends.length === 0)
    throw conversionRefusal(`${caller}: model`, "a node that nothing reads, as output", "none");
  return ends.map(({ name }) => name);
}

/** Newer files have the signature beside the topology, older ones in the user's metadata. */
function signatureOf(model: Fields): Fields | null {
  if (model.get("signature") !== undefined) return model.fields("signature");
  const metadata = model.get("user_defined_metadata");
  const signature = isRecord(metadata) ? model.fields("user_defined_metadata").get("signature") : undefined;
  return isRecord(signature) ? new Fields(signature, `${caller}: signature`) : null;
}

/** The placeholder whose pixels are meant, with its shape (null where even the rank is unknown). */
export function chooseInput(
  order: readonly GraphNode[],
  model: Fields,
  name?: string,
): { chosen: string; shape: readonly (number | null)[] | null } {
  const placeholders = order
    .filter(({ op }) => op === "Placeholder")
    .map((node) => ({
      chosen: node.name,
      shape: node.attributes.shape("shape") ?? signatureShape(model, node.name),
    }));
  const names = placeholders.map(({ chosen }) => JSON.stringify(chosen)).join(", ");
  if (name !== undefined) {
    const found = placeholders.find(({ chosen }) => chosen === tensorName(name).node);
    return found ?? refuseInput(`one of ${names || "no placeholders"}`, name);
  }
  if (placeholders.length === 1) return placeholders[0]!;
  const images = placeholders.filter(({ shape }) => shape === null || shape.length >= 3);
  if (images.length === 1) return images[0]!;
  return refuseInput(
    placeholders.length === 0 ? "a placeholder before the outputs" : `one of ${names}`,
    undefined,
  );
}

function refuseInput(expected: string, got: string | undefined): never {
  throw got === undefined
    ? conversionRefusal(`${caller}: options.input`, expected, "nothing")
    : conversionError(`${caller}: options.input`, expected, got);
}

function signatureShape(model: Fields, node: string): readonly (number | null)[] | null {
  const inputs = signatureOf(model)?.get("inputs");
  if (!isRecord(inputs)) return null;
  for (const tensor of Object.values(inputs)) {
    const fields = new Fields(tensor, `${caller}: signature`);
    if (tensorName(fields.text("name")).node === node)
      return tensorShape(fields.get("tensor_shape"), fields.where);
  }
  return null;
}

/** Dimensions and size of the input, in the layout that the nodes declare. */
function inputLayout(
  shape: readonly (number | null)[] | null,
  order: readonly GraphNode[],
): [Dim[], (number | null)[]] {
  const isSolid = order.some(({ op }) => /^(Conv3D|MaxPool3D|AvgPool3D)/.test(op));
  const known = shape ?? Array<null>(isSolid ? 5 : 4).fill(null);
  if (known.length < 3 || known.length > 5) {
    throw conversionRefusal(
      `${caller}: input`,
      "[batch, positions along 1 to 3 axes, channels]",
      `[${known.map((size) => size ?? "?").join(", ")}]`,
    );
  }
  const formats = ["NHWC", "NDHWC", "NCHW", "NCDHW"] as const;
  const channelsFirst = order.some(({ op, attributes }) => {
    if (!/Conv|Pool/.test(op)) return false;
    return attributes.word("data_format", formats, "NHWC").startsWith("NC");
  });
  const channels = (channelsFirst ? known[1] : known[known.length - 1]) ?? null;
  const size = channelsFirst ? known.slice(2) : known.slice(1, -1);
  const axes = size.map((_, axis): Dim => ({ axis }));
  return [channelsFirst ? ["batch", { channels }, ...axes] : ["batch", ...axes, { channels }], size];
}
