/**
 * The one worker of the lab: tfjs lives here and nowhere else, studies run here, and only plain data leaves.
 */
import type { CandidateName } from "@gradlab/backend-select";
import {
  type Backend,
  messageOf,
  type Study,
  type StudyContext,
  StudyError,
  type StudyEvent,
  studies,
} from "@gradlab/studies";
import { expose } from "comlink";
import { inputFiles } from "./input-files.js";
import type {
  BackendWish,
  ExperimentOutcome,
  Failed,
  LabWorker,
  ReportEvent,
  RunOutcome,
  RunRequest,
} from "./messages.js";
import { wasmPaths } from "./wasm-paths.js";

/** How often the page hears of a run, in milliseconds. */
const hearingInterval = 50;

let wish: BackendWish = { only: "auto", allowSoftwareGpu: false };
let opened: Promise<Backend> | null = null;
let run: Run | null = null;

/** A run that can be halted between two events and ended. */
interface Run {
  readonly controller: AbortController;
  /** How many events may pass until the run waits; no limit where it is Infinity. */
  allowance: number;
  wake: () => void;
}

const labWorker: LabWorker = {
  configure(given) {
    wish = given;
  },
  ping() {},
  async start(request, hear) {
    const study = studies.find(({ name }) => name === request.study);
    if (study === undefined) throw new Error(`labWorker: expected a study, got ${request.study}`);
    return finished(async (own) => {
      const used: { backend: Backend | null } = { backend: null };
      const { record, warnings } = await listened(
        begin(study, request, contextOf(own, used)),
        own,
        (events) => hear(events),
      );
      return { record, warnings, backend: used.backend };
    });
  },
  async reproduce({ only, seed }, hear) {
    return finished(async (own) => {
      const { chooseExperiments, experiments, reproduce } = await import("@gradlab/experiments");
      const context = contextOf(own, { backend: null });
      const events = reproduce(chooseExperiments(experiments, only), { seed }, {}, context);
      for (let next = await events.next(); !next.done; next = await events.next()) {
        await turn(own);
        const said = reportEvent(next.value);
        if (said !== null) hear(said);
      }
      return null;
    });
  },
  control(action) {
    if (run === null) return;
    if (action === "stop") run.controller.abort();
    run.allowance = action === "pause" ? 0 : action === "step" ? 1 : Number.POSITIVE_INFINITY;
    run.wake();
  },
};

/** Does the work of one run; a failure is plain data too. */
async function finished<T>(work: (own: Run) => Promise<T>): Promise<T | Failed> {
  if (run !== null) throw new Error("labWorker: expected the run before to have ended");
  const own: Run = {
    controller: new AbortController(),
    allowance: Number.POSITIVE_INFINITY,
    wake: () => undefined,
  };
  run = own;
  try {
    return await work(own);
  } catch (error) {
    const stopped = own.controller.signal.aborted;
    const text = error instanceof StudyError ? error.text : messageOf(error);
    return { failed: stopped ? "stopped" : error instanceof StudyError ? error.kind : "runtime", text };
  } finally {
    run = null;
  }
}

function begin(study: Study, { options, files }: RunRequest, context: StudyContext) {
  const labels = Object.fromEntries(Object.entries(files).map(([name, { label }]) => [name, label]));
  study.check?.(options, labels);
  const inputs = Object.fromEntries(
    Object.entries(files).map(([name, given]) => [name, inputFiles(given)] as const),
  );
  return study.run(options, inputs, context);
}

/** Runs a study to its end; what it says is told in batches, of its progress only the newest. */
async function listened<R extends object>(
  events: AsyncGenerator<StudyEvent, R>,
  own: Run,
  hear: (events: readonly StudyEvent[]) => void,
): Promise<{ record: R; warnings: string[] }> {
  const warnings: string[] = [];
  let waiting: StudyEvent[] = [];
  let told = performance.now();
  const tell = () => {
    if (waiting.length > 0) hear(waiting);
    waiting = [];
    told = performance.now();
  };
  try {
    for (let next = await events.next(); ; next = await events.next()) {
      if (next.done) return { record: next.value, warnings };
      const event = next.value;
      if (event.kind === "warning") warnings.push(event.text);
      if (event.kind === "progress") waiting = waiting.filter(({ kind }) => kind !== "progress");
      waiting.push(event);
      const halts = event.kind === "progress" && own.allowance !== Number.POSITIVE_INFINITY;
      if (halts || performance.now() - told >= hearingInterval) tell();
      if (event.kind === "progress") await turn(own);
    }
  } finally {
    tell();
  }
}

/** Waits while the run is halted. */
async function turn(own: Run): Promise<void> {
  while (own.allowance === 0 && !own.controller.signal.aborted) {
    await new Promise<void>((resolve) => {
      own.wake = resolve;
    });
  }
  own.allowance--;
}

function contextOf({ controller: { signal } }: Run, used: { backend: Backend | null }): StudyContext {
  return {
    signal,
    openBackend: async () => {
      opened ??= open(signal);
      opened.catch(() => {
        opened = null;
      });
      used.backend = await opened;
      return used.backend;
    },
    diagnose: async ({ benchmark }) => {
      const { doctor } = await selection();
      const diagnosis = await doctor({ ...settings(signal), benchmark });
      const selected = diagnosis.candidates.find(({ status }) => status === "selected");
      if (selected !== undefined) {
        const { name, device, software } = selected;
        used.backend = { name, device, software };
        opened = Promise.resolve(used.backend);
      }
      return diagnosis;
    },
  };
}

async function open(signal: AbortSignal): Promise<Backend> {
  const { selectBackend } = await selection();
  const { backend, device, software } = await selectBackend(settings(signal));
  return { name: backend, device, software };
}

const settings = (signal: AbortSignal) => ({
  ...(wish.only !== "auto" && { only: wish.only as CandidateName }),
  allowSoftwareGpu: wish.allowSoftwareGpu,
  wasmPaths,
  signal,
});

/** The package that knows the backends, with tfjs told to keep its advertisements to itself. */
async function selection(): Promise<typeof import("@gradlab/backend-select")> {
  const { enableProdMode } = await import("@tensorflow/tfjs-core");
  enableProdMode();
  return import("@gradlab/backend-select");
}

/** Of the report's events what a page can hear: an experiment by its id, its record as it is. */
function reportEvent(event: import("@gradlab/experiments").ReproduceEvent): ReportEvent | null {
  switch (event.kind) {
    case "started":
      return { kind: "started", id: event.experiment.id };
    case "left-out":
      return { kind: "left-out", id: event.leftOut.id };
    case "finished": {
      const { result, record } = event.reproduced;
      return { kind: "finished", result, record } satisfies ExperimentOutcome;
    }
    default:
      return null;
  }
}

export type { RunOutcome };

expose(labWorker);
