import type { Evaluation, InitScheme, NetworkState } from "@gradlab/classic-cnns";
import { initNetwork, initStatistics, startNetworkTraining, summary } from "@gradlab/classic-cnns";
import { disposeParams, disposeTraining, type OptimizerConfig, type Training } from "@gradlab/core";
import { stepsPerEpoch } from "@gradlab/datasets";
import type { Envelope } from "../command.js";
import { Failure } from "../failure.js";
import type { ClassicNetwork } from "../network-source.js";
import { describeBackend, type OpenedBackend } from "../open-backend.js";
import { type Progress, startProgress } from "../progress.js";
import { painter, type Terminal } from "../terminal.js";
import { type AugmentationName, augmentations } from "./augmentations.js";
import {
  bestCheckpoint,
  type CheckpointNote,
  type EpochRecord,
  lastCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from "./checkpoint.js";
import { copyState } from "./copy-state.js";
import type { ImageData } from "./image-data.js";
import { openLog } from "./log.js";
import { bestEpoch, evaluate, nothing, type Trained, trainEpochs } from "./train-epochs.js";
import { writeRun } from "./write-run.js";

/** What decides every step, together with the images, the network and the optimizer. */
export interface Plan {
  readonly seed: number;
  readonly batch: number;
  readonly init: InitScheme;
  readonly augment: AugmentationName;
  readonly validation: number;
}

export interface RunOptions {
  readonly classic: ClassicNetwork;
  readonly data: ImageData;
  readonly opened: OpenedBackend;
  readonly optimizer: OptimizerConfig;
  readonly plan: Plan;
  readonly epochs: number;
  readonly resume: boolean;
  readonly patience: number | undefined;
  /** Folders and a file, where given. */
  readonly checkpoint: string | undefined;
  readonly out: string | undefined;
  readonly log: string | undefined;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly terminal: Terminal;
  readonly around: Envelope;
}

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
  readonly checkpoint: string | null;
}

interface Begun {
  readonly training: Training<NetworkState>;
  readonly history: readonly EpochRecord[];
  readonly unfinished: CheckpointNote["unfinished"];
}

/** Trains as the options say, judges the result and writes what was asked for. */
export async function trainRun(options: RunOptions): Promise<RunResult> {
  const { classic, data, terminal, quiet, color, patience, checkpoint } = options;
  const begun = options.resume ? await resumeRun(options) : beginRun(options);
  const { training } = begun;
  let best: NetworkState | null = null;
  try {
    const progress = progressOf(options, training.step);
    const paint = painter(terminal.colors.stderr && color);
    const { params } = summary(classic.graph);
    const size = `${classic.name}, ${params.toLocaleString("en-US")} parameters, ${data.train.count} images`;
    progress.say(`${paint("bold", size)} ${paint("dim", `on ${describeBackend(options.opened)}`)}`);
    if (options.resume) {
      progress.say(`goes on after step ${training.step}, ${begun.history.length} epochs done`);
    }
    const started = performance.now();
    const trained = await trainAndKeep(options, begun, progress, (state) => {
      disposeState(best);
      best = state;
    });
    if (trained.stopped === "interrupted") throw interruption(training.step, checkpoint, quiet);
    // A resumed training may have had its best epoch in an earlier run.
    if (patience !== undefined && best === null && checkpoint !== undefined) {
      best = await readState(bestCheckpoint(checkpoint));
    }
    const state = best ?? training.params;
    const result = await judge(options, { ...trained, params, training, state, started });
    if (options.out !== undefined) {
      const files = await writeRun(options.out, result, { graph: classic.graph, state, data });
      progress.say(`wrote ${files.join(", ")}`);
    }
    return result;
  } finally {
    disposeState(best);
    disposeTraining(training);
  }
}

function beginRun({ classic: { graph }, plan: { seed, init }, optimizer }: RunOptions): Begun {
  const params = initNetwork(graph, { seed, scheme: init });
  const statistics = initStatistics(graph);
  try {
    return {
      training: startNetworkTraining({ params, statistics }, optimizer),
      history: [],
      unfinished: nothing,
    };
  } finally {
    disposeState({ params, statistics });
  }
}

/** The training in the checkpoint, which must be the one that the flags describe. */
async function resumeRun(options: RunOptions): Promise<Begun> {
  const file = lastCheckpoint(options.checkpoint!);
  const { training, note } = await readCheckpoint(file);
  const now = noteOf(options);
  const differing = (Object.keys(now) as (keyof typeof now)[]).filter(
    (key) => JSON.stringify(now[key]) !== JSON.stringify(note[key]),
  );
  const { name, learningRate } = training.config;
  if (name !== options.optimizer.name || learningRate !== options.optimizer.learningRate) {
    disposeTraining(training);
    throw new Failure(
      "usage",
      `--resume: ${file}: expected ${options.optimizer.name} with rate ${options.optimizer.learningRate}, got ${name} with rate ${learningRate}`,
    );
  }
  if (differing.length > 0) {
    disposeTraining(training);
    const key = differing[0]!;
    throw new Failure(
      "usage",
      `--resume: ${file}: expected ${key} ${JSON.stringify(now[key])}, got ${JSON.stringify(note[key])}`,
    );
  }
  return { training, history: note.history, unfinished: note.unfinished };
}

