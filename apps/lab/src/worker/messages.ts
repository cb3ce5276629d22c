import type { CandidateName } from "@gradlab/backend-select";
import type { ExperimentResult } from "@gradlab/experiments";
import type { Backend, StudyErrorKind, StudyEvent } from "@gradlab/studies";

/** Files of the visitor's own, or that a run of this page has kept: all that crosses to the worker is plain. */
export interface GivenFiles {
  readonly label: string;
  /** Those that are meant; others lie beside them. */
  readonly names: readonly string[];
  readonly files: readonly (readonly [name: string, content: Blob | Uint8Array])[];
}

export interface RunRequest {
  readonly study: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, GivenFiles>>;
}

/** What a run came to. */
export interface RunOutcome {
  readonly record: object;
  readonly warnings: readonly string[];
  /** Where its tensors lived; null where it had none. */
  readonly backend: Backend | null;
}

export interface Failed {
  readonly failed: StudyErrorKind | "stopped" | "runtime";
  /** Options stand in it as `{name}`. */
  readonly text: string;
}

/** The backend that the visitor wants. */
export interface BackendWish {
  readonly only: CandidateName | "auto";
  readonly allowSoftwareGpu: boolean;
}

/** An experiment that has run. */
export interface ExperimentOutcome {
  readonly kind: "finished";
  readonly result: ExperimentResult;
  readonly record: object;
}

export type ReportEvent =
  | ExperimentOutcome
  | { readonly kind: "started"; readonly id: string }
  /** Its files are not there. */
  | { readonly kind: "left-out"; readonly id: string };

/** What the worker does for the page. */
export interface LabWorker {
  configure(wish: BackendWish): void;
  /** Answers: the worker is alive, and not in one long step. */
  ping(): void;
  start(request: RunRequest, hear: (events: readonly StudyEvent[]) => void): Promise<RunOutcome | Failed>;
  reproduce(
    request: { readonly only: readonly string[]; readonly seed: number },
    hear: (event: ReportEvent) => void,
  ): Promise<null | Failed>;
  /** Halts the run after the event under way, lets it go on, or lets one more event pass; `stop` ends it. */
  control(action: "pause" | "resume" | "step" | "stop"): void;
}
