import { type AxisTaps, broadcastTaps, tapsOf } from "./axis-taps.js";
import type { ResolvedLayer } from "./resolve-graph.js";

/** How one axis of a layer reads one of its inputs; an input of one unit is broadcast to a larger output. */
export function tapsOfInput(
  layer: ResolvedLayer,
  axis: number,
  inputSize: number | null,
  outputSize: number | null,
  paddingSize: number | null = inputSize,
): AxisTaps {
  if (layer.inputs.length > 1 && inputSize === 1 && outputSize !== 1) return broadcastTaps;
  try {
    return tapsOf(layer.steps[axis]!, inputSize, paddingSize);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`receptiveField: layer "${layer.name}": ${error.message}`, { cause: error });
  }
}
