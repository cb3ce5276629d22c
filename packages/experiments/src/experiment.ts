import type { Check, Figure, InputFiles, StudyContext, StudyEvent } from "@gradlab/studies";

/** What an experiment may read: a folder with real data, if there is one. */
export interface ExperimentInputs {
  readonly data?: InputFiles;
}

/**
 * A study of no options with known values: what it computes is a record, what is known of the record are its checks,
 * and its figures draw it. No figure computes, nothing is drawn while computing.
 */
export interface Experiment<R extends object = object> {
  /** `<package>/<topic>`. */
  readonly id: string;
  readonly title: string;
  /** What is shown and where the known values come from, in a few sentences. */
  readonly about: string;
  /** It computes with tensors: a backend that has passed its self-test, with gradients, is there before it runs. */
  readonly usesBackend?: true;
  /** What it cannot do without and these inputs lack, in words; null where nothing is. It is left out then. */
  missing?(inputs: ExperimentInputs): string | null;
  run(
    options: { readonly seed: number },
    inputs: ExperimentInputs,
    context: ExperimentContext,
  ): AsyncGenerator<StudyEvent, R>;
  checks(record: R): readonly Check[];
  figures(record: R, options: { readonly document: Document }): readonly Omit<Figure, "name">[];
}

export type ExperimentContext = Pick<StudyContext, "signal" | "openBackend">;

/** Declares an experiment; its record gives the types of its checks and figures. */
export function defineExperiment<R extends object>(experiment: Experiment<R>): Experiment<R> {
  return experiment;
}
