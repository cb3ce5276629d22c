/** The epoch with the smallest watched value, the first of equal ones; the last where nothing was watched. */
export function bestEpochBy<E>(history: readonly E[], watched: (epoch: E) => number | null): E | undefined {
  let best: E | undefined;
  for (const epoch of history) {
    const value = watched(epoch);
    if (best === undefined || value === null || value < watched(best)!) best = epoch;
  }
  return best;
}
