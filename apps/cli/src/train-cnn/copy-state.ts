import type { NetworkState } from "@gradlab/classic-cnns";
import { disposeParams, mapParams, type Params } from "@gradlab/core";

/** A copy of what a training has learned; the caller disposes it. */
export function copyState({ params, statistics = {} }: NetworkState): NetworkState {
  const copy = (record: Params) => mapParams(record, (tensor) => tensor.clone());
  return { params: copy(params), statistics: copy(statistics) };
}

export function disposeState(state: NetworkState | null): void {
  if (state === null) return;
  disposeParams(state.params);
  disposeParams(state.statistics ?? {});
}
