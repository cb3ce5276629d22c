import type { LayerGraph } from "@gradlab/receptive-field";
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import { infer } from "./apply-network.js";
import { type NetworkPlan, planNetwork } from "./layer-facts.js";
import { type LayerTensors, layerTensors } from "./layers/inference-ops.js";
import { networkPlans } from "./network-plans.js";
import { type NetworkState, recordsOf } from "./network-state.js";

export interface NetworkClassifierOptions {
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
 * A network for inference as one function. The graph is looked at once for each size of images, not in every call.
 *
 * @param state As `initNetwork` makes it. Borrowed, for as long as the classifier is used.
 * @throws {TypeError | RangeError} when the graph is impossible, ends in a map instead of logits, or `bounds` are none.
 */
export function networkClassifier(
  graph: LayerGraph,
  state: NetworkState,
  { bounds = [0, 1] }: NetworkClassifierOptions = {},
): NetworkClassifier {
  const caller = "networkClassifier";
  const shape = planNetwork(caller, graph).facts.at(-1)!.outputShape;
  if (shape.length !== 1) {
    throw new RangeError(
      `${caller}: graph: expected logits at its end, got a map of [${shape.join(", ")}] (channels, height, width)`,
    );
  }
  recordsOf(caller, state);
  const [lowest, highest] = bounds;
  if (!(Number.isFinite(lowest) && Number.isFinite(highest) && lowest < highest)) {
    throw new RangeError(`${caller}: bounds: expected [lowest, highest], got [${bounds}]`);
  }
  const plans = networkPlans(`${caller}.logits`, graph);
  const tensors = new Map<NetworkPlan, LayerTensors>();
  return {
    logits: (x) => {
      const plan = plans(x);
      const known = tensors.get(plan) ?? layerTensors(`${caller}.logits`, plan.facts, state);
      tensors.set(plan, known);
      return infer(plan, known, x) as Tensor2D;
    },
    bounds: [lowest, highest],
    classes: shape[0]!,
  };
}
