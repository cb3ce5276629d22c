import { ShapeError } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import { type NetworkPlan, planNetwork } from "./layer-facts.js";

/**
 * A network laid out for the images that it is given, once for each of their sizes.
 *
 * @param caller The function that was called: it begins the messages.
 * @returns Checks images and gives the plan for them.
 */
export function networkPlans(caller: string, graph: LayerGraph): (x: Tensor4D) => NetworkPlan {
  const plans = new Map<string, NetworkPlan>();
  return (x) => {
    expectImages(caller, graph, x);
    const size = x.shape.slice(1, 3);
    const known = plans.get(size.join());
    if (known !== undefined) return known;
    const plan = planNetwork(caller, graph, size);
    plans.set(size.join(), plan);
    return plan;
  };
}

function expectImages(caller: string, graph: LayerGraph, x: Tensor4D): void {
  const channels = graph?.input?.channels;
  if (!(x instanceof Tensor)) {
    throw new TypeError(`${caller}: x: expected a tensor, got ${x === null ? "null" : typeof x}`);
  }
  if (x.rank !== 4 || x.shape[3] !== channels || x.shape[0] === 0) {
    throw new ShapeError(
      `${caller}: x: expected [batch, height, width, ${channels ?? "channels"}], got [${x.shape.join(", ")}]`,
    );
  }
  if (x.dtype !== "float32") throw new TypeError(`${caller}: x: expected float32, got ${x.dtype}`);
}

/** The number of classes of a network whose result for these images is `[batch, classes]`. */
export function classesOf(caller: string, { facts, plan }: NetworkPlan, x: Tensor4D): number {
  const last = plan.layers.length - 1;
  const [units, ...size] = facts[last]!.outputShape as [number, ...number[]];
  if (size.length === 0) return units;
  throw new ShapeError(
    `${caller}: graph: expected logits [batch, classes], got [${[x.shape[0], ...size, units].join(", ")}]`,
  );
}
