import { initNetwork, type NetworkState, startNetworkTraining } from "@gradlab/classic-cnns";
import { disposeTraining, type Training } from "@gradlab/core";
import { Failure } from "../failure.js";
import { type CheckpointNote, type EpochRecord, lastCheckpoint, readCheckpoint } from "./checkpoint.js";
import { disposeState } from "./copy-state.js";
import { nothing } from "./train-epochs.js";
import type { RunOptions } from "./train-run.js";

/** A training at its first step, or where a checkpoint left it. */
export interface Begun {
  readonly training: Training<NetworkState>;
  readonly history: readonly EpochRecord[];
  readonly unfinished: CheckpointNote["unfinished"];
}

/** A new training, or with `--resume` the one in the checkpoint. */
export function beginRun(options: RunOptions): Promise<Begun> | Begun {
  return options.resume ? resumeRun(options) : startRun(options);
}

function startRun({ classic: { graph }, plan: { seed, init }, optimizer }: RunOptions): Begun {
  const state = initNetwork(graph, { seed, scheme: init });
  try {
    const training = startNetworkTraining(graph, state, optimizer);
    return { training, history: [], unfinished: nothing };
  } finally {
    disposeState(state);
  }
}

/** The training in the checkpoint, which must be the one that the flags describe. */
async function resumeRun(options: RunOptions): Promise<Begun> {
  const file = lastCheckpoint(options.checkpoint!);
  const { training, note } = await readCheckpoint(file);
  try {
    const { name, learningRate } = training.config;
    const before = [...decisions(note), ["--optimizer", name], ["--lr", learningRate]] as const;
    const now = [
      ...decisions(noteOf(options)),
      ["--optimizer", options.optimizer.name],
      ["--lr", options.optimizer.learningRate],
    ] as const;
    for (const [i, [flag, got]] of now.entries()) {
      const expected = before[i]![1];
      if (JSON.stringify(got) === JSON.stringify(expected)) continue;
      throw new Failure("usage", `${flag}: expected ${show(expected)} as in ${file}, got ${show(got)}`);
    }
    return { training, history: note.history, unfinished: note.unfinished };
  } catch (error) {
    disposeTraining(training);
    throw error;
  }
}

/** What a resumed training must have as it was, by the flag that decides it; images by what they are. */
function decisions(note: Omit<CheckpointNote, "history" | "unfinished">) {
  const { net, seed, batch, init, augment, validation, digest, options, labels } = note;
  return [
    ["--net", net],
    ["--seed", seed],
    ["--batch", batch],
    ["--init", init],
    ["--augment", augment],
    ["--validation", validation],
    ["--input, --channels, --width or --data", { ...options, labels }],
    ["--data", `images with SHA-256 ${digest.slice(0, 12)}…`],
  ] as const;
}

/** Text as it stands on the command line. */
const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

/** What a checkpoint of this run says, apart from how far it is. */
export function noteOf({ classic, data, plan }: RunOptions): Omit<CheckpointNote, "history" | "unfinished"> {
  return {
    net: classic.name,
    options: classic.options,
    labels: data.labels,
    data: data.source,
    digest: data.digest,
    ...plan,
  };
}
