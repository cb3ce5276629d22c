import {
  checkLayerGraph,
  type Layer,
  type LayerGraph,
  layerOutputSize,
  type MergeLayer,
} from "@gradlab/receptive-field";
import { channelsOf, type Dim, type Feature } from "./dims.js";
import { conversionRefusal } from "./json-fields.js";

type WithoutInputs<L> = L extends Layer ? Omit<L, "inputs"> : never;

/** What layers of a LayerGraph call the input of the network. */
const graphInputName = "input";

/** A layer whose inputs the draft fills in. */
export type NewLayer = WithoutInputs<Layer>;

/** A LayerGraph while it is written: names are made unique and sizes are followed layer by layer. */
export class GraphDraft {
  readonly input: Feature;
  private readonly caller: string;
  private readonly layers: Layer[] = [];
  private readonly taken = new Set<string>([graphInputName]);

  constructor(caller: string, dims: readonly Dim[], size: readonly (number | null)[]) {
    this.caller = caller;
    this.input = { layer: graphInputName, dims, size };
  }

  get axes(): number {
    return this.input.size.length;
  }

  /** Adds a layer that reads the given tensors, and says what its output is. */
  add(layer: NewLayer, from: readonly Feature[], dims: readonly Dim[]): Feature {
    const name = unusedName(layer.name, this.taken);
    this.taken.add(name);
    const placed = { ...layer, name, inputs: from.map((feature) => feature.layer) } as Layer;
    const size = isMerge(layer)
      ? this.mergedSize(placed, from)
      : layerOutputSize(placed, from[0]!.size, this.caller);
    this.layers.push(placed);
    return { layer: name, dims, size };
  }

  /** Joins branches; a branch that is joined with itself, or with constants, stays one. */
  join(
    name: string,
    op: MergeLayer["op"],
    fn: string,
    from: readonly Feature[],
    dims: readonly Dim[],
  ): Feature {
    const distinct = [...new Map(from.map((feature) => [feature.layer, feature])).values()];
    if (distinct.length === 1) return this.add({ name, op: "pointwise", fn }, distinct, dims);
    return this.add({ name, op, ...(op === "merge" && { fn }) }, distinct, dims);
  }

  private mergedSize(layer: Layer, from: readonly Feature[]): (number | null)[] {
    return this.input.size.map((_, axis) => {
      const sizes = from.map(({ size }) => size[axis] ?? null);
      const larger = sizes.filter((size) => size !== null && (size !== 1 || layer.op === "concat"));
      if (larger.some((size) => size !== larger[0])) {
        throw conversionRefusal(
          `${this.caller}: layer "${layer.name}"`,
          "branches of one size",
          from.map((feature) => `${feature.layer} ${showSize(feature.size)}`).join(", "),
        );
      }
      return larger[0] ?? (sizes.includes(null) ? null : 1);
    });
  }

  /** The checked graph. */
  finish(): LayerGraph {
    const channels = channelsOf(this.input);
    const graph: LayerGraph = {
      input: { shape: this.input.size, ...(channels !== null && { channels }) },
      layers: this.layers,
    };
    checkLayerGraph(graph, this.caller);
    return graph;
  }
}

const isMerge = ({ op }: NewLayer) => ["add", "multiply", "concat", "merge"].includes(op);

/** The name, or the first of `name_1`, `name_2`, … that is free. */
export function unusedName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let copy = 1; taken.has(name); copy++) name = `${wanted}_${copy}`;
  return name;
}

function showSize(size: readonly (number | null)[]): string {
  return size.map((n) => n ?? "?").join("x");
}
