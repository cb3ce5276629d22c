import type { LayerGraph } from "@gradlab/receptive-field";
import { type LayerFact, type ParameterRole, planNetwork } from "../layer-facts.js";

/** A tensor of a network in PyTorch's state_dict. */
export interface TorchEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Which record here holds it; null for the counter `num_batches_tracked`, which nothing reads. */
  readonly record: "params" | "statistics" | null;
  /** Its path in that record. */
  readonly path: string;
  /** The shape here. */
  readonly ownShape: readonly number[];
  /**
   * Where PyTorch's order is another, the sizes there: filters (units), channels, height, width. A dense kernel that
   * reads a flattened map is one over the whole map, and one that reads units is one of 1 x 1; the numbers of a batch
   * norm of a flattened map are like one filter.
   */
  readonly oihw?: readonly [outputs: number, inputs: number, height: number, width: number];
}

/** PyTorch's names of the tensors of a layer, in its order. */
const torchNames: Readonly<Record<ParameterRole, string>> = {
  kernel: "weight",
  scale: "weight",
  bias: "bias",
  offset: "bias",
  mean: "running_mean",
  variance: "running_var",
};

/**
 * The state_dict that a network has in torchvision, name by name and in its order; a network that torchvision lacks
 * is taken for one whose modules have the names of the layers.
 */
export function torchEntries(graph: LayerGraph, caller: string): readonly TorchEntry[] {
  const modules = sequentialModules(graph);
  return planNetwork(caller, graph).facts.flatMap((fact) => {
    const module = modules.get(fact.layer.name) ?? fact.layer.name;
    const entries = (["params", "statistics"] as const).flatMap((record) =>
      fact[record === "params" ? "parameters" : "statistics"].map(({ role, shape }): TorchEntry => {
        const entry = {
          name: `${module}.${torchNames[role]}`,
          record,
          path: `${fact.layer.name}.${role}`,
          ownShape: shape,
        };
        if (role !== "kernel") {
          const isMoved = fact.layer.op === "pointwise" && fact.flattened !== undefined;
          return { ...entry, shape, ...(isMoved && { oihw: [1, ...fact.flattened] as const }) };
        }
        const oihw = kernelSizes(fact, shape);
        return { ...entry, oihw, shape: shape.length === 4 ? oihw : [shape[1]!, shape[0]!] };
      }),
    );
    if (fact.statistics.length === 0) return entries;
    const name = `${module}.num_batches_tracked`;
    return [...entries, { name, shape: [], record: null, path: "", ownShape: [] }];
  });
}

function kernelSizes({ flattened }: LayerFact, shape: readonly number[]): [number, number, number, number] {
  if (shape.length === 4) {
    const [height, width, inputs, outputs] = shape as [number, number, number, number];
    return [outputs, inputs, height, width];
  }
  const [inputs, outputs] = shape as [number, number];
  return [outputs, ...(flattened ?? ([inputs, 1, 1] as const))];
}

/**
 * AlexNet and VGG have readable names here. In torchvision they are two lists of modules, `features` before the
 * average pooling and `classifier` behind the flattening, so that a layer's name is its place.
 */
function sequentialModules({ layers }: LayerGraph): ReadonlyMap<string, string> {
  const middle = layers.findIndex(
    ({ op, name }, i) => op === "adaptive-pool" && name === "avgpool" && layers[i + 1]?.op === "flatten",
  );
  if (middle < 0 || layers.at(-1)!.name !== "fc8") return new Map();
  return new Map(
    layers.map(({ name }, i) => [
      name,
      i < middle ? `features.${i}` : `classifier.${i - middle - 2}`, // the pooling and the flattening stand between
    ]),
  );
}
