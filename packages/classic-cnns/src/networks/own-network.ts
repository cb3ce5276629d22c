import type { Layer, LayerGraph } from "@gradlab/receptive-field";
import { rangeMismatch } from "../expect-argument.js";
import { expectInteger } from "../expect-values.js";
import { planNetwork } from "../layer-facts.js";

export interface OwnNetworkOptions {
  /** Pixels, one number for both or `[height, width]`; default: the graph's own. */
  readonly inputSize?: number | readonly [height: number, width: number];
  /** Channels of the input; default: the graph's own. */
  readonly channels?: number;
  /** Number of logits; default: as many as the last layer says. */
  readonly classes?: number;
}

/**
 * A network of one's own, ready to be computed and trained: the layers of a graph (of `parseNetwork`, of a JSON file) on
 * an input of known size, with one logit for each class at the end. A dense layer at the end that does not say its
 * `units` gets as many as there are classes.
 *
 * @returns A graph that `summary`, `initNetwork`, `trainNetwork` and the others take, as those of `network`.
 * @throws {TypeError | RangeError} when the graph is impossible on this input, lacks what a computation needs, has a
 *   layer that nothing reads, or does not end in the logits; the message names the layer.
 */
export function ownNetwork(
  graph: LayerGraph,
  { inputSize, channels = graph?.input?.channels, classes }: OwnNetworkOptions = {},
): LayerGraph {
  const caller = "ownNetwork";
  if (classes !== undefined) expectInteger(`${caller}: classes`, classes, 1, 1e6);
  const size = typeof inputSize === "number" ? [inputSize, inputSize] : inputSize;
  const shape = size ?? graph?.input?.shape;
  if (!Array.isArray(shape) || shape.length !== graph?.input?.shape?.length) {
    throw rangeMismatch(`${caller}: inputSize`, "a size for each axis of the graph", inputSize);
  }
  const own: LayerGraph = {
    input: { shape, ...(channels !== undefined && { channels }) },
    layers: withUnits(graph.layers, classes),
  };
  const { plan, facts } = planNetwork(caller, own);
  const read = new Set(plan.layers.flatMap(({ inputs }) => inputs));
  const end = plan.layers.length - 1;
  const loose = plan.layers.findIndex((_, place) => place !== end && !read.has(place));
  if (loose >= 0) {
    const { where } = plan.layers[loose]!.call;
    throw new RangeError(`${where}: expected a layer that reads it, got none`);
  }
  const { outputShape } = facts[end]!;
  const { where } = plan.layers[end]!.call;
  if (outputShape.length !== 1) {
    throw new RangeError(
      `${where}: expected one number for each class at the end, got a map of [${outputShape.join(", ")}] (channels, height, width)`,
    );
  }
  if (classes !== undefined && outputShape[0] !== classes) {
    throw new RangeError(`${where}: expected ${classes} outputs, one for each class, got ${outputShape[0]}`);
  }
  return own;
}

/** The layers, a dense one at the end with its units. */
function withUnits(layers: readonly Layer[], classes: number | undefined): readonly Layer[] {
  const last = Array.isArray(layers) ? layers.at(-1) : undefined;
  if (last?.op !== "dense" || last.units !== undefined || classes === undefined) return layers;
  return [...layers.slice(0, -1), { ...last, units: classes }];
}
