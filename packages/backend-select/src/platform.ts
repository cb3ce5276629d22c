import type { OpenCandidate } from "./attempt.js";
import type { CandidateName, CandidateReport } from "./candidate.js";

/** What differs between Node and browsers. */
export interface Platform {
  /** The candidates of this platform, best first. */
  readonly candidates: ReadonlyMap<CandidateName, OpenCandidate>;
  /** Why the platform does not have the others. */
  readonly missing: string;
  /** What to install or to change so that a candidate may pass; null where nothing is known to help. */
  readonly advise: (report: CandidateReport) => string | null;
}
