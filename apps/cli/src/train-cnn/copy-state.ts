import type { NetworkState } from "@gradlab/classic-cnns";
import { disposeParams, mapParams } from "@gradlab/core";

/** A copy of what a training has learned; the caller disposes it. */
export function copyState(state: NetworkState): NetworkState {
  return mapParams(state, (tensor) => tensor.clone());
}

export function disposeState(state: NetworkState | null): void {
  if (state !== null) disposeParams(state);
}
