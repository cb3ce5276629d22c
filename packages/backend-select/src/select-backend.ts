import { platform } from "#platform";
import type { CandidateName, CandidateReport } from "./candidate.js";
import { NoBackendError } from "./no-backend-error.js";
import { oneAtATime } from "./one-at-a-time.js";
import { quietly } from "./quiet.js";
import { run } from "./run.js";
import { runSettings, type SelectOptions } from "./select-options.js";

export interface Selection {
  readonly backend: CandidateName;
  /** The name under which tfjs knows it: `getBackend()`. */
  readonly tfjsBackend: string;
  /**
   * The GPU, as its driver names it, what TensorFlow's library computes on, or how many threads compute on wasm, and why not
   * more; null where there is none or it is not known.
   */
  readonly device: string | null;
  /** Whether the GPU is emulated on the CPU; null where there is none or it is not known. */
  readonly software: boolean | null;
  /** What became of every candidate, in the order in which they were tried. */
  readonly candidates: readonly CandidateReport[];
  /**
   * Resolves with an error when the GPU device is lost or a command on it fails; every
   * read of a tensor on it throws that error from then on. Stays pending otherwise.
   */
  readonly lost: Promise<Error>;
}

/**
 * Sets the best tfjs backend of this machine that passes its test.
 *
 * Candidates are tried one by one, best first; the first that loads, initializes and computes
 * the right numbers (ops, gradients, a step of Adam) is set, with gradients installed. What
 * failed ones changed is undone: backends registered, globals, flags. tfjs prints nothing.
 *
 * @throws {NoBackendError} when none passes; it says why, candidate by candidate.
 * @throws {RangeError} {TypeError} for wrong options; the signal's reason when it is aborted.
 */
export function selectBackend(options: SelectOptions = {}): Promise<Selection> {
  return oneAtATime(async () => {
    const settings = runSettings("selectBackend", options, platform, true);
    const { candidates, selected } = await quietly(() => run(platform, settings));
    if (selected === null) throw new NoBackendError("selectBackend", candidates);
    const { name, device, software } = selected.report;
    const lost = selected.lost ?? new Promise<Error>(() => {});
    return { backend: name, tfjsBackend: selected.tfjsName, device, software, candidates, lost };
  });
}
