import { graphInputName, type Layer } from "./layer-graph.js";
import { layerSizes } from "./layer-sizes.js";
import { resolveGraph } from "./resolve-graph.js";

/**
 * How many units come out of one layer along every axis, whatever it reads in its graph.
 *
 * @param layer No merge of branches, whose sizes must agree.
 * @param inputSize Units that come in, null where that is not known.
 * @param caller Stands at the begin of messages.
 * @throws {TypeError | RangeError} naming the layer and the field that is wrong, or that its output would be empty.
 */
export function layerOutputSize(
  layer: Layer,
  inputSize: readonly (number | null)[],
  caller = "layerOutputSize",
): (number | null)[] {
  const alone = { input: { shape: inputSize }, layers: [{ ...layer, inputs: [graphInputName] }] };
  return layerSizes(resolveGraph(alone, caller), inputSize, caller)[0]!;
}
