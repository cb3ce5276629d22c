import type { OptimizerConfig } from "@gradlab/core";
import { decodeIds, endOfLine, textColumns } from "@gradlab/datasets";
import { randomStream } from "@gradlab/random";
import type { LanguageModelSpec, LanguageModelState } from "@gradlab/rnn-lm";
import type { InputFiles, InputsOf } from "../../declaration/option.js";
import { defineStudy, type StudyContext, type StudyEvent } from "../../declaration/study.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { describeBackend, grouped } from "../../declaration/wording.js";
import { noteName } from "../../language-models/language-model-note.js";
import { loadTexts, type Texts } from "../../language-models/load-texts.js";
import { type ScalarEvent, tensorBoardEvents } from "../../logs/tensor-board.js";
import { bestCheckpoint, lastCheckpoint } from "../../networks/checkpoint.js";
import { KeptState } from "../../networks/kept-state.js";
import { divergence, interruption } from "../../networks/training-failure.js";
import type { BegunLm, LmNote, LmProgress } from "./begin-lm-training.js";
import type { TrainedLm } from "./train-lm-epochs.js";
import { type TrainLmOptions, trainLmOptions, usualRates } from "./train-lm-options.js";
import type { LmEpoch, TrainLmRecord } from "./train-lm-record.js";
import { trainLmFigures, trainLmTables } from "./train-lm-results.js";

export const trainLm = defineStudy({
  name: "train-lm",
  help: "train a recurrent language model on a text, and count its perplexity",
  options: trainLmOptions,
  about: `Without --corpus the text is drawn from a small grammar, of which the lowest
perplexity that any model can have is known. Ctrl-C ends the training in a
checkpoint (exit code 130); --resume goes on from it as if nothing had happened.
gradlab sample, perplexity, embedding and gradient-flow take checkpoints.`,
  examples: [
    "train-lm --checkpoint run",
    "train-lm --corpus ptb.train.txt --valid ptb.valid.txt --test ptb.test.txt --hidden 256 --checkpoint run",
    "train-lm --corpus input.txt --level characters --hidden 256 --log run/log.jsonl",
  ],
  drawn: "loss and perplexity by epoch",
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check({ tokens, resume, patience, asgd, decay, tensorBoard, noiseEvery, batch, sampled, feeding }, files) {
    const { corpus, valid, test, checkpoint } = files;
    if (tokens !== undefined && corpus !== undefined) {
      throw new StudyError(
        "usage",
        `{tokens}: expected beside {corpus} sentences, got it beside {corpus} ${corpus}`,
      );
    }
    for (const [option, file] of Object.entries({ valid, test })) {
      if (file !== undefined && corpus === undefined) {
        throw new StudyError("usage", `{${option}}: expected a {corpus} beside it, got none`);
      }
    }
    if (resume && !checkpoint) {
      throw new StudyError("usage", "{resume}: expected {checkpoint} DIR beside it, got none");
    }
    const watching = { patience, asgd, decay: decay === "plateau" ? decay : undefined };
    for (const [option, value] of Object.entries(watching)) {
      if (value === undefined || corpus === undefined || valid !== undefined) continue;
      throw new StudyError("usage", `{${option}}: expected a {valid} to watch, got none`);
    }
    if (sampled !== undefined && feeding !== "teacher") {
      throw new StudyError("usage", `{feeding}: expected teacher beside {sampled}, got ${feeding}`);
    }
    if (tensorBoard && !checkpoint) {
      throw new StudyError("usage", "{tensorBoard}: expected {checkpoint} DIR beside it, got none");
    }
    if (noiseEvery !== undefined && batch % 2 !== 0) {
      throw new StudyError("usage", `{noiseEvery}: expected an even {batch} to halve, got ${batch}`);
    }
  },
  run: runTraining,
  tables: trainLmTables,
  figures: trainLmFigures,
});

