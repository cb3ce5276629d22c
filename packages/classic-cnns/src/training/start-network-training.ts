import { type OptimizerConfig, startTraining, type Training } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { NetworkState } from "../network-state.js";
import { recordTensors } from "../weights/record-tensors.js";

export interface StartNetworkTrainingOptions {
  /**
   * Which parameters are trained, by path (`"params.fc.kernel"`): all unless given. A batch norm of which none is
   * trained stays as it is, its running statistics too.
   */
  readonly trainable?: (path: string) => boolean;
}

/**
 * A training of a network: its parameters are trained, its running statistics are carried along (and saved by
 * `saveCheckpoint` with the rest).
 *
 * @param state As `initNetwork` or `readWeights` makes it. Borrowed: the training has copies.
 * @param optimizer As plain data, see `startTraining` of `@gradlab/core`.
 * @returns The caller gives it to `disposeTraining` in the end.
 * @throws {TypeError | RangeError} as `startTraining` does, and when the state is not one of this network.
 */
export function startNetworkTraining(
  graph: LayerGraph,
  state: NetworkState,
  optimizer: OptimizerConfig,
  { trainable = () => true }: StartNetworkTrainingOptions = {},
): Training<NetworkState> {
  recordTensors("startNetworkTraining", graph, state);
  const { params, statistics = {} } = state;
  return startTraining<NetworkState>({ params, statistics }, optimizer, { trainable });
}
