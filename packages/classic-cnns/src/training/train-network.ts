import { crossEntropy, type Training, type TrainingStep, type TrainOptions, train } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { passOf } from "../apply-network-training.js";
import { expectFunction, expectInteger } from "../expect-values.js";
import { planNetwork } from "../layer-facts.js";
import { networkPlans } from "../network-plans.js";
import type { NetworkState } from "../network-state.js";
import { type ImageBatch, type ImageTensors, imageTensors } from "./image-batch.js";

export interface TrainNetworkOptions
  extends Omit<TrainOptions<NetworkState, ImageTensors>, "loss" | "batch"> {
  /**
   * As in `train`: the images of a step, as arrays or tensors, or null to end; tensors belong to `trainNetwork`. A pure
   * function of `step` (`batchesOf` of `@gradlab/datasets` makes one) resumes exactly.
   */
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
 * The running statistics move with each update that is applied, and with no other. Those of a batch norm whose `scale`
 * and `offset` are not trained stay, and it uses them. A training that is saved and loaded goes on to the bit where the
 * backend computes the same bits twice (cpu and wasm do).
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
  const caller = "trainNetwork";
  const { seed = 0, labelSmoothing = 0, batch, ...rest } = options;
  expectFunction(`${caller}: batch`, batch);
  expectInteger(`${caller}: seed`, seed, 0);
  const plans = networkPlans(caller, graph);
  const frozen = frozenNorms(caller, graph, training);
  return train<NetworkState, ImageTensors>(training, {
    caller,
    ...rest,
    batch: async (step) => {
      const next = await batch(step);
      return next === null ? null : imageTensors(caller, next);
    },
    loss: (state, { images, labels }, step) => {
      const pass = passOf(caller, plans(images), state, images, { seed, step, frozen });
      const loss = crossEntropy(pass.logits, labels, { labelSmoothing });
      return { loss, moved: { statistics: pass.statistics } };
    },
  });
}

/** The batch norms of which nothing is trained. */
function frozenNorms(
  caller: string,
  graph: LayerGraph,
  { trained }: Training<NetworkState>,
): ReadonlySet<string> {
  const moving = new Set(trained);
  const frozen = planNetwork(caller, graph).facts.filter(({ layer, statistics, parameters }) => {
    const paths = parameters.map(({ role }) => `params.${layer.name}.${role}`);
    return statistics.length > 0 && !paths.some((path) => moving.has(path));
  });
  return new Set(frozen.map(({ layer }) => layer.name));
}