function noteOf({ classic, data, plan }: RunOptions): Omit<CheckpointNote, "history" | "unfinished"> {
  return {
    net: classic.name,
    options: classic.options,
    labels: data.labels,
    data: data.source,
    trainingImages: data.train.count,
    ...plan,
  };
}

function progressOf({ data: { train }, plan, epochs, terminal, quiet }: RunOptions, done: number): Progress {
  const perEpoch = stepsPerEpoch({ count: train.count, size: plan.batch });
  return startProgress(terminal, {
    total: epochs * perEpoch,
    done,
    perStep: train.count / perEpoch,
    unit: "images",
    quiet,
  });
}

/** The training, with its log, its checkpoints and (for early stopping) the best state in memory. */
async function trainAndKeep(
  options: RunOptions,
  { training, ...before }: Begun,
  progress: Progress,
  keepBest: (state: NetworkState) => void,
): Promise<Trained> {
  const { data, plan, checkpoint, patience } = options;
  const log = await openLog(options.log, options.resume ? training.step : null);
  const note = noteOf(options);
  const save = (file: string, state: Pick<Trained, "history" | "unfinished">) =>
    writeCheckpoint(file, training, { ...note, history: state.history, unfinished: state.unfinished });
  const trained = await trainEpochs({
    graph: options.classic.graph,
    training,
    train: data.train,
    watched: data.validation ?? data.test,
    epochs: options.epochs,
    batch: plan.batch,
    seed: plan.seed,
    augment: augmentations[plan.augment],
    patience,
    ...before,
    signal: options.terminal.signal,
    progress,
    onStep: (step) => log.add({ kind: "step", ...step }),
    onEpoch: async (epoch, history, isBest) => {
      log.add({ kind: "epoch", ...epoch });
      await log.flush();
      progress.say(epochLine(epoch, options));
      if (patience !== undefined && isBest) keepBest(copyState(training.params));
      if (checkpoint === undefined) return;
      await save(lastCheckpoint(checkpoint), { history, unfinished: nothing });
      if (isBest) await save(bestCheckpoint(checkpoint), { history, unfinished: nothing });
    },
  }).finally(progress.end);
  await log.flush();
  if (trained.stopped === "interrupted" && checkpoint !== undefined) {
    await save(lastCheckpoint(checkpoint), trained);
  }
  return trained;
}

function epochLine(
  { epoch, loss, validationLoss, validationAccuracy, seconds }: EpochRecord,
  { epochs, data }: RunOptions,
): string {
  const watched = data.validation === null ? "test" : "validation";
  const seen =
    validationLoss === null
      ? ""
      : ` · ${watched} loss ${validationLoss.toFixed(4)}, accuracy ${(100 * validationAccuracy!).toFixed(1)} %`;
  return `epoch ${`${epoch}`.padStart(`${epochs}`.length)} of ${epochs} · loss ${loss.toFixed(4)}${seen} · ${seconds.toFixed(1)} s`;
}

function interruption(step: number, checkpoint: string | undefined, quiet: boolean): Failure {
  const kept =
    checkpoint === undefined
      ? "nothing was kept (--checkpoint DIR keeps it)"
      : `${lastCheckpoint(checkpoint)} holds it (--resume goes on)`;
  return new Failure("interrupted", quiet ? "interrupted" : `interrupted after step ${step}; ${kept}`);
}

async function judge(
  { around, classic, data, checkpoint, patience, terminal }: RunOptions,
  run: Trained & {
    readonly params: number;
    readonly training: Training<NetworkState>;
    readonly state: NetworkState;
    readonly started: number;
  },
): Promise<RunResult> {
  const { train, validation, test, source, kind, labels } = data;
  const on = (set: ImageData["test"]) =>
    set === null ? null : evaluate(classic.graph, run.state, set, { signal: terminal.signal });
  const seconds = (performance.now() - run.started) / 1000;
  return {
    ...around,
    network: { name: classic.name, ...classic.options, params: run.params },
    data: {
      source,
      kind,
      classes: train.classes,
      labels,
      train: train.count,
      validation: validation?.count ?? 0,
      test: test?.count ?? 0,
    },
    optimizer: run.training.config,
    steps: run.training.step,
    seconds,
    stopped: run.stopped as RunResult["stopped"],
    epochs: run.history,
    bestEpoch: patience === undefined ? null : bestEpoch(run.history)!.epoch,
    training: (await on(train))!,
    validation: await on(validation),
    test: await on(test),
    checkpoint: checkpoint === undefined ? null : lastCheckpoint(checkpoint),
  };
}

async function readState(file: string): Promise<NetworkState> {
  const { training } = await readCheckpoint(file);
  try {
    return copyState(training.params);
  } finally {
    disposeTraining(training);
  }
}

function disposeState(state: NetworkState | null): void {
  if (state === null) return;
  disposeParams(state.params);
  disposeParams(state.statistics ?? {});
}
