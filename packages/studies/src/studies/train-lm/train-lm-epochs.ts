import { NonFiniteError, reportValidation, startAverage, type TrainingStep } from "@gradlab/core";
import { textColumns } from "@gradlab/datasets";
import {
  type GradientNoise,
  gradientNoise,
  type LanguageModelState,
  perplexityOf,
  surprises,
  type TrainLanguageModelOptions,
  trainLanguageModel,
} from "@gradlab/rnn-lm";
import { bestEpochBy } from "../../networks/best-epoch.js";
import { type BegunLm, type LmNote, type LmProgress, nothing } from "./begin-lm-training.js";
import type { Judged, LmEpoch } from "./train-lm-record.js";

export interface LmEpochsOptions {
  readonly note: LmNote;
  readonly train: Int32Array;
  /** Watched after each epoch. */
  readonly valid: Int32Array | null;
  readonly epochs: number;
  readonly patience: number | undefined;
  readonly signal: AbortSignal;
  readonly training: Pick<
    TrainLanguageModelOptions,
    "maxNorm" | "dropout" | "feeding" | "schedule" | "sampled"
  >;
  /** Averages begin when the watched text is no better than so many epochs before; never, unless given. */
  readonly asgd: number | undefined;
  /** The noise of gradients is looked at after so many steps; never, unless given. */
  readonly noiseEvery: number | undefined;
}

export type LmEpochsEvent =
  | ({ readonly kind: "step"; readonly epoch: number } & Pick<
      TrainingStep,
      "step" | "loss" | "gradientNorm" | "learningRate" | "seconds"
    >)
  | { readonly kind: "noise"; readonly step: number; readonly layers: readonly GradientNoise[] }
  | { readonly kind: "average"; readonly step: number }
  | {
      readonly kind: "epoch";
      readonly epoch: LmEpoch;
      readonly history: readonly LmEpoch[];
      readonly isBest: boolean;
      readonly seconds: number;
    };

export interface TrainedLm extends LmProgress {
  readonly stopped: "epochs" | "patience" | "interrupted";
}

/** How many columns a text is judged in. */
const columns = 10;

/** The perplexity of a text: in ten columns with carried state, every token counted. */
export async function judge(
  note: LmNote,
  state: LanguageModelState,
  ids: Int32Array,
  signal: AbortSignal,
): Promise<Judged> {
  const options = { columns: Math.min(columns, ids.length - 1), steps: 30, signal };
  const found = await surprises(note.spec, state.params, ids, options);
  return { tokens: found.length, perplexity: perplexityOf(found) };
}

/**
 * Trains epoch after epoch and looks at the watched text after each. An interruption ends it like the last epoch does,
 * in a state that can be saved.
 */
export async function* trainLmEpochs(
  begun: BegunLm,
  options: LmEpochsOptions,
): AsyncGenerator<LmEpochsEvent, TrainedLm> {
  const { note, train, valid, epochs, patience, signal, asgd, noiseEvery } = options;
  const { training } = begun;
  const history = [...begun.history];
  let { unfinished } = begun;
  let since = performance.now();
  let rate = training.config.learningRate;
  const text = textColumns(train, { columns: note.batch, length: note.steps });
  const perEpoch = text.stepsPerEpoch;
  const ended = (): TrainedLm["stopped"] | null =>
    history.length >= epochs ? "epochs" : isStale(history, patience) ? "patience" : null;
  const look = async (epoch: number): Promise<LmEpochsEvent> => {
    const seen = valid && (await judge(note, training.average ?? training.state, valid, signal));
    if (seen !== null && !Number.isFinite(seen.perplexity)) {
      throw new NonFiniteError(training.step, seen.perplexity, Number.NaN);
    }
    const loss = unfinished.loss / unfinished.steps;
    const record: LmEpoch = {
      epoch,
      step: training.step,
      loss,
      perplexity: options.training.sampled === undefined ? Math.exp(loss) : null,
      validPerplexity: seen?.perplexity ?? null,
      learningRate: rate,
    };
    history.push(record);
    unfinished = nothing;
    if (training.plateau !== null) reportValidation(training, Math.log(record.validPerplexity!));
    const seconds = (performance.now() - since) / 1000;
    since = performance.now();
    return { kind: "epoch", epoch: record, history, isBest: bestLmEpoch(history) === record, seconds };
  };
  try {
    // An interruption may have come between the last step of an epoch and its judgement.
    if (training.step === (history.length + 1) * perEpoch) yield await look(history.length + 1);
    const already = ended();
    if (already !== null) return { history, unfinished, stopped: already };
    const steps = trainLanguageModel(note.spec, training, {
      ...options.training,
      batch: text.batch,
      seed: note.seed,
      steps: epochs * perEpoch,
      signal,
    });
    for await (const { step, loss, gradientNorm, learningRate, seconds } of steps) {
      const epoch = Math.ceil(step / perEpoch);
      rate = learningRate;
      unfinished = { loss: unfinished.loss + loss, steps: unfinished.steps + 1 };
      yield { kind: "step", step, epoch, loss, gradientNorm, learningRate, seconds };
      if (noiseEvery !== undefined && step % noiseEvery === 0) {
        const next = text.batch(step);
        yield { kind: "noise", step, layers: await gradientNoise(note.spec, training.state, next) };
      }
      if (step % perEpoch !== 0) continue;
      yield await look(epoch);
      if (asgd !== undefined && training.averaging === null && isNoBetter(history, asgd)) {
        startAverage(training);
        yield { kind: "average", step };
      }
      const stopped = ended();
      if (stopped !== null) return { history, unfinished, stopped };
    }
    return { history, unfinished, stopped: "epochs" };
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    return { history, unfinished, stopped: "interrupted" };
  }
}

/** The epoch with the smallest perplexity of the watched text, the first of equal ones; the last where nothing was watched. */
export const bestLmEpoch = (history: readonly LmEpoch[]): LmEpoch | undefined =>
  bestEpochBy(history, ({ validPerplexity }) => validPerplexity);

function isStale(history: readonly LmEpoch[], patience: number | undefined): boolean {
  const best = bestLmEpoch(history);
  return patience !== undefined && best !== undefined && history.length - best.epoch >= patience;
}

/** The watched text is no better than the best of all but the last `epochs` epochs. */
function isNoBetter(history: readonly LmEpoch[], epochs: number): boolean {
  const before = history.slice(0, -epochs).map(({ validPerplexity }) => validPerplexity!);
  return before.length > 0 && history.at(-1)!.validPerplexity! > Math.min(...before);
}
