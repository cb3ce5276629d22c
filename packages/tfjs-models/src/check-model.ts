import { graphNodes } from "./graph-model/graph-nodes.js";
import { WeightReader } from "./graph-model/weights-manifest.js";
import { isGraphModel } from "./is-graph-model.js";
import { conversionError, conversionRefusal, Fields, isRecord } from "./json-fields.js";
import { layerCalls } from "./keras/layer-calls.js";
import { topologyOf } from "./keras/layers-model.js";

/**
 * Refuses a `model.json` that tfjs could not load, or would hang on: parts that are missing, layers that read what is
 * not there or themselves, shards that are cut.
 *
 * @param weights The bytes of all shards, one after the other.
 * @throws {TypeError | RangeError} naming the layer, node or weight.
 */
export function checkModel(json: unknown, weights: Uint8Array): void {
  const caller = "checkModel";
  if (!isRecord(json)) throw conversionError(`${caller}: json`, "a parsed model.json", json);
  const file = new Fields(json, `${caller}: model`);
  if (!isRecord(file.get("model_topology"))) {
    throw conversionError(`${caller}: modelTopology`, "an object", file.get("model_topology"));
  }
  if (isGraphModel(json)) checkNodes(file.fields("model_topology"), caller);
  else layerCalls(topologyOf(json), caller, true);
  const needed = new WeightReader(file, weights, caller).length();
  if (needed !== weights.length) {
    throw conversionRefusal(`${caller}: weights`, `shards of ${needed} bytes together`, `${weights.length}`);
  }
}

/** Loops of control flow are none of a graph's faults. */
function checkNodes(topology: Fields, caller: string): void {
  const nodes = graphNodes(topology, caller);
  for (const { name, op, inputs } of nodes.values()) {
    const missing = inputs.find(({ node }) => !nodes.has(node));
    if (missing === undefined) continue;
    throw conversionError(
      `${caller}: node "${name}" (${op})`,
      "inputs that are nodes of the graph",
      missing.node,
    );
  }
}
