import { platform } from "#platform";
import type { CandidateReport } from "./candidate.js";
import { oneAtATime } from "./one-at-a-time.js";
import { quietly } from "./quiet.js";
import { run } from "./run.js";
import { runSettings, type SelectOptions } from "./select-options.js";

export interface Diagnosis {
  /** Every candidate, in the order in which they were tried. */
  readonly candidates: readonly CandidateReport[];
  /** What to install or change so that a better candidate than the selected one may pass, best first. */
  readonly advice: readonly string[];
}

/**
 * Tries every candidate, and leaves the one set that `selectBackend` would take
 * with the same options. Unlike `selectBackend`, it throws no `NoBackendError`: where none passes, tfjs is
 * left as it was and no report is `selected`.
 *
 * @throws {RangeError} {TypeError} for wrong options; the signal's reason when it is aborted.
 */
export function doctor(options: SelectOptions = {}): Promise<Diagnosis> {
  return oneAtATime(async () => {
    const settings = runSettings("doctor", options, platform, false);
    const { candidates, selected } = await quietly(() => run(platform, settings));
    const order = [...platform.candidates.keys()];
    const rank = ({ name }: CandidateReport) => order.indexOf(name);
    const reached = selected === null ? order.length : rank(selected.report);
    const advice = candidates
      .filter((report) => rank(report) >= 0 && rank(report) < reached)
      .filter(({ status }) => status === "absent" || status === "rejected")
      .sort((a, b) => rank(a) - rank(b))
      .map((report) => platform.advise(report))
      .filter((line) => line !== null);
    return { candidates, advice };
  });
}
