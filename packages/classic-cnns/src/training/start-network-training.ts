import { type OptimizerConfig, type StartTrainingOptions, startTraining, type Training } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { NetworkState } from "../network-state.js";
import { recordTensors } from "../weights/record-tensors.js";

/**
 * A training of a network: its parameters are trained, its running statistics are carried along (and saved by
 * `saveCheckpoint` with the rest).
 *
 * @param state As `initNetwork` or `readWeights` makes it. Borrowed: the training has copies.
 * @param optimizer As plain data, see `startTraining` of `@gradlab/core`.
 * @param options Of `startTraining`: which parameters are `trainable` (`(path) => path.startsWith("params.fc.")`), averages
 *   of the weights, a rate that validation drives. A batch norm of which nothing is trained stays as it is, its running
 *   statistics too.
 * @returns The caller gives it to `disposeTraining` in the end.
 * @throws {TypeError | RangeError} as `startTraining` does, and when the state is not one of this network.
 */
export function startNetworkTraining(
  graph: LayerGraph,
  state: NetworkState,
  optimizer: OptimizerConfig,
  options: StartTrainingOptions = {},
): Training<NetworkState> {
  recordTensors("startNetworkTraining", graph, state);
  const { params, statistics = {} } = state;
  return startTraining<NetworkState>({ params, statistics }, optimizer, {
    caller: "startNetworkTraining",
    ...options,
  });
}
