import type { EquivarianceReport } from "@gradlab/attention";
import type { AttentionCheckOptions } from "./attention-check-options.js";

export interface AttentionCheckRecord {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly position: AttentionCheckOptions["position"];
  readonly causal: boolean;
  /** `f(PX) = P f(X)`. */
  readonly equivariant: EquivarianceReport;
  /** The mean over the tokens of `f(PX)` is that of `f(X)`. */
  readonly pooled: EquivarianceReport;
  /** Whether both should hold: without positions and mask. */
  readonly expected: boolean;
  /** By head, query and key. */
  readonly weights: readonly (readonly (readonly number[])[])[];
}