async function* runTraining(
  chosen: TrainLmOptions,
  { corpus, valid, test, checkpoint }: InputsOf<typeof trainLmOptions>,
  context: StudyContext,
): AsyncGenerator<StudyEvent, TrainLmRecord> {
  const { signal } = context;
  const { seed, batch, steps, patience, resume, level, minCount } = chosen;
  const { tokens = 20_000 } = chosen;
  // Where some are drawn, the frequent ones are to come more often.
  const order = chosen.sampled === undefined ? "appearance" : "frequency";
  const texts = await loadTexts({ level, minCount, order, seed, tokens }, { corpus, valid, test });
  // Before a backend loads: a text that is too short for its columns.
  blame("usage", "{batch}, {steps}", () => textColumns(texts.train, { columns: batch, length: steps }));
  const spec = specOf(chosen, texts);
  const on = describeBackend(await context.openBackend());
  if (checkpoint !== undefined && !resume && checkpoint.names.includes(lastCheckpoint)) {
    const text = `${checkpoint.label}/${lastCheckpoint} is written anew ({resume} would go on from it)`;
    yield { kind: "warning", text };
  }
  const optimizer: OptimizerConfig = {
    name: chosen.optimizer,
    learningRate: chosen.lr ?? usualRates[chosen.optimizer],
  };
  const { clip, dropout, dropWords, dropConnect, forgetBias, feeding, decay, decayBy, decayAfter } = chosen;
  const note: LmNote = {
    kind: "rnn-lm",
    spec,
    dictionary: texts.dictionary,
    source: texts.source,
    digest: texts.digest,
    seed,
    batch,
    steps,
    settings: {
      clip,
      dropout,
      dropWords,
      dropConnect,
      forgetBias,
      feeding,
      decay,
      ...(decay !== "none" && { decayBy, decayAfter }),
      // What a step does depends on the whole length where it falls along it.
      ...((decay === "cosine" || !["teacher", "free"].includes(feeding)) && { epochs: chosen.epochs }),
      asgd: chosen.asgd ?? null,
      sampled: chosen.sampled ?? null,
    },
  };
  const { resumeLm, startLm } = await import("./begin-lm-training.js");
  const { countParams, disposeTraining } = await import("@gradlab/core");
  const plateau = decay === "plateau" ? { factor: decayBy, patience: 0, threshold: 0 } : undefined;
  const begun = resume
    ? await resumeLm(checkpoint!, note, optimizer)
    : startLm(note, optimizer, { forgetBias, plateau });
  const { training } = begun;
  const kept = new KeptState<LanguageModelState>();
  try {
    const params = countParams(training.state.params);
    const { recurrentName } = await import("../../language-models/recurrent-kind.js");
    yield {
      kind: "note",
      text: `${recurrentName(spec)}, ${grouped(params)} parameters, a text of ${grouped(texts.train.length)} tokens, on ${on}`,
    };
    if (resume) {
      yield {
        kind: "note",
        text: `goes on after step ${training.step}, ${begun.history.length} epochs done`,
      };
    }
    yield { kind: "log-start", after: resume ? training.step : null };
    const started = performance.now();
    const { bestLmEpoch, judge } = await import("./train-lm-epochs.js");
    const { history, stopped } = yield* trainAndKeep(begun, note, texts, chosen, {
      checkpoint,
      kept,
      signal,
    });
    if (stopped === "interrupted") throw interruption(training.step, checkpoint);
    // A resumed training may have had its best epoch in an earlier run.
    if (patience !== undefined && kept.state === null && checkpoint !== undefined) {
      const { readLmTraining } = await import("./begin-lm-training.js");
      await kept.take((await readLmTraining(checkpoint, bestCheckpoint)).training);
    }
    const state = kept.state ?? training.average ?? training.state;
    const seconds = (performance.now() - started) / 1000;
    const judged = (ids: Int32Array | null) => (ids === null ? null : judge(note, state, ids, signal));
    return {
      model: { kind: "rnn-lm", ...spec, params },
      data: {
        source: texts.source,
        level,
        types: texts.dictionary.tokens.length,
        train: texts.train.length,
        valid: texts.valid?.length ?? 0,
        test: texts.test?.length ?? 0,
        optimum: texts.optimum,
      },
      optimizer: training.config,
      steps: training.step,
      seconds,
      stopped,
      epochs: history,
      bestEpoch: patience === undefined ? null : bestLmEpoch(history)!.epoch,
      valid: await judged(texts.valid),
      test: await judged(texts.test),
      sample: await sampleOf(note, state, seed, signal),
      checkpoint: checkpoint === undefined ? null : `${checkpoint.label}/${lastCheckpoint}`,
    };
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw interruption(training.step, checkpoint);
    const core = await import("@gradlab/core");
    if (!(error instanceof core.NonFiniteError)) throw error;
    const { stepsPerEpoch } = textColumns(texts.train, { columns: batch, length: steps });
    throw divergence(error, optimizer, stepsPerEpoch, checkpoint);
  } finally {
    await kept.dispose();
    disposeTraining(training);
  }
}

