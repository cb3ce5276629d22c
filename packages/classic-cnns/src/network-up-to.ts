import type { Layer, LayerGraph } from "@gradlab/receptive-field";
import { planNetwork } from "./layer-facts.js";

/**
 * The part of a network that a layer is computed from, the layer at its end: what `applyNetwork` computes with it is
 * the output of that layer, from the same state. Names stay what they are.
 *
 * @param layer Its name.
 * @throws {TypeError | RangeError} when the graph is impossible or has no such layer.
 */
export function networkUpTo(graph: LayerGraph, layer: string): LayerGraph {
  return cutNetwork("networkUpTo", graph, layer);
}

export function cutNetwork(caller: string, graph: LayerGraph, layer: string): LayerGraph {
  const { layers } = planNetwork(caller, graph).plan;
  const end = layers.findIndex(({ call }) => call.layer.name === layer);
  if (end < 0) {
    throw new RangeError(`${caller}: layer: expected a layer of the graph, got ${JSON.stringify(layer)}`);
  }
  const needed = new Set([end]);
  // In computation order every layer stands behind those that it reads.
  for (let place = end; place >= 0; place--) {
    if (needed.has(place)) for (const from of layers[place]!.inputs) needed.add(from);
  }
  const nameOf = (place: number) => (place < 0 ? "input" : layers[place]!.call.layer.name);
  const kept = layers.flatMap(({ call, inputs }, place): Layer[] => {
    if (!needed.has(place)) return [];
    // "The layer before" may be another one now.
    return [{ ...call.layer, inputs: inputs.map(nameOf) } as Layer];
  });
  return { ...graph, layers: kept };
}
