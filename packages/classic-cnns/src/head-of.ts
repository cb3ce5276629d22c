import type { LayerGraph } from "@gradlab/receptive-field";
import { planNetwork } from "./layer-facts.js";

/**
 * The name of the layer that a network ends in: the last one with a kernel, in computation order, whose outputs are the
 * classes.
 *
 * @throws {TypeError | RangeError} when the graph is impossible, or no layer has a kernel.
 */
export function headOf(graph: LayerGraph): string {
  const head = planNetwork("headOf", graph).facts.findLast(({ parameters }) => {
    return parameters.some(({ role }) => role === "kernel");
  });
  if (head === undefined) throw new RangeError("headOf: graph: expected a layer with a kernel, got none");
  return head.layer.name;
}
