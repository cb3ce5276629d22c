import { type Evaluation, evaluateNetwork, type NetworkState, trainNetwork } from "@gradlab/classic-cnns";
import { NonFiniteError } from "@gradlab/core";
import { type Augmentation, batchesOf, type Dataset, inOrder, stepsPerEpoch } from "@gradlab/datasets";
import type { LayerGraph } from "@gradlab/receptive-field";
import { bestEpochBy } from "../../networks/best-epoch.js";
import type { CheckpointNote, EpochRecord } from "../../networks/checkpoint.js";
import { type Begun, nothing } from "./begin-training.js";

export interface TrainEpochsOptions {
  readonly graph: LayerGraph;
  readonly train: Dataset;
  /** Looked at after each epoch. */
  readonly watched: Dataset | null;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly augment: Augmentation | undefined;
  /** Stop after so many epochs without a better loss on the watched images; never, unless given. */
  readonly patience: number | undefined;
  readonly signal: AbortSignal;
}

export type TrainEpochsEvent =
  | {
      readonly kind: "step";
      readonly step: number;
      readonly epoch: number;
      readonly loss: number;
      readonly gradientNorm: number;
      readonly learningRate: number;
      readonly seconds: number;
    }
  | {
      readonly kind: "epoch";
      /** The last of `history`. */
      readonly epoch: EpochRecord;
      readonly history: readonly EpochRecord[];
      /** No epoch before had a smaller loss on the watched images. */
      readonly isBest: boolean;
      /** What it took since the start of this run. */
      readonly seconds: number;
    };

export interface Trained {
  readonly history: readonly EpochRecord[];
  readonly unfinished: CheckpointNote["unfinished"];
  readonly stopped: "epochs" | "patience" | "interrupted";
}

/**
 * Trains epoch after epoch and looks at the watched images after each. An interruption ends it like the last epoch
 * does, in a state that can be saved.
 */
export async function* trainEpochs(
  begun: Begun,
  options: TrainEpochsOptions,
): AsyncGenerator<TrainEpochsEvent, Trained> {
  const { graph, train, watched, epochs, batch, seed, augment, patience, signal } = options;
  const { training } = begun;
  const history = [...begun.history];
  let { unfinished } = begun;
  let since = performance.now();
  const perEpoch = stepsPerEpoch({ count: train.count, size: batch });
  const ended = (): Trained["stopped"] | null =>
    history.length >= epochs ? "epochs" : isStale(history, patience) ? "patience" : null;
  const judge = async (epoch: number): Promise<TrainEpochsEvent> => {
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
    return { kind: "epoch", epoch: record, history, isBest: bestEpoch(history) === record, seconds };
  };
  try {
    // An interruption may have come between the last step of an epoch and its judgement.
    if (training.step === (history.length + 1) * perEpoch) yield await judge(history.length + 1);
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
      yield { kind: "step", step, epoch, loss, gradientNorm, learningRate, seconds };
      if (step % perEpoch !== 0) continue;
      yield await judge(epoch);
      const stopped = ended();
      if (stopped !== null) return { history, unfinished, stopped };
    }
    return { history, unfinished, stopped: "epochs" };
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    return { history, unfinished, stopped: "interrupted" };
  }
}

/** The epoch with the smallest loss on the watched images, the first of equal ones; the last where nothing was watched. */
export const bestEpoch = (history: readonly EpochRecord[]): EpochRecord | undefined =>
  bestEpochBy(history, ({ validationLoss }) => validationLoss);

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
