import {
  disposeParams,
  disposeTraining,
  type OptimizerConfig,
  type PlateauOptions,
  startTraining,
  type Training,
} from "@gradlab/core";
import type { Dictionary } from "@gradlab/datasets";
import { initLanguageModelState, type LanguageModelSpec, type LanguageModelState } from "@gradlab/rnn-lm";
import type { InputFiles } from "../../declaration/option.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { languageModelNote } from "../../language-models/language-model-note.js";
import { loadRecurrent } from "../../language-models/recurrent-kind.js";
import { lastCheckpoint } from "../../networks/checkpoint.js";
import type { LmEpoch } from "./train-lm-record.js";

/** What a checkpoint of a training says: the model, and all that the next step depends on. */
export interface LmNote {
  readonly kind: "rnn-lm";
  readonly spec: LanguageModelSpec;
  readonly dictionary: Dictionary;
  readonly source: string;
  /** Of the training text. */
  readonly digest: string;
  readonly seed: number;
  readonly batch: number;
  readonly steps: number;
  /** Options of the training that change what a step does, by name. */
  readonly settings: Readonly<Record<string, number | string | boolean | null>>;
}

/** How far a training is. */
export interface LmProgress {
  readonly history: readonly LmEpoch[];
  /** Sum of the losses of the steps of an epoch that is not finished. */
  readonly unfinished: { readonly loss: number; readonly steps: number };
}

export interface BegunLm extends LmProgress {
  readonly training: Training<LanguageModelState>;
}

/** No step of an epoch yet. */
export const nothing: LmProgress["unfinished"] = { loss: 0, steps: 0 };

/** @param plateau Begins with a rate that `reportValidation` drives. */
export function startLm(
  note: LmNote,
  optimizer: OptimizerConfig,
  { forgetBias, plateau }: { readonly forgetBias: number; readonly plateau: PlateauOptions | undefined },
): BegunLm {
  const { spec, seed, batch } = note;
  const state = initLanguageModelState(spec, { seed, batch, forgetBias });
  try {
    const training = startTraining(state, optimizer, plateau === undefined ? {} : { plateau });
    return { training, history: [], unfinished: nothing };
  } finally {
    disposeParams(state);
  }
}

/** The training in the last checkpoint of a folder, which must be the one that the options describe. */
export async function resumeLm(
  folder: InputFiles,
  now: LmNote,
  optimizer: OptimizerConfig,
): Promise<BegunLm> {
  const file = `${folder.label}/${lastCheckpoint}`;
  const { training, note } = await readLmTraining(folder, lastCheckpoint);
  try {
    const { name, learningRate } = training.config;
    const before = new Map<string, unknown>([
      ...decisions(note),
      ["{optimizer}", name],
      ["{lr}", learningRate],
    ]);
    const wanted = [
      ...decisions(now),
      ["{optimizer}", optimizer.name] as const,
      ["{lr}", optimizer.learningRate] as const,
    ];
    for (const [option, got] of wanted) {
      const expected = before.get(option) ?? null;
      if (JSON.stringify(got ?? null) === JSON.stringify(expected)) continue;
      throw new StudyError("usage", `${option}: expected ${show(expected)} as in ${file}, got ${show(got)}`);
    }
    return { training, history: note.history, unfinished: note.unfinished };
  } catch (error) {
    disposeTraining(training);
    throw error;
  }
}

/** The training in a checkpoint of a folder, and what the file says of it. */
export async function readLmTraining(
  folder: InputFiles,
  name: string,
): Promise<{ training: Training<LanguageModelState>; note: LmNote & LmProgress }> {
  const bytes = await folder.read(name);
  return blame("input", `${folder.label}/${name}`, () => {
    const note = languageModelNote(bytes) as unknown as LmNote & LmProgress;
    if (note.kind !== "rnn-lm" || !Array.isArray(note.history)) {
      throw new RangeError(`expected a checkpoint of gradlab train-lm, got one of the kind ${note.kind}`);
    }
    return { training: loadRecurrent(bytes, note.spec, note.batch), note };
  });
}

/** What a resumed training must have as it was, by the option that decides it. */
function decisions({ spec, seed, batch, steps, digest, settings }: LmNote) {
  const { cell, embedding, hidden, layers, tied } = spec;
  return [
    ["{corpus}", `a text with SHA-256 ${digest.slice(0, 12)}…`],
    ...Object.entries({ cell, embedding, hidden, layers, tied, seed, batch, steps, ...settings }).map(
      ([name, value]) => [`{${name}}`, value] as const,
    ),
  ] as const;
}

const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
