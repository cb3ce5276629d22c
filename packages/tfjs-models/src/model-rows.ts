import { graphModelRows } from "./graph-model/graph-model-rows.js";
import { isGraphModel } from "./is-graph-model.js";
import { layersModelRows } from "./keras/layers-model-rows.js";
import type { ModelRows, ModelRowsOptions } from "./model-row.js";

/**
 * Every layer of a tfjs model with shapes, parameters and operations. Parameters count as Keras counts them, the
 * statistics of norms too; a layer that several parts share counts once. Of a graph model the float weights count.
 * A layer that is not known is a row without shape, and a warning.
 *
 * @param json A parsed `model.json` of tfjs, layers or graph model.
 * @throws {TypeError | RangeError} when the topology is impossible, or when `size` or `channels` contradict the weights.
 */
export function modelRows(json: unknown, options: ModelRowsOptions = {}): ModelRows {
  return isGraphModel(json) ? graphModelRows(json, options) : layersModelRows(json, options);
}
