import type { InitScheme, NetworkState } from "@gradlab/classic-cnns";
import { summary } from "@gradlab/classic-cnns";
import { disposeTraining, NonFiniteError, type OptimizerConfig } from "@gradlab/core";
import { stepsPerEpoch } from "@gradlab/datasets";
import type { ClassicNetwork } from "@gradlab/studies";
import { describeBackend } from "@gradlab/studies";
import type { Envelope } from "../command.js";
import { Failure } from "../failure.js";
import type { OpenedBackend } from "../open-backend.js";
import { type Progress, startProgress } from "../progress.js";
import { painter, type Terminal } from "../terminal.js";
import { type AugmentationName, augmentations } from "./augmentations.js";
import { type Begun, beginRun, noteOf } from "./begin-run.js";
import { bestCheckpoint, lastCheckpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { copyState, disposeState } from "./copy-state.js";
import type { ImageData } from "./image-data.js";
import { openLog } from "./log.js";
import { judgeRun, type RunResult } from "./run-result.js";
import { type EpochEnd, nothing, type Trained, trainEpochs } from "./train-epochs.js";
import { writeRun } from "./write-run.js";

/** What decides every step, together with the images, the network and the optimizer. */
interface Plan {
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

/** Trains as the options say, judges the result and writes what was asked for. */
export async function trainRun(options: RunOptions): Promise<RunResult> {
  const { classic, checkpoint, patience, terminal, quiet } = options;
  const { signal } = terminal;
  const begun = await beginRun(options);
  const { training } = begun;
  let best: NetworkState | null = null;
  try {
    const progress = progressOf(options, training.step);
    const { params } = summary(classic.graph);
    introduce(options, begun, params, progress);
    const started = performance.now();
    const trained = await trainAndKeep(options, begun, progress, (state) => {
      disposeState(best);
      best = state;
    });
    const { stopped } = trained;
    if (stopped === "interrupted") throw interruption(training.step, checkpoint, quiet);
    // A resumed training may have had its best epoch in an earlier run.
    if (patience !== undefined && best === null && checkpoint !== undefined) {
      best = await readState(bestCheckpoint(checkpoint));
    }
    const { step: steps, config: optimizer } = training;
    const state = best ?? training.state;
    const result = await judgeRun(options, { ...trained, stopped, params, optimizer, steps, state, started });
    if (options.out !== undefined) {
      const files = await writeRun(options.out, result, { graph: classic.graph, state, data: options.data });
      progress.say(`wrote ${files.join(", ")}`);
    }
    return result;
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw interruption(training.step, checkpoint, quiet);
    throw error instanceof NonFiniteError ? divergence(error, options) : error;
  } finally {
    disposeState(best);
    disposeTraining(training);
  }
}

function introduce(
  { classic, data, opened, terminal, color, resume }: RunOptions,
  { training, history }: Begun,
  params: number,
  { say }: Progress,
): void {
  const paint = painter(terminal.colors.stderr && color);
  const size = `${classic.name}, ${params.toLocaleString("en-US")} parameters, ${data.train.count} images`;
  say(`${paint("bold", size)} ${paint("dim", `on ${describeBackend(opened)}`)}`);
  if (resume) say(`goes on after step ${training.step}, ${history.length} epochs done`);
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
  const save = (file: string, { history, unfinished }: Pick<Trained, "history" | "unfinished">) =>
    writeCheckpoint(file, training, { ...note, history, unfinished });
  try {
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
      onEpoch: async (end) => {
        const { epoch, history, isBest, seconds } = end;
        log.add({ kind: "epoch", ...epoch, seconds });
        await log.flush();
        progress.say(epochLine(end, options));
        if (patience !== undefined && isBest) keepBest(copyState(training.state));
        if (checkpoint === undefined) return;
        // The best one first: after a crash between the two, the epoch is done again and found best again.
        if (isBest) await save(bestCheckpoint(checkpoint), { history, unfinished: nothing });
        await save(lastCheckpoint(checkpoint), { history, unfinished: nothing });
      },
    });
    if (trained.stopped === "interrupted" && checkpoint !== undefined) {
      await save(lastCheckpoint(checkpoint), trained);
    }
    return trained;
  } finally {
    progress.end();
    await log.flush();
  }
}

function epochLine({ epoch: record, seconds }: EpochEnd, { epochs, data }: RunOptions): string {
  const { epoch, loss, validationLoss, validationAccuracy } = record;
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

/** A loss or gradient that is no number any more, in words that help. */
function divergence(error: NonFiniteError, { optimizer, checkpoint, data, plan }: RunOptions): Failure {
  const [what, value] = Number.isFinite(error.loss)
    ? ["gradient norm", error.gradientNorm]
    : ["loss", error.loss];
  const epochs = Math.floor(error.step / stepsPerEpoch({ count: data.train.count, size: plan.batch }));
  const kept =
    checkpoint === undefined || epochs === 0
      ? ""
      : `; ${lastCheckpoint(checkpoint)} holds it as it was after epoch ${epochs}`;
  return new Failure(
    "runtime",
    `the training diverged: the ${what} of step ${error.step + 1} is ${value}; try an --lr below ${optimizer.learningRate}${kept}`,
    { cause: error },
  );
}

async function readState(file: string): Promise<NetworkState> {
  const { training } = await readCheckpoint(file);
  try {
    return copyState(training.state);
  } finally {
    disposeTraining(training);
  }
}
