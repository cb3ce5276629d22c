import type { NetworkState } from "../network-state.js";

/**
 * A state that says where it comes from. What it says does not stand among its records (it is not enumerable), so that
 * whatever goes through all tensors of a state finds tensors alone.
 */
export function withFacts<F extends object>(state: NetworkState, facts: F): NetworkState & Readonly<F> {
  const { params, statistics } = state;
  const described = { params, statistics };
  for (const [name, value] of Object.entries(facts)) Object.defineProperty(described, name, { value });
  return described as NetworkState & Readonly<F>;
}
