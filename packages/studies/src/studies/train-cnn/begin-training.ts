import { initNetwork, type NetworkState, startNetworkTraining } from "@gradlab/classic-cnns";
import {
  disposeParams,
  disposeTraining,
  loadCheckpoint,
  type OptimizerConfig,
  type Training,
} from "@gradlab/core";
import { type LayerGraph, networkText } from "@gradlab/receptive-field";
import type { InputFiles } from "../../declaration/option.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import {
  type CheckpointNote,
  checkpointNote,
  type EpochRecord,
  lastCheckpoint,
} from "../../networks/checkpoint.js";
import type { SizedNetwork } from "../../networks/network-source.js";
import { type schemes, usualDecay } from "./train-cnn-options.js";

/** A training at its first step, or where a checkpoint left it. */
export interface Begun {
  readonly training: Training<NetworkState>;
  readonly history: readonly EpochRecord[];
  readonly unfinished: CheckpointNote["unfinished"];
}

/** What a checkpoint says, apart from how far its training is. */
export type TrainingNote = Omit<CheckpointNote, "history" | "unfinished">;

/** No step of an epoch yet. */
export const nothing: CheckpointNote["unfinished"] = { loss: 0, steps: 0 };

export function startTraining(
  { graph }: SizedNetwork,
  { seed, init }: Pick<TrainingNote, "seed" | "init">,
  optimizer: OptimizerConfig,
): Begun {
  const state = initNetwork(graph, { seed, scheme: init as (typeof schemes)[keyof typeof schemes] });
  try {
    const training = startNetworkTraining(graph, state, optimizer);
    return { training, history: [], unfinished: nothing };
  } finally {
    disposeParams(state);
  }
}

/** The training in the last checkpoint of a folder, which must be the one that the options describe. */
export async function resumeTraining(
  folder: InputFiles,
  now: TrainingNote,
  optimizer: OptimizerConfig,
): Promise<Begun> {
  const file = `${folder.label}/${lastCheckpoint}`;
  const { training, note } = await readTraining(folder, lastCheckpoint);
  try {
    expectSameLayers(note, now, file);
    const before = [...decisions(note), ...steps(training.config)];
    const wanted = [...decisions(now), ...steps(optimizer)];
    for (const [i, [option, got]] of wanted.entries()) {
      const expected = before[i]![1];
      if (JSON.stringify(got) === JSON.stringify(expected)) continue;
      throw new StudyError("usage", `${option}: expected ${show(expected)} as in ${file}, got ${show(got)}`);
    }
    return { training, history: note.history, unfinished: note.unfinished };
  } catch (error) {
    disposeTraining(training);
    throw error;
  }
}

/** The training in a checkpoint of a folder, and what the file says of it. */
export async function readTraining(
  folder: InputFiles,
  name: string,
): Promise<{ training: Training<NetworkState>; note: CheckpointNote }> {
  const bytes = await folder.read(name);
  return blame("input", `${folder.label}/${name}`, () => {
    const note = checkpointNote(bytes);
    return { training: loadCheckpoint(bytes) as unknown as Training<NetworkState>, note };
  });
}

/** How steps are made, by the option that decides it. */
function steps(optimizer: OptimizerConfig) {
  const { weightDecay = usualDecay } = optimizer as { readonly weightDecay?: number };
  return [
    ["{optimizer}", optimizer.name],
    ["{lr}", optimizer.learningRate],
    ["{weightDecay}", optimizer.name === "adamw" ? weightDecay : null],
  ] as const;
}

/** The layers of networks of one's own, where both are; the message has the first that differs. */
function expectSameLayers({ graph: before }: TrainingNote, { graph: now }: TrainingNote, file: string): void {
  if (before === undefined || now === undefined) return;
  const [expected, got] = [layerTexts(before), layerTexts(now)];
  const count = Math.max(expected.length, got.length);
  const place = Array.from({ length: count }, (_, i) => i).find((i) => expected[i] !== got[i]);
  if (place === undefined) return;
  const none = "none";
  throw new StudyError(
    "usage",
    `{spec} or {model}: layer ${place + 1}: expected ${expected[place] ?? none} as in ${file}, got ${got[place] ?? none}`,
  );
}

/** Every layer in the notation; as JSON where the notation lacks one of them. */
function layerTexts(graph: LayerGraph): readonly string[] {
  try {
    return networkText(graph).split(", ");
  } catch {
    return graph.layers.map((layer) => JSON.stringify(layer));
  }
}

/** What a resumed training must have as it was, by the option that decides it; images by what they are. */
function decisions(note: TrainingNote) {
  const { net, seed, batch, init, augment, validation, digest, options, labels } = note;
  return [
    ["{net}", net],
    ["{seed}", seed],
    ["{batch}", batch],
    ["{init}", init],
    ["{augment}", augment],
    ["{validation}", validation],
    ["{input}, {channels}, {width} or {data}", { ...options, labels }],
    ["{data}", `images with SHA-256 ${digest.slice(0, 12)}…`],
  ] as const;
}

/** Text as it stands on the command line. */
const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
