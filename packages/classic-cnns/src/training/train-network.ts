import {
  crossEntropy,
  type OptimizerConfig,
  type Params,
  startTraining,
  type Training,
  type TrainingStep,
  type TrainOptions,
  train,
} from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs-core";
import { applyNetworkTraining } from "../apply-network-training.js";

/** All that a network has learned. */
export interface NetworkState {
  readonly params: Params;
  /** Running statistics of the batch norms; `{}` where there is none. */
  readonly statistics: Params;
}

/** Images with what is seen in them. */
export interface ImageBatch {
  /** `[batch, height, width, channels]`, float32. */
  readonly images: Tensor4D;
  /** `[batch]`, int32, in [0, classes). */
  readonly labels: Tensor1D;
}

export interface TrainNetworkOptions extends Omit<TrainOptions<NetworkState, ImageBatch>, "loss" | "batch"> {
  /** As in `train`: the images of a step, or null to end; they belong to `trainNetwork`. A pure function of `step` resumes exactly. */
  readonly batch: (step: number) => ImageBatch | null | Promise<ImageBatch | null>;
  /** Of the dropout masks; 0 unless given. */
  readonly seed?: number;
  /** The part of each target that is spread over all classes, in [0, 1]; 0 unless given. */
  readonly labelSmoothing?: number;
}

/**
 * A training of a network: its parameters are trained, its running statistics are carried along (and saved by
 * `saveCheckpoint` with the rest).
 *
 * @param state Borrowed: the training has copies.
 * @param optimizer As plain data, see `startTraining` of `@gradlab/core`.
 * @returns The caller gives it to `disposeTraining` in the end.
 * @throws {TypeError | RangeError} as `startTraining` does.
 */
export function startNetworkTraining(
  { params, statistics = {} }: { readonly params: Params; readonly statistics?: Params },
  optimizer: OptimizerConfig,
): Training<NetworkState> {
  const state: NetworkState = { params, statistics };
  return startTraining<{ params: Params; statistics: Params }>(state, optimizer);
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
  const { seed = 0, labelSmoothing = 0, ...rest } = options;
  if (typeof rest.batch !== "function") {
    throw new TypeError(`trainNetwork: batch: expected a function, got ${String(rest.batch)}`);
  }
  if (!(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new RangeError(`trainNetwork: seed: expected an integer, at least 0, got ${String(seed)}`);
  }
  return train<NetworkState, ImageBatch>(training, {
    ...rest,
    loss: ({ params, statistics = {} }, { images, labels }, step) => {
      const pass = applyNetworkTraining(graph, params, images, { statistics, seed, step });
      const loss = crossEntropy(pass.logits, labels, { labelSmoothing });
      return { loss, moved: { statistics: pass.statistics } };
    },
  });
}
