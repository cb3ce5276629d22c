import { type Backend, type Check, messageOf, StudyError, type StudyEvent } from "@gradlab/studies";
import type { Experiment, ExperimentContext, ExperimentInputs } from "./experiment.js";

/** What the report says of one experiment. */
export interface ExperimentResult {
  readonly id: string;
  readonly title: string;
  readonly package: string;
  /** Where its tensors lived; null where it computed without. */
  readonly backend: string | null;
  readonly seconds: number;
  readonly checks: readonly Check[];
}

/** An experiment that has run: its result, and the record that its figures draw. */
export interface Reproduced {
  readonly experiment: Experiment;
  readonly result: ExperimentResult;
  readonly record: object;
}

/** An experiment that could not run. */
export interface LeftOut {
  readonly id: string;
  readonly title: string;
  readonly package: string;
  /** What is missing. */
  readonly missing: string;
}

/** All that came of a run. */
export interface Reproduction {
  readonly shown: readonly Reproduced[];
  readonly leftOut: readonly LeftOut[];
}

export type ReproduceEvent =
  | Exclude<StudyEvent, { readonly kind: "file" | "log" }>
  | { readonly kind: "started"; readonly index: number; readonly of: number; readonly experiment: Experiment }
  | { readonly kind: "left-out"; readonly leftOut: LeftOut }
  | { readonly kind: "finished"; readonly reproduced: Reproduced };

/**
 * Runs experiments one after the other, and yields what comes of each. One whose files are missing is left out, with a
 * warning.
 *
 * @throws {StudyError} that names the experiment which failed, or says what is missing where every one is left out.
 */
export async function* reproduce(
  experiments: readonly Experiment[],
  options: { readonly seed: number },
  inputs: ExperimentInputs,
  context: ExperimentContext,
): AsyncGenerator<ReproduceEvent, Reproduction> {
  const shown: Reproduced[] = [];
  const leftOut: LeftOut[] = [];
  for (const [index, experiment] of experiments.entries()) {
    context.signal.throwIfAborted();
    const missing = experiment.missing?.(inputs) ?? null;
    if (missing !== null) {
      const { id, title } = experiment;
      const one: LeftOut = { id, title, package: packageOf(id), missing };
      leftOut.push(one);
      yield { kind: "left-out", leftOut: one };
      yield { kind: "warning", text: leftOutText(one) };
      continue;
    }
    yield { kind: "started", index, of: experiments.length, experiment };
    const started = performance.now();
    let backend: Backend | null = null;
    let record: object;
    if (experiment.usesBackend) backend = await context.openBackend();
    try {
      const events = experiment.run(options, inputs, context);
      let next = await events.next();
      for (; !next.done; next = await events.next()) {
        const event = next.value;
        if (event.kind !== "file" && event.kind !== "log") yield event;
      }
      record = next.value;
    } catch (error) {
      if (error instanceof StudyError || context.signal.aborted) throw error;
      throw new StudyError("input", `${experiment.id}: ${messageOf(error)}`, { cause: error });
    }
    const reproduced: Reproduced = {
      experiment,
      record,
      result: {
        id: experiment.id,
        title: experiment.title,
        package: packageOf(experiment.id),
        backend: backend?.name ?? null,
        seconds: Math.round(performance.now() - started) / 1000,
        checks: experiment.checks(record),
      },
    };
    shown.push(reproduced);
    yield { kind: "finished", reproduced };
  }
  if (shown.length === 0 && leftOut.length > 0) {
    throw new StudyError("input", leftOut.map(leftOutText).join("; "));
  }
  return { shown, leftOut };
}

const leftOutText = ({ id, missing }: LeftOut) => `${id} is left out: ${missing}`;

export const packageOf = (id: string) => id.slice(0, id.indexOf("/"));

/**
 * The experiments of some ids, or of some packages.
 *
 * @throws {StudyError} for an id that is none.
 */
export function chooseExperiments(
  experiments: readonly Experiment[],
  only: readonly string[] | undefined,
): readonly Experiment[] {
  if (only === undefined) return experiments;
  for (const wanted of only) {
    if (!experiments.some(({ id }) => id === wanted || packageOf(id) === wanted)) {
      const known = experiments.map(({ id }) => id).join(", ");
      throw new StudyError("usage", `{only}: expected one of ${known}, got ${JSON.stringify(wanted)}`);
    }
  }
  return experiments.filter(({ id }) => only.includes(id) || only.includes(packageOf(id)));
}