function specOf(chosen: TrainLmOptions, { dictionary, source }: Texts): LanguageModelSpec {
  const isSmall = source === "sentences";
  const { cell, layers, tied, embedding = isSmall ? 16 : 128, hidden = isSmall ? 64 : 1024 } = chosen;
  if (tied && embedding !== hidden) {
    throw new StudyError(
      "usage",
      `{tied}: expected as many {hidden} as {embedding}, got ${hidden} and ${embedding}`,
    );
  }
  return { cell, vocabulary: dictionary.tokens.length, embedding, hidden, layers, tied };
}

/** The training, with its log, its checkpoints and (for early stopping) the best state in memory. */
async function* trainAndKeep(
  begun: BegunLm,
  note: LmNote,
  texts: Texts,
  chosen: TrainLmOptions,
  {
    checkpoint,
    kept,
    signal,
  }: {
    readonly checkpoint: InputFiles | undefined;
    readonly kept: KeptState<LanguageModelState>;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<StudyEvent, TrainedLm> {
  const { epochs, patience, clip, dropout, dropWords, dropConnect, asgd, sampleEvery, noiseEvery } = chosen;
  const { trainLmEpochs } = await import("./train-lm-epochs.js");
  const { trainingPlan } = await import("./training-plan.js");
  const { nothing } = await import("./begin-lm-training.js");
  const { saveCheckpoint } = await import("@gradlab/core");
  const { training } = begun;
  const { stepsPerEpoch } = textColumns(texts.train, { columns: note.batch, length: note.steps });
  const per = { count: note.batch * note.steps, unit: "tokens" };
  const file = async (name: string, rest: LmProgress): Promise<StudyEvent> => {
    const { history, unfinished } = rest;
    training.extra = { [noteName]: { ...note, history, unfinished } as never };
    return { kind: "file", name, bytes: await saveCheckpoint(training) };
  };
  const events = trainLmEpochs(begun, {
    note,
    train: texts.train,
    valid: texts.valid,
    epochs,
    patience,
    signal,
    asgd,
    noiseEvery,
    training: {
      maxNorm: clip,
      ...(chosen.sampled !== undefined && {
        sampled: { count: chosen.sampled, distribution: "zipf" as const },
      }),
      ...trainingPlan(chosen, training.config.learningRate, stepsPerEpoch),
      ...(Math.max(dropout, dropWords, dropConnect) > 0 && {
        dropout: {
          input: dropout,
          hidden: dropout,
          output: dropout,
          words: dropWords,
          recurrent: dropConnect,
        },
      }),
    },
  });
  const board = chosen.tensorBoard ? new EventLog(training.step) : null;
  let next = await events.next();
  for (; !next.done; next = await events.next()) {
    const event = next.value;
    if (event.kind === "noise") {
      yield { kind: "log", entry: event };
      board?.add(
        event.step,
        Object.fromEntries(event.layers.map(({ path, noise }) => [`noise/${path}`, noise])),
      );
      continue;
    }
    if (event.kind === "average") {
      yield { kind: "note", text: "the watched text gets no better: the weights are averaged from now on" };
      continue;
    }
    if (event.kind === "step") {
      yield { kind: "log", entry: event };
      const { step, loss, gradientNorm, learningRate } = event;
      board?.add(step, { loss, "gradient norm": gradientNorm, "learning rate": learningRate });
      if (sampleEvery !== undefined && step % sampleEvery === 0) {
        const said = await sampleOf(note, training.average ?? training.state, note.seed, signal);
        yield { kind: "log", entry: { kind: "sample", step, text: said } };
        yield { kind: "note", text: `step ${step} says: ${said.trim().replaceAll("\n", " / ")}` };
      }
      const text = `epoch ${event.epoch} of ${epochs} · loss ${event.loss.toFixed(4)}`;
      yield { kind: "progress", done: event.step, total: epochs * stepsPerEpoch, text, per };
      continue;
    }
    const { epoch, history, isBest, seconds } = event;
    yield { kind: "log", entry: { kind: "epoch", ...epoch, seconds } };
    yield { kind: "note", text: epochLine(epoch, seconds, epochs) };
    if (patience !== undefined && isBest) await kept.keep(training.average ?? training.state);
    const { perplexity, validPerplexity } = epoch;
    board?.add(epoch.step, {
      ...(perplexity !== null && { perplexity }),
      ...(validPerplexity !== null && { "validation perplexity": validPerplexity }),
    });
    if (board !== null) yield board.file();
    if (checkpoint === undefined) continue;
    // The best one first: after a crash between the two, the epoch is done again and found best again.
    if (isBest) yield await file(bestCheckpoint, { history, unfinished: nothing });
    yield await file(lastCheckpoint, { history, unfinished: nothing });
  }
  const trained = next.value;
  if (trained.stopped === "interrupted" && checkpoint !== undefined) {
    if (board !== null) yield board.file();
    yield await file(lastCheckpoint, trained);
  }
  return trained;
}

/** What TensorBoard shows of this run; a resumed one has a file of its own, which TensorBoard puts beside the others. */
class EventLog {
  private readonly events: ScalarEvent[] = [];
  private readonly name: string;

  constructor(step: number) {
    this.name = `events.out.tfevents.${step}.gradlab`;
  }

  add(step: number, scalars: ScalarEvent["scalars"]): void {
    this.events.push({ step, time: Date.now() / 1000, scalars });
  }

  file(): StudyEvent {
    return { kind: "file", name: this.name, bytes: tensorBoardEvents(this.events) };
  }
}

/** What the model says when it begins a text. */
async function sampleOf(
  { spec, dictionary }: LmNote,
  { params }: LanguageModelState,
  seed: number,
  signal: AbortSignal,
): Promise<string> {
  const { generate } = await import("@gradlab/core");
  const { sequenceModel } = await import("@gradlab/rnn-lm");
  const start = Math.max(0, dictionary.tokens.indexOf(dictionary.level === "words" ? endOfLine : "\n"));
  const ids: number[] = [];
  const options = {
    length: dictionary.level === "words" ? 40 : 200,
    stream: randomStream({ seed, purpose: "train-lm/sample" }),
    signal,
  };
  for await (const { id } of generate(sequenceModel(spec, params), [start], options)) ids.push(id);
  return decodeIds(dictionary, ids);
}

function epochLine(record: LmEpoch, seconds: number, epochs: number): string {
  const { epoch, loss, perplexity, validPerplexity } = record;
  const own = perplexity === null ? "" : `, perplexity ${perplexity.toFixed(2)}`;
  const seen = validPerplexity === null ? "" : ` · validation perplexity ${validPerplexity.toFixed(2)}`;
  return `epoch ${`${epoch}`.padStart(`${epochs}`.length)} of ${epochs} · loss ${loss.toFixed(4)}${own}${seen} · ${seconds.toFixed(1)} s`;
}
