import {
  crossEntropy,
  flattenParams,
  mapParams,
  type Params,
  type Training,
  type TrainingStep,
  type TrainOptions,
  train,
} from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { keep, type Tensor, type Variable } from "@tensorflow/tfjs-core";
import { expectCount, passOf } from "../apply-network-training.js";
import { networkPlans } from "../network-plans.js";
import type { NetworkState } from "../network-state.js";
import { type ImageBatch, type ImageTensors, imageTensors } from "./image-batch.js";

export interface TrainNetworkOptions
  extends Omit<TrainOptions<NetworkState, ImageTensors>, "loss" | "batch"> {
  /** As in `train`: the images of a step, or null to end; tensors belong to `trainNetwork`. A pure function of `step` resumes exactly. */
  readonly batch: (step: number) => ImageBatch | null | Promise<ImageBatch | null>;
  /** Of the dropout masks; 0 unless given. */
  readonly seed?: number;
  /** The part of each target that is spread over all classes, in [0, 1]; 0 unless given. */
  readonly labelSmoothing?: number;
}

/**
 * Trains a network to classify images, one step each time the next result is asked for: softmax cross-entropy, batch
 * norms by the batch, dropout by masks that `seed` and the step decide.
 *
 * The running statistics move with each update that is applied, and with no other. A training that is saved and
 * loaded goes on to the bit where the backend computes the same bits twice (cpu and wasm do).
 *
 * @param training Of `startNetworkTraining` or `loadCheckpoint`. Changed.
 * @returns The steps, as `train` of `@gradlab/core` yields them.
 * @throws {NonFiniteError} when the loss or the gradients are not finite, as they are for a label out of range; the
 *   training stands where the last update left it.
 * @throws {ShapeError | TypeError | RangeError} when an option is out of range, or images, labels or parameters do not
 *   fit the graph.
 */
export function trainNetwork(
  graph: LayerGraph,
  training: Training<NetworkState>,
  options: TrainNetworkOptions,
): AsyncGenerator<TrainingStep, void, undefined> {
  const { seed = 0, labelSmoothing = 0, batch, ...rest } = options;
  if (typeof batch !== "function") {
    throw new TypeError(`trainNetwork: batch: expected a function, got ${String(batch)}`);
  }
  expectCount("trainNetwork: seed", seed);
  const plans = networkPlans("trainNetwork", graph);
  const moved: { statistics: Params | null } = { statistics: null };
  const steps = train<NetworkState, ImageTensors>(training, {
    ...rest,
    batch: async (step) => {
      const next = await batch(step);
      return next && imageTensors("trainNetwork", next);
    },
    loss: (state, { images, labels }, step) => {
      const pass = passOf("trainNetwork", plans(images), state, images, { seed, step });
      moved.statistics = mapParams(pass.statistics, (tensor) => keep(tensor));
      return crossEntropy(pass.logits, labels, { labelSmoothing });
    },
  });
  return carryStatistics(training, steps, moved);
}

/** Gives the running statistics of each applied update to the training, before anyone sees its result. */
async function* carryStatistics(
  { params }: Training<NetworkState>,
  steps: AsyncGenerator<TrainingStep, void, undefined>,
  moved: { statistics: Params | null },
): AsyncGenerator<TrainingStep, void, undefined> {
  const take = (): [string, Tensor][] => {
    const taken = flattenParams(moved.statistics ?? {});
    moved.statistics = null;
    return taken;
  };
  try {
    for await (const step of steps) {
      const running = new Map(flattenParams(params.statistics ?? {}));
      for (const [path, tensor] of take()) {
        (running.get(path) as Variable).assign(tensor);
        tensor.dispose();
      }
      yield step;
    }
  } finally {
    for (const [, tensor] of take()) tensor.dispose();
  }
}
