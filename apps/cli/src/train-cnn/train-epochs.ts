import { type Evaluation, evaluateNetwork, type NetworkState, trainNetwork } from "@gradlab/classic-cnns";
import { NonFiniteError, type Training } from "@gradlab/core";
import { type Augmentation, batchesOf, type Dataset, inOrder, stepsPerEpoch } from "@gradlab/datasets";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { Progress } from "../progress.js";
import type { CheckpointNote, EpochRecord } from "./checkpoint.js";

export interface TrainEpochsOptions {
  readonly graph: LayerGraph;
  readonly training: Training<NetworkState>;
  readonly train: Dataset;
  /** Looked at after each epoch. */
  readonly watched: Dataset | null;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly augment: Augmentation | undefined;
  /** Stop after so many epochs without a better loss on the watched images; never, unless given. */
  readonly patience: number | undefined;
  readonly history: readonly EpochRecord[];
  readonly unfinished: CheckpointNote["unfinished"];
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Called after each step. */
  readonly onStep: (step: StepRecord) => void;
  /** Called after each epoch, the last one of `history`. */
  readonly onEpoch: (end: EpochEnd) => Promise<void>;
}

export interface EpochEnd {
  readonly epoch: EpochRecord;
  readonly history: readonly EpochRecord[];
  /** No epoch before had a smaller loss on the watched images. */
  readonly isBest: boolean;
  /** What it took since the start of this run. */
  readonly seconds: number;
}

interface StepRecord {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  readonly seconds: number;
}

export interface Trained {
  readonly history: readonly EpochRecord[];
  readonly unfinished: CheckpointNote["unfinished"];
  readonly stopped: "epochs" | "patience" | "interrupted";
}

/**
 * Trains epoch after epoch and looks at the watched images after each. An interruption ends it like the last epoch
 * does, in a state that can be saved.
 */
export async function trainEpochs(options: TrainEpochsOptions): Promise<Trained> {
  const { graph, training, train, watched, epochs, batch, seed, augment, patience, signal, progress } =
    options;
  const history = [...options.history];
  let { unfinished } = options;
  let since = performance.now();
  const perEpoch = stepsPerEpoch({ count: train.count, size: batch });
  const ended = (): Trained["stopped"] | null =>
    history.length >= epochs ? "epochs" : isStale(history, patience) ? "patience" : null;
  const judge = async (epoch: number) => {
    const seen = watched && (await evaluate(graph, training.state, watched, { signal }));
    if (seen !== null && !Number.isFinite(seen.loss)) {
      throw new NonFiniteError(training.step, seen.loss, Number.NaN);
    }
    const record: EpochRecord = {
      epoch,
      step: training.step,
      loss: unfinished.loss / unfinished.steps,
      validationLoss: seen?.loss ?? null,
      validationAccuracy: seen?.accuracy ?? null,
    };
    history.push(record);
    unfinished = nothing;
    const seconds = (performance.now() - since) / 1000;
    since = performance.now();
    await options.onEpoch({ epoch: record, history, isBest: bestEpoch(history) === record, seconds });
  };
  try {
    // An interruption may have come between the last step of an epoch and its judgement.
    if (training.step === (history.length + 1) * perEpoch) await judge(history.length + 1);
    const already = ended();
    if (already !== null) return { history, unfinished, stopped: already };
    const steps = trainNetwork(graph, training, {
      batch: batchesOf(train, { size: batch, seed, ...(augment && { augment }) }),
      seed,
      steps: epochs * perEpoch,
      signal,
    });
    for await (const { step, loss, gradientNorm, learningRate, seconds } of steps) {
      const epoch = Math.ceil(step / perEpoch);
      unfinished = { loss: unfinished.loss + loss, steps: unfinished.steps + 1 };
      options.onStep({ step, epoch, loss, gradientNorm, learningRate, seconds });
      progress.step(`epoch ${epoch} of ${epochs} · loss ${loss.toFixed(4)}`);
      if (step % perEpoch !== 0) continue;
      await judge(epoch);
      const stopped = ended();
      if (stopped !== null) return { history, unfinished, stopped };
    }
    return { history, unfinished, stopped: "epochs" };
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    return { history, unfinished, stopped: "interrupted" };
  }
}

export const nothing: CheckpointNote["unfinished"] = { loss: 0, steps: 0 };

/** The epoch with the smallest loss on the watched images, the first of equal ones; the last where nothing was watched. */
export function bestEpoch(history: readonly EpochRecord[]): EpochRecord | undefined {
  let best: EpochRecord | undefined;
  for (const record of history) {
    if (
      best === undefined ||
      record.validationLoss === null ||
      record.validationLoss < best.validationLoss!
    ) {
      best = record;
    }
  }
  return best;
}

function isStale(history: readonly EpochRecord[], patience: number | undefined): boolean {
  const best = bestEpoch(history);
  return patience !== undefined && best !== undefined && history.length - best.epoch >= patience;
}

export function evaluate(
  graph: LayerGraph,
  state: NetworkState,
  dataset: Dataset,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Evaluation> {
  return evaluateNetwork(graph, state, { batch: inOrder(dataset), ...(signal && { signal }) });
}
