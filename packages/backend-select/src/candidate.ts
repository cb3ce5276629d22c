/** The backends that may be selected, by their names in options, reports and messages. */
export type CandidateName = "tfjs-node-gpu" | "tfjs-node" | "webgpu" | "webgl" | "wasm" | "cpu";

/**
 * What became of a candidate: `selected` (it passed and is set), `usable` (it passed), `rejected` (it is there
 * and did not pass), `absent` (it is not installed, or does not exist on this platform), `untried`.
 */
export type CandidateStatus = "selected" | "usable" | "rejected" | "absent" | "untried";

export interface CandidateReport {
  readonly name: CandidateName;
  readonly status: CandidateStatus;
  /** Why it was rejected, is absent or was not tried; null for one that passed. */
  readonly reason: string | null;
  /** Time that loading, initializing and testing took, in ms; null where nothing was tried. */
  readonly milliseconds: number | null;
  /**
   * The GPU, as its driver names it, what TensorFlow's library computes on, or how many threads compute on wasm, and why not
   * more; null where there is none or it is not known.
   */
  readonly device: string | null;
  /** Whether the GPU is emulated on the CPU; null where there is none or it is not known. */
  readonly software: boolean | null;
  /** Median time of one step of the benchmark, in ms; only where one was run. */
  readonly stepMilliseconds?: number;
}

/** All candidates; each platform has its own order. */
export const candidateNames: readonly CandidateName[] = [
  "tfjs-node-gpu",
  "webgpu",
  "tfjs-node",
  "webgl",
  "wasm",
  "cpu",
];
