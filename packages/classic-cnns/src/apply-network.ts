import type { LayerGraph } from "@gradlab/receptive-field";
import { executePlan } from "@gradlab/receptive-field";
import { type Tensor, type Tensor4D, tidy } from "@tensorflow/tfjs-core";
import type { NetworkPlan } from "./layer-facts.js";
import { inferenceOps, type LayerTensors, layerTensors } from "./layers/inference-ops.js";
import { networkPlans } from "./network-plans.js";
import type { NetworkState } from "./network-state.js";
import { cutNetwork } from "./network-up-to.js";

export interface ApplyOptions {
  /** The layer whose output is wanted, the last one unless given. What it does not depend on is not computed. */
  readonly layer?: string;
  /** Called with every layer's value in computation order: `[batch, h, w, channels]` or `[batch, units]`, borrowed. */
  readonly onLayer?: (name: string, value: Tensor) => void;
}

/**
 * Computes a network for inference: batch norms use the running statistics, dropout does nothing.
 *
 * Differentiable by `x` and the parameters.
 *
 * @param graph A network of `network`, or any other graph of its ops.
 * @param state As `initNetwork` makes it; a tensor that no layer asks for may stand there too. Borrowed.
 * @param x Images, `[batch, height, width, channels]`, float32; of another size than the graph's, where no dense layer
 *   depends on it.
 * @returns The value of the last layer: logits `[batch, classes]`; the caller disposes it.
 * @throws {ShapeError} when `x` or a tensor of the state is of another shape than the graph says.
 * @throws {TypeError | RangeError} when the graph is impossible, or a tensor missing; the message names its path.
 */
export function applyNetwork(
  graph: LayerGraph,
  state: NetworkState,
  x: Tensor4D,
  { layer, onLayer }: ApplyOptions = {},
): Tensor {
  const whole = layer === undefined ? graph : cutNetwork("applyNetwork", graph, layer);
  const plan = networkPlans("applyNetwork", whole)(x);
  return infer(plan, layerTensors("applyNetwork", plan.facts, state), x, onLayer);
}

/** What `applyNetwork` does once everything is checked. */
export function infer(
  { plan }: NetworkPlan,
  tensors: LayerTensors,
  x: Tensor4D,
  onLayer?: ApplyOptions["onLayer"],
): Tensor {
  return tidy(() =>
    executePlan<Tensor>(plan, x, inferenceOps(tensors), {
      ...(onLayer && { onLayer }),
      release: (value) => value.dispose(),
    }),
  );
}
