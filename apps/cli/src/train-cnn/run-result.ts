import type { Evaluation, NetworkState } from "@gradlab/classic-cnns";
import type { OptimizerConfig } from "@gradlab/core";
import type { Envelope } from "../command.js";
import { type EpochRecord, lastCheckpoint } from "./checkpoint.js";
import { type Inspection, inspectRun } from "./inspect-run.js";
import { bestEpoch, evaluate, type Trained } from "./train-epochs.js";
import type { RunOptions } from "./train-run.js";

/** What `train-cnn` prints with `--json`. */
export interface RunResult extends Envelope {
  readonly network: { readonly name: string; readonly params: number };
  readonly data: {
    readonly source: string;
    readonly kind: string;
    readonly classes: number;
    readonly labels: readonly string[];
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  };
  readonly optimizer: OptimizerConfig;
  readonly steps: number;
  /** Of this run, a resumed one without what came before. */
  readonly seconds: number;
  readonly stopped: "epochs" | "patience";
  readonly epochs: readonly EpochRecord[];
  /** With early stopping: the epoch that the parameters are of. */
  readonly bestEpoch: number | null;
  readonly training: Evaluation;
  readonly validation: Evaluation | null;
  readonly test: Evaluation | null;
  /** The trained network, looked into. */
  readonly inspection: Inspection;
  readonly checkpoint: string | null;
}

export interface Finished extends Trained {
  readonly stopped: RunResult["stopped"];
  /** How many parameters the network has. */
  readonly params: number;
  readonly optimizer: OptimizerConfig;
  readonly steps: number;
  /** The parameters that are judged: the last, or the best with early stopping. */
  readonly state: NetworkState;
  /** When the run began, by `performance.now()`. */
  readonly started: number;
}

/** Judges what was trained on every set of images and looks into it. */
export async function judgeRun(
  { around, classic, data, checkpoint, patience, terminal: { signal } }: RunOptions,
  { state, params, optimizer, steps, stopped, history, started }: Finished,
): Promise<RunResult> {
  const { train, validation, test, source, kind, labels } = data;
  const seconds = (performance.now() - started) / 1000;
  return {
    ...around,
    network: { name: classic.name, ...classic.options, params },
    data: {
      source,
      kind,
      classes: train.classes,
      labels,
      train: train.count,
      validation: validation?.count ?? 0,
      test: test?.count ?? 0,
    },
    optimizer,
    steps,
    seconds,
    stopped,
    epochs: history,
    bestEpoch: patience === undefined ? null : bestEpoch(history)!.epoch,
    training: await evaluate(classic.graph, state, train, { signal }),
    validation: validation && (await evaluate(classic.graph, state, validation, { signal })),
    test: test && (await evaluate(classic.graph, state, test, { signal })),
    inspection: await inspectRun(classic.graph, state, test ?? validation ?? train),
    checkpoint: checkpoint === undefined ? null : lastCheckpoint(checkpoint),
  };
}
