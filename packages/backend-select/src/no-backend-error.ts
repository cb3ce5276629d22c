import type { CandidateReport } from "./candidate.js";

/** No candidate passed; `candidates` says why, one by one. */
export class NoBackendError extends Error {
  override readonly name = "NoBackendError";
  readonly candidates: readonly CandidateReport[];

  constructor(caller: string, candidates: readonly CandidateReport[]) {
    const tried = candidates.filter(({ status }) => status !== "untried");
    const reasons = tried.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
    super(`${caller}: no backend passed: ${reasons}`);
    this.candidates = candidates;
  }
}
