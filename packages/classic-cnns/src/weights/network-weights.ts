import type { Params } from "@gradlab/core";

/** All that a network has learned. */
export interface NetworkWeights {
  /** As `initNetwork` makes them. */
  readonly params: Params;
  /** Running statistics of the batch norms, as `initStatistics` makes them; `{}` where there is none. */
  readonly statistics: Params;
}
