import { flattenParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { Tensor } from "@tensorflow/tfjs-core";
import { planNetwork } from "../layer-facts.js";
import { layerTensors } from "../layers/inference-ops.js";
import { type NetworkState, recordsOf } from "../network-state.js";

/**
 * The tensors of both records by record and path, after comparing them with the graph; a tensor that the graph has no
 * use for is refused too.
 */
export function recordTensors(
  caller: string,
  graph: LayerGraph,
  state: NetworkState,
): ReadonlyMap<string, Tensor> {
  const { facts } = planNetwork(caller, graph);
  layerTensors(caller, facts, state);
  const { params, statistics } = recordsOf(caller, state);
  const records = { params: flattenParams(params), statistics: flattenParams(statistics) };
  const known = new Set(
    facts.flatMap(({ layer, parameters, statistics: running }) => [
      ...parameters.map(({ role }) => `params.${layer.name}.${role}`),
      ...running.map(({ role }) => `statistics.${layer.name}.${role}`),
    ]),
  );
  const tensors = new Map<string, Tensor>();
  for (const record of ["params", "statistics"] as const) {
    for (const [path, tensor] of records[record]) {
      const where = `${caller}: ${record}: ${path}`;
      if (!known.has(`${record}.${path}`)) {
        throw new RangeError(`${where}: expected no such tensor, got [${tensor.shape.join(", ")}]`);
      }
      if (tensor.dtype !== "float32") throw new TypeError(`${where}: expected float32, got ${tensor.dtype}`);
      tensors.set(`${record}.${path}`, tensor);
    }
  }
  return tensors;
}

/** The numbers of the tensors at the moment of the call, whatever happens to them before the promise is kept. */
export async function readValues(
  tensors: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Float32Array<ArrayBuffer>>> {
  const held = [...tensors].map(([name, tensor]) => [name, tensor.clone()] as const);
  try {
    const values = new Map<string, Float32Array<ArrayBuffer>>();
    for (const [name, tensor] of held) values.set(name, (await tensor.data()) as Float32Array<ArrayBuffer>);
    return values;
  } finally {
    for (const [, tensor] of held) tensor.dispose();
  }
}
