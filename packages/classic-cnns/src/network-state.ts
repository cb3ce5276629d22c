import { mapParams, type Params } from "@gradlab/core";

/**
 * All that a network has learned: one record, which `initNetwork` makes, every function takes, a training moves and a
 * checkpoint holds.
 */
export interface NetworkState {
  /** What is trained: `<layer>.kernel`, `<layer>.bias`, and for batch norm `<layer>.scale` and `<layer>.offset`. */
  readonly params: Params;
  /** Running statistics of the batch norms, `<layer>.mean` and `<layer>.variance`; `{}` where there is none. */
  readonly statistics: Params;
}

/**
 * The two records of a state. Of a network without batch norm the second may be missing: a checkpoint does not hold
 * what is empty.
 *
 * @param caller The function that was called: it begins the messages.
 */
export function recordsOf(caller: string, state: NetworkState): NetworkState {
  if (typeof state !== "object" || state === null || !isRecord(state.params)) {
    const got =
      typeof state === "object" && state !== null
        ? `{${Object.keys(state).slice(0, 4).join(", ")}}`
        : String(state);
    throw new TypeError(`${caller}: state: expected {params, statistics}, got ${got}`);
  }
  const { params, statistics = {} } = state;
  if (!isRecord(statistics)) {
    throw new TypeError(
      `${caller}: state.statistics: expected a record of tensors, got ${String(statistics)}`,
    );
  }
  return { params, statistics };
}

const isRecord = (value: unknown): value is object => typeof value === "object" && value !== null;

/** A copy, which the caller disposes. */
export function cloneState({ params, statistics }: NetworkState): NetworkState {
  return {
    params: mapParams(params, (tensor) => tensor.clone()),
    statistics: mapParams(statistics, (tensor) => tensor.clone()),
  };
}
