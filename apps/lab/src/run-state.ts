import type { StudyEvent } from "@gradlab/studies";
import type { Failed, RunOutcome } from "./worker/messages.js";

/** What the page knows of a run. */
export interface RunState {
  readonly phase: "running" | "paused" | "stopping" | "done" | "failed";
  readonly started: number;
  readonly progress: Extract<StudyEvent, { kind: "progress" }> | null;
  /** When the first progress was heard, and what it was: what an estimate counts from. */
  readonly counted: { readonly at: number; readonly done: number } | null;
  readonly notes: readonly string[];
  /** What stands in a log: one plain object after the other. */
  readonly log: readonly object[];
  readonly outcome: RunOutcome | null;
  readonly failure: Failed | null;
}

export const begunRun = (now: number): RunState => ({
  phase: "running",
  started: now,
  progress: null,
  counted: null,
  notes: [],
  log: [],
  outcome: null,
  failure: null,
});

/** The state after an event; files are kept elsewhere. */
export function heard(run: RunState, event: StudyEvent, now: number): RunState {
  switch (event.kind) {
    case "progress":
      return { ...run, progress: event, counted: run.counted ?? { at: now, done: event.done } };
    case "note":
    case "warning":
      return { ...run, notes: [...run.notes, event.text] };
    case "log":
      return { ...run, log: [...run.log, event.entry] };
    case "log-start":
    case "file":
      return run;
  }
}

export function ended(run: RunState, result: RunOutcome | Failed): RunState {
  return "failed" in result
    ? { ...run, phase: "failed", failure: result }
    : { ...run, phase: "done", outcome: result };
}

/** Seconds until the run is over, by the rate since its first progress; null before there is one. */
export function secondsLeft({ progress, counted }: RunState, now: number): number | null {
  if (progress === null || counted === null || progress.done <= counted.done) return null;
  const perStep = (now - counted.at) / (progress.done - counted.done);
  return (perStep * (progress.total - progress.done)) / 1000;
}
