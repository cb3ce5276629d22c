import { type Feature, isAxis, isChannels } from "../dims.js";
import { conversionRefusal } from "../json-fields.js";
import type { ModelRow, ModelRows, ModelRowsOptions } from "../model-row.js";
import { type Shape, sizeAlong, sizeOf } from "../model-shape.js";
import { chooseInput, graphModelNodes, type NodeValues, walkNodes } from "./graph-model.js";
import type { GraphNode } from "./graph-nodes.js";
import { isFeature } from "./node-at.js";
import { weightEntries } from "./weights-manifest.js";

const caller = "modelRows";

/** The nodes of a GraphModel as `modelRows` describes them; those of constants have no row. */
export function graphModelRows(json: unknown, options: ModelRowsOptions = {}): ModelRows {
  const nodes = graphModelNodes(json, options.weights === undefined ? {} : { weights: options.weights });
  const { order } = nodes;
  const warnings: string[] = [];
  const place = placeholderOf(nodes, options, warnings);
  const followed = place && follow(nodes, place, warnings);
  const values = followed?.values ?? new Map();
  const varying = readersOfInputs(order);
  const weights = weightsByReader(order, varying, sizesOfFloats(nodes.model));
  const shapes = new Map<string, Shape | null>();
  const rows: ModelRow[] = [];
  for (const node of order) {
    if (node.op === "Placeholder" || !varying.has(node.name)) continue;
    const value = values.get(node.name)?.[0];
    const from = node.inputs.map((input) => shapes.get(input.node) ?? null).find((shape) => shape !== null);
    const output =
      value !== undefined && isFeature(value) ? shapeOf(value, from ?? place?.shape.slice(1)) : null;
    shapes.set(node.name, output);
    rows.push(rowOf(node, values, output, weights.get(node.name) ?? 0));
  }
  const unread = weights.get(null) ?? 0;
  if (unread > 0) {
    rows.push({ ...noRow, name: "(read by nothing)", op: "weights", params: unread, weights: 0, macs: 0 });
  }
  return {
    kind: "graph-model",
    input: place?.shape.slice(1) ?? null,
    rows,
    params: rows.reduce((sum, { params }) => sum + (params ?? 0), 0),
    trainable: null,
    graph: followed?.graph ?? null,
    warnings,
  };
}

const noRow = { output: null, kernel: null, trainable: null } as const;

interface Place {
  readonly chosen: string;
  readonly shape: Shape;
}

/** The image among the placeholders, cut to size; null where there is none. */
function placeholderOf(
  { order, model }: ReturnType<typeof graphModelNodes>,
  { size, channels }: ModelRowsOptions,
  warnings: string[],
): Place | null {
  let found: ReturnType<typeof chooseInput>;
  try {
    found = chooseInput(order, model);
  } catch (error) {
    warnings.push(`no shapes: ${withoutCaller(error)}`);
    return null;
  }
  const shape = found.shape ?? [null, null, null, null];
  const own = shape.at(-1) ?? null;
  if (channels !== undefined && own !== null && own !== channels) {
    throw conversionRefusal(`${caller}: options.channels`, `${own}, which the model takes`, `${channels}`);
  }
  const axes = shape.slice(1, -1);
  return {
    chosen: found.chosen,
    shape: [shape[0] ?? null, ...sizeAlong(axes, size, caller), channels ?? own],
  };
}

function follow(nodes: ReturnType<typeof graphModelNodes>, { chosen, shape }: Place, warnings: string[]) {
  try {
    const { draft, values } = walkNodes(nodes, chosen, shape, (_, error) => {
      warnings.push(
        `${withoutCaller(error).replace(/ \(options\.output.*\)$/, "")}: what follows has no shape`,
      );
    });
    return { values, graph: draft.finish() };
  } catch (error) {
    warnings.push(`no shapes: ${withoutCaller(error)}`);
    return null;
  }
}

const withoutCaller = (error: unknown) => String((error as Error).message).replace(/^\w+: /, "");

/** The nodes that depend on a placeholder. */
function readersOfInputs(order: readonly GraphNode[]): ReadonlySet<string> {
  const varying = new Set<string>();
  for (const { name, op, inputs } of order) {
    if (op === "Placeholder" || inputs.some(({ node }) => varying.has(node))) varying.add(name);
  }
  return varying;
}

function sizesOfFloats(model: ReturnType<typeof graphModelNodes>["model"]): ReadonlyMap<string, number> {
  const floats = weightEntries(model).filter(({ dtype }) => dtype === "float32" || dtype === "float16");
  return new Map(floats.map(({ name, shape }) => [name, sizeOf(shape)!]));
}

/** Each weight counts for the first node that reads it, also through constants; under null what nothing reads. */
function weightsByReader(
  order: readonly GraphNode[],
  varying: ReadonlySet<string>,
  sizes: ReadonlyMap<string, number>,
): Map<string | null, number> {
  const behind = new Map<string, readonly string[]>();
  const left = new Map(sizes);
  const counts = new Map<string | null, number>();
  for (const { name, inputs } of order) {
    const read = inputs.flatMap(({ node }) => behind.get(node) ?? []);
    if (!varying.has(name)) {
      behind.set(name, sizes.has(name) ? [...read, name] : read);
      continue;
    }
    for (const weight of read) {
      counts.set(name, (counts.get(name) ?? 0) + (left.get(weight) ?? 0));
      left.delete(weight);
    }
  }
  counts.set(
    null,
    [...left.values()].reduce((sum, size) => sum + size, 0),
  );
  return counts;
}

/** @param from The shape of what the node reads, for a row of positions and channels. */
function shapeOf({ dims, size }: Feature, from: Shape | undefined): Shape {
  return dims.slice(1).map((dim) => {
    if (dim === "row") return from === undefined ? null : sizeOf(from);
    if (isAxis(dim)) return size[dim.axis] ?? null;
    return isChannels(dim) ? dim.channels : dim === "one" ? 1 : null;
  });
}

const convolutions = /^(_Fused)?(Conv[23]D|DepthwiseConv2dNative|FusedDepthwiseConv2dNative)$/;
const transposed = /^Conv[23]DBackpropInput(V2)?$/;
const products = /^(_Fused)?MatMul$/;

function rowOf(node: GraphNode, values: NodeValues, output: Shape | null, params: number): ModelRow {
  const filter = node.inputs[1] && values.get(node.inputs[1].node)?.[0];
  const shape = filter !== undefined && !isFeature(filter) ? filter.shape : null;
  const isWindow = convolutions.test(node.op) || transposed.test(node.op);
  const multiplies = isWindow || products.test(node.op);
  const bias = node.inputs.length > 2 && multiplies && shape !== null ? (sizeOf(shape) ?? params) : params;
  return {
    name: node.name,
    op: node.op,
    output,
    kernel: isWindow && shape !== null ? shape.slice(0, -2) : null,
    params,
    trainable: null,
    weights: multiplies ? Math.min(params, bias) : 0,
    macs: multiplies ? macsOf(node, values, shape) : values.has(node.name) ? 0 : null,
  };
}

/** Every position times the numbers of the filter; for a transposed convolution every position of its input. */
function macsOf(node: GraphNode, values: NodeValues, filter: Shape | null): number | null {
  const [at] = transposed.test(node.op)
    ? (values.get(node.inputs[2]?.node ?? "") ?? [])
    : (values.get(node.name) ?? []);
  if (at === undefined || !isFeature(at) || filter === null) return null;
  const positions = at.dims.filter(isAxis).map(({ axis }) => at.size[axis] ?? null);
  return sizeOf([...positions, ...filter]);
}
