import { installGradients } from "@gradlab/core";
import { setBackend } from "@tensorflow/tfjs-core";
import { Attempt, type AttemptSettings, NotTriedError } from "./attempt.js";
import { initializeBackend, messageOf, registryState, restoreRegistry } from "./backend-registry.js";
import { benchmarkStep } from "./benchmark.js";
import type { CandidateName, CandidateReport } from "./candidate.js";
import { deadline } from "./deadline.js";
import type { Platform } from "./platform.js";
import { selfTest } from "./self-test.js";

export interface RunSettings extends AttemptSettings {
  /** In the order in which they are tried. */
  readonly candidates: readonly CandidateName[];
  readonly gradients: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Stop at the first that passes. */
  readonly first: boolean;
  readonly benchmark: boolean | (() => unknown);
}

export interface Outcome {
  /** One for each candidate, in the order in which they were tried. */
  readonly candidates: readonly CandidateReport[];
  readonly selected: Selected | null;
}

interface Selected {
  readonly report: CandidateReport;
  readonly tfjsName: string;
  readonly lost: Promise<Error> | null;
}

interface Trial {
  readonly report: CandidateReport;
  /** What passed, until it is released. */
  readonly passed?: { readonly tfjsName: string; readonly lost: Promise<Error> | null };
  /** Puts everything back as it was before the trial. */
  readonly release: () => Promise<void>;
}

const notTried = (name: CandidateName, status: "absent" | "untried", reason: string): Trial => ({
  report: { name, status, reason, milliseconds: null, device: null, software: null },
  release: async () => {},
});

/**
 * Tries candidates one after the other and leaves the chosen one set: the
 * first that passes or, with a benchmark, the fastest of all that pass. If none
 * passes, or the run is aborted, tfjs is left as it was.
 */
export async function run(platform: Platform, settings: RunSettings): Promise<Outcome> {
  const memo = new Map<string, unknown>();
  const reports: CandidateReport[] = [];
  let chosen: Trial | undefined;
  try {
    for (const name of settings.candidates) {
      if (chosen?.passed !== undefined && settings.first) {
        reports.push(notTried(name, "untried", `${chosen.report.name} passed before`).report);
        continue;
      }
      const trial = await tryCandidate(name, platform, settings, memo);
      reports.push(trial.report);
      if (trial.passed === undefined) continue;
      if (chosen === undefined && settings.benchmark === false) chosen = trial;
      else await trial.release();
    }
    if (settings.benchmark !== false) chosen = await fastest(reports, platform, settings, memo);
  } catch (error) {
    await chosen?.release();
    throw error;
  }
  if (chosen?.passed === undefined) return { candidates: reports, selected: null };
  const report: CandidateReport = { ...chosen.report, status: "selected" };
  await setBackend(chosen.passed.tfjsName);
  return {
    candidates: reports.map((other) => (other.name === report.name ? report : other)),
    selected: { report, ...chosen.passed },
  };
}

/** Opens the fastest of the candidates that passed, or the next if it does not pass again. */
async function fastest(
  reports: CandidateReport[],
  platform: Platform,
  settings: RunSettings,
  memo: Map<string, unknown>,
): Promise<Trial | undefined> {
  const ranked = reports
    .filter(({ stepMilliseconds }) => stepMilliseconds !== undefined)
    .sort((a, b) => a.stepMilliseconds! - b.stepMilliseconds!);
  for (const { name, stepMilliseconds, milliseconds } of ranked) {
    const trial = await tryCandidate(name, platform, { ...settings, benchmark: false }, memo);
    if (trial.passed !== undefined && stepMilliseconds !== undefined) {
      return { ...trial, report: { ...trial.report, milliseconds, stepMilliseconds } };
    }
    reports[reports.findIndex((report) => report.name === name)] = trial.report;
  }
  return undefined;
}

async function tryCandidate(
  name: CandidateName,
  platform: Platform,
  settings: RunSettings,
  memo: Map<string, unknown>,
): Promise<Trial> {
  settings.signal?.throwIfAborted();
  const open = platform.candidates.get(name);
  if (open === undefined) return notTried(name, "absent", platform.missing);
  const before = registryState();
  const ended = new AbortController();
  const attempt = new Attempt(settings, ended.signal, memo);
  const release = async () => {
    ended.abort();
    await restoreRegistry(before);
    attempt.close();
  };
  const start = performance.now();
  const elapsed = () => Math.round((performance.now() - start) * 10) / 10;
  const work = async () => {
    const { tfjsName, inspect } = await open(attempt);
    ended.signal.throwIfAborted();
    await initializeBackend(tfjsName);
    ended.signal.throwIfAborted();
    inspect?.();
    // A package that was loaded just now may have registered tfjs's own gradients.
    if (settings.gradients) installGradients();
    await selfTest(tfjsName, { gradients: settings.gradients, signal: ended.signal });
    return tfjsName;
  };
  try {
    const tfjsName = await deadline(work(), settings.timeoutMs, settings.signal);
    const { device, software, lost } = attempt;
    const passed = {
      name,
      status: "usable",
      reason: null,
      milliseconds: elapsed(),
      device,
      software,
    } as const;
    if (settings.benchmark === false) return { report: passed, passed: { tfjsName, lost }, release };
    const step = settings.benchmark === true ? undefined : settings.benchmark;
    const stepMilliseconds = await deadline(benchmarkStep(step), settings.timeoutMs, settings.signal);
    return { report: { ...passed, stepMilliseconds }, passed: { tfjsName, lost }, release };
  } catch (error) {
    await release();
    settings.signal?.throwIfAborted();
    // Messages of tfjs-node span lines; a report is a row of a table.
    const reason = (messageOf(error) ?? "failed without a reason").trim().replaceAll(/\s*\n\s*/g, " ");
    if (error instanceof NotTriedError) return notTried(name, error.status, reason);
    const { device, software } = attempt;
    const report = { name, status: "rejected", reason, milliseconds: elapsed(), device, software } as const;
    return { report, release: async () => {} };
  } finally {
    attempt.settle();
  }
}
