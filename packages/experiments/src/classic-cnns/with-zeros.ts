import type { NetworkState } from "@gradlab/classic-cnns";
import { disposeParams, mapParams } from "@gradlab/core";
import { zerosLike } from "@tensorflow/tfjs-core";

/** A state with zeros for its kernels or for everything; the one that is given is disposed. */
export function withZeros(state: NetworkState, of: "kernels" | "all"): NetworkState {
  const isZero = (path: string) => of === "all" || path.endsWith(".kernel");
  try {
    return mapParams(state, (tensor, path) => (isZero(path) ? zerosLike(tensor) : tensor.clone()));
  } finally {
    disposeParams(state);
  }
}
