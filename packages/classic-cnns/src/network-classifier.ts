import type { Params } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import { applyNetwork } from "./apply-network.js";
import { layerFacts } from "./layer-facts.js";

export interface NetworkClassifierOptions {
  /** Running statistics of the batch norms. Borrowed, for as long as the classifier is used. */
  readonly statistics?: Params;
  /** What the numbers of an image lie between, `[0, 1]` unless given. */
  readonly bounds?: readonly [lowest: number, highest: number];
}

/** A network as others see it who want nothing but its answers and their gradients. */
export interface NetworkClassifier {
  /** `[batch, height, width, channels]` to `[batch, classes]`, which the caller disposes; differentiable by `x`. */
  readonly logits: (x: Tensor4D) => Tensor2D;
  readonly bounds: readonly [lowest: number, highest: number];
  readonly classes: number;
}

/**
 * A network for inference as one function.
 *
 * @param params As `initNetwork` makes them. Borrowed, for as long as the classifier is used.
 * @throws {TypeError | RangeError} when the graph is impossible, ends in a map instead of logits, or `bounds` are none.
 */
export function networkClassifier(
  graph: LayerGraph,
  params: Params,
  { statistics = {}, bounds = [0, 1] }: NetworkClassifierOptions = {},
): NetworkClassifier {
  const shape = layerFacts(graph, "networkClassifier").at(-1)!.outputShape;
  if (shape.length !== 1) {
    throw new RangeError(
      `networkClassifier: graph: expected logits at its end, got a map of [${shape.join(", ")}] (channels, height, width)`,
    );
  }
  const [lowest, highest] = bounds;
  if (!(Number.isFinite(lowest) && Number.isFinite(highest) && lowest < highest)) {
    throw new RangeError(`networkClassifier: bounds: expected [lowest, highest], got [${bounds}]`);
  }
  return {
    logits: (x) => applyNetwork(graph, params, x, { statistics }) as Tensor2D,
    bounds: [lowest, highest],
    classes: shape[0]!,
  };
}
