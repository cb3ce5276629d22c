import type { Evaluation, NetworkState } from "@gradlab/classic-cnns";
import type { OptimizerConfig } from "@gradlab/core";
import { type Dataset, stepsPerEpoch } from "@gradlab/datasets";
import { type LayerGraph, networkText } from "@gradlab/receptive-field";
import type { InputFiles, InputsOf } from "../../declaration/option.js";
import { defineStudy, type StudyContext, type StudyEvent, type Table } from "../../declaration/study.js";
import { StudyError } from "../../declaration/study-error.js";
import { describeBackend, duration, grouped, lines, percent } from "../../declaration/wording.js";
import {
  bestCheckpoint,
  type CheckpointNote,
  type EpochRecord,
  lastCheckpoint,
} from "../../networks/checkpoint.js";
import { type ImageData, loadImageData } from "../../networks/image-data.js";
import { KeptState } from "../../networks/kept-state.js";
import { bothAxes, classicNetwork, type SizedNetwork } from "../../networks/network-source.js";
import { divergence, interruption } from "../../networks/training-failure.js";
import {
  expectTrainable,
  readWritten,
  type WrittenNetwork,
  writtenNetwork,
} from "../../networks/written-network.js";
import type { Begun, TrainingNote } from "./begin-training.js";
import {
  augmentations,
  schemes,
  type TrainCnnOptions,
  trainCnnOptions,
  usualDecay,
  usualRates,
} from "./train-cnn-options.js";
import type { TrainCnnRecord } from "./train-cnn-record.js";
import type { Trained } from "./train-epochs.js";
import { trainingFigures } from "./training-figures.js";

export const trainCnn = defineStudy({
  name: "train-cnn",
  help: "train a classic network or one of your own on images, with all that can be seen of it",
  options: trainCnnOptions,
  about: `Ctrl-C ends the training in a checkpoint (exit code 130); --resume goes on from
it as if nothing had happened. gradlab classify and summary take checkpoints.
A network of your own is a line of text (--spec) or a LayerGraph as JSON
(--model), on images of the size of the data. In the text, conv1 5/2 p2 f16 is a
convolution with kernel 5, stride 2, padding 2 and 16 filters; pool1 2/2 a pooling;
relu, sigmoid, tanh, bn, dropout 0.5, flatten and dense 120 are layers too. A dense
layer at the end without a number has one unit for each class.`,
  examples: [
    "train-cnn --net lenet-relu --out run",
    "train-cnn --net lenet-relu --data fashion-mnist --epochs 40 --lr 0.002 --checkpoint run --log run/log.jsonl",
    "train-cnn --net resnet18 --width 0.25 --input 32 --augment flip-crop --patience 5",
    'train-cnn --spec "conv1 5 p2 f6, relu, pool1 2/2, conv2 5 f16, relu, pool2 2/2, flatten, dense 120, relu, dense" --epochs 5',
  ],
  drawn: "learning curves, confusion matrix, histograms and maps by layer",
  tensors: "where tensors live: the best that passes its self-test, or this one",
  check(
    { net, spec, width, count, channels, resume, patience, validation, optimizer, weightDecay },
    { data, checkpoint, model },
  ) {
    const given = [net, spec, model].filter((one) => one !== undefined).length;
    if (given !== 1) {
      const got = given === 0 ? "none" : given;
      throw new StudyError("usage", `expected one of {net}, {spec} and {model}, got ${got}`);
    }
    if (width !== undefined && net === undefined) {
      const got = `got it beside ${spec === undefined ? "{model}" : "{spec}"}`;
      throw new StudyError("usage", `{width}: expected beside {net}, ${got}`);
    }
    if (weightDecay !== undefined && optimizer !== "adamw") {
      const got = `got it beside {optimizer} ${optimizer}`;
      throw new StudyError("usage", `{weightDecay}: expected beside {optimizer} adamw, ${got}`);
    }
    for (const [option, value] of Object.entries({ count, channels })) {
      if (value === undefined || data === undefined) continue;
      const got = `got it beside {data} ${data}`;
      throw new StudyError("usage", `{${option}}: expected beside {data} shapes, ${got}`);
    }
    if (resume && !checkpoint) {
      throw new StudyError("usage", "{resume}: expected {checkpoint} DIR beside it, got none");
    }
    if (patience !== undefined && validation === 0) {
      throw new StudyError("usage", "{patience}: expected images to watch, got {validation} 0");
    }
  },
  run: runTraining,
  tables: trainingTables,
  figures: trainingFigures,
});

async function* runTraining(
  chosen: TrainCnnOptions,
  { data: folder, checkpoint, model }: InputsOf<typeof trainCnnOptions>,
  context: StudyContext,
): AsyncGenerator<StudyEvent, TrainCnnRecord> {
  const { signal } = context;
  const { net, seed, batch, patience, resume, width, augment } = chosen;
  // What is wrong with it by itself is said before any image is read.
  const written = await readWritten(chosen.spec, model);
  const unasked = patience === undefined ? 0 : 0.1;
  const validation = chosen.validation ?? unasked;
  const data = await loadData(chosen, written, folder, unasked);
  for (const text of data.warnings) yield { kind: "warning", text };
  const shape = shapeOf(data.train);
  const network = written
    ? await writtenNetwork(written, fitting(written, shape))
    : await classicNetwork(net!, { ...shape, ...(width && { width }) });
  if (written !== undefined) await expectTrainable(network, written, batch);
  const on = describeBackend(await context.openBackend());
  if (checkpoint !== undefined && !resume && checkpoint.names.includes(lastCheckpoint)) {
    const text = `${checkpoint.label}/${lastCheckpoint} is written anew ({resume} would go on from it)`;
    yield { kind: "warning", text };
  }
  const optimizer: OptimizerConfig = {
    name: chosen.optimizer,
    learningRate: chosen.lr ?? usualRates[chosen.optimizer],
    ...(chosen.optimizer === "adamw" && { weightDecay: chosen.weightDecay ?? usualDecay }),
  };
  const note: TrainingNote = {
    net: network.name,
    options: network.options,
    ...(network.isWritten && { graph: network.graph }),
    labels: data.labels,
    data: data.source,
    digest: data.digest,
    seed,
    batch,
    init: schemes[chosen.init],
    augment,
    validation,
  };
  const { resumeTraining, startTraining } = await import("./begin-training.js");
  const { countParams, disposeTraining } = await import("@gradlab/core");
  const begun = resume
    ? await resumeTraining(checkpoint!, note, optimizer)
    : startTraining(network, note, optimizer);
  const { training } = begun;
  const kept = new KeptState<NetworkState>();
  try {
    const params = countParams(training.state.params);
    yield {
      kind: "note",
      text: `${network.name}, ${grouped(params)} parameters, ${data.train.count} images on ${on}`,
    };
    if (resume) {
      const text = `goes on after step ${training.step}, ${begun.history.length} epochs done`;
      yield { kind: "note", text };
    }
    yield { kind: "log-start", after: resume ? training.step : null };
    const started = performance.now();
    const { bestEpoch, evaluate } = await import("./train-epochs.js");
    const trained = yield* trainAndKeep(begun, note, data, network.graph, chosen, {
      checkpoint,
      kept,
      signal,
    });
    const { history, stopped } = trained;
    if (stopped === "interrupted") throw interruption(training.step, checkpoint);
    // A resumed training may have had its best epoch in an earlier run.
    if (patience !== undefined && kept.state === null && checkpoint !== undefined) {
      const { readTraining } = await import("./begin-training.js");
      await kept.take((await readTraining(checkpoint, bestCheckpoint)).training);
    }
    const state = kept.state ?? training.state;
    const seconds = (performance.now() - started) / 1000;
    const { train, test } = data;
    const { inspect, look } = await import("./look-inside.js");
    const { summary, summaryText } = await import("@gradlab/classic-cnns/networks");
    const judge = (set: Dataset) => evaluate(network.graph, state, set, { signal });
    const dataset = test ?? data.validation ?? train;
    return {
      network: { name: network.name, ...network.options, ...specOf(network), params },
      data: {
        source: data.source,
        kind: data.kind,
        classes: train.classes,
        labels: data.labels,
        train: train.count,
        validation: data.validation?.count ?? 0,
        test: test?.count ?? 0,
      },
      optimizer: training.config,
      steps: training.step,
      seconds,
      stopped,
      epochs: history,
      bestEpoch: patience === undefined ? null : bestEpoch(history)!.epoch,
      training: await judge(train),
      validation: data.validation && (await judge(data.validation)),
      test: test && (await judge(test)),
      inspection: await inspect(network.graph, state, dataset),
      checkpoint: checkpoint === undefined ? null : `${checkpoint.label}/${lastCheckpoint}`,
      beside: {
        looks: await look(network.graph, state, { dataset, labels: data.labels, seed }),
        layers: summaryText(summary(network.graph)),
      },
    };
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw interruption(training.step, checkpoint);
    const core = await import("@gradlab/core");
    if (!(error instanceof core.NonFiniteError)) throw error;
    throw divergence(error, optimizer, stepsPerEpoch({ count: data.train.count, size: batch }), checkpoint);
  } finally {
    await kept.dispose();
    disposeTraining(training);
  }
}

/** The training, with its log, its checkpoints and (for early stopping) the best state in memory. */
async function* trainAndKeep(
  begun: Begun,
  note: TrainingNote,
  data: ImageData,
  graph: LayerGraph,
  { epochs, batch, patience, seed, augment }: TrainCnnOptions,
  {
    checkpoint,
    kept,
    signal,
  }: {
    readonly checkpoint: InputFiles | undefined;
    readonly kept: KeptState<NetworkState>;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<StudyEvent, Trained> {
  const { trainEpochs } = await import("./train-epochs.js");
  const { nothing } = await import("./begin-training.js");
  const { saveCheckpoint } = await import("@gradlab/core");
  const { training } = begun;
  const perEpoch = stepsPerEpoch({ count: data.train.count, size: batch });
  const per = { count: data.train.count / perEpoch, unit: "images" };
  const file = async (
    name: string,
    rest: Pick<CheckpointNote, "history" | "unfinished">,
  ): Promise<StudyEvent> => {
    training.extra = { "train-cnn": { ...note, ...rest } as never };
    return { kind: "file", name, bytes: await saveCheckpoint(training) };
  };
  const events = trainEpochs(begun, {
    graph,
    train: data.train,
    watched: data.validation ?? data.test,
    epochs,
    batch,
    seed,
    augment: augmentations[augment],
    patience,
    signal,
  });
  let next = await events.next();
  for (; !next.done; next = await events.next()) {
    const event = next.value;
    if (event.kind === "step") {
      yield { kind: "log", entry: event };
      const text = `epoch ${event.epoch} of ${epochs} · loss ${event.loss.toFixed(4)}`;
      yield { kind: "progress", done: event.step, total: epochs * perEpoch, text, per };
      continue;
    }
    const { epoch, history, isBest, seconds } = event;
    yield { kind: "log", entry: { kind: "epoch", ...epoch, seconds } };
    yield { kind: "note", text: epochLine(epoch, seconds, epochs, data) };
    if (patience !== undefined && isBest) await kept.keep(training.state);
    if (checkpoint === undefined) continue;
    // The best one first: after a crash between the two, the epoch is done again and found best again.
    if (isBest) yield await file(bestCheckpoint, { history, unfinished: nothing });
    yield await file(lastCheckpoint, { history, unfinished: nothing });
  }
  const trained = next.value;
  if (trained.stopped === "interrupted" && checkpoint !== undefined) {
    yield await file(lastCheckpoint, trained);
  }
  return trained;
}

function loadData(
  { seed, count, validation = 0, ...chosen }: TrainCnnOptions,
  written: WrittenNetwork | undefined,
  folder: InputFiles | undefined,
  unasked: number,
): Promise<ImageData> {
  const known = inputOf(written);
  const input = chosen.input ?? known.input;
  // Images of a folder have the channels that they have.
  const channels = chosen.channels ?? (folder === undefined ? known.channels : undefined);
  return loadImageData(folder, {
    seed,
    validation,
    unasked,
    ...(count !== undefined && { count }),
    ...(channels !== undefined && { channels }),
    ...(input !== undefined && { inputSize: bothAxes(input) }),
  });
}

/** What a LayerGraph of a file says of its input, which holds where no option says another. */
function inputOf(written: WrittenNetwork | undefined): {
  readonly input?: readonly number[];
  readonly channels?: number;
} {
  const { shape, channels } = written?.graph.input ?? {};
  const isKnown = Array.isArray(shape) && shape.length === 2 && shape.every(Number.isSafeInteger);
  return {
    ...(isKnown && { input: shape as readonly number[] }),
    ...(channels !== undefined && { channels }),
  };
}

/** The shape of the images, whose channels must be those of the graph where it says some. */
function fitting<S extends { readonly channels: number }>({ graph, file }: WrittenNetwork, shape: S): S {
  const { channels = shape.channels } = graph.input;
  if (channels === shape.channels) return shape;
  const got = `got images with ${shape.channels}`;
  throw new StudyError("input", `${file}: input.channels: expected those of the images, ${channels}, ${got}`);
}

/** A written network in the notation, where that has all of it. */
function specOf({ graph, isWritten }: SizedNetwork): { readonly spec?: string } {
  if (!isWritten) return {};
  try {
    return { spec: networkText(graph) };
  } catch {
    return {};
  }
}

function shapeOf({ shape: [height, width, channels], classes }: Dataset) {
  return { input: [height, width], channels, classes };
}

function epochLine(record: EpochRecord, seconds: number, epochs: number, data: ImageData): string {
  const { epoch, loss, validationLoss, validationAccuracy } = record;
  const watched = data.validation === null ? "test" : "validation";
  const seen =
    validationLoss === null
      ? ""
      : ` · ${watched} loss ${validationLoss.toFixed(4)}, accuracy ${percent(validationAccuracy!)}`;
  return `epoch ${`${epoch}`.padStart(`${epochs}`.length)} of ${epochs} · loss ${loss.toFixed(4)}${seen} · ${seconds.toFixed(1)} s`;
}

function trainingTables(record: TrainCnnRecord): Table[] {
  const { network, data, steps, seconds, epochs, stopped, bestEpoch, inspection } = record;
  const rows = (["training", "validation", "test"] as const).flatMap((name) => {
    const seen = record[name];
    return seen === null ? [] : [[name, `${seen.count}`, seen.loss.toFixed(4), percent(seen.accuracy)]];
  });
  const right = "right" as const;
  const how = stopped === "patience" ? `, stopped early; the parameters are those of epoch ${bestEpoch}` : "";
  const final = record.test ?? record.validation;
  const dead = inspection.deadUnits.filter((unit) => unit.dead > 0);
  const which = dead.map((unit) => `${unit.dead} of ${unit.of} in ${unit.layer}`).join(", ");
  return [
    lines(`${network.name} after ${epochs.length} epochs, ${steps} steps, ${duration(seconds)}${how}`),
    {
      columns: [
        { title: "images" },
        { title: "count", align: right },
        { title: "loss", align: right },
        { title: "accuracy", align: right },
      ],
      rows,
      notes: [],
    },
    ...(final === null ? [] : [classTable(final, data.labels)]),
    ...(inspection.deadUnits.length === 0
      ? []
      : [lines(undefined, `dead units on ${inspection.images} images: ${which || "none"}`)]),
  ];
}

/** Every class with its accuracy, and what it is taken for most often. */
function classTable({ confusion, perClass }: Evaluation, labels: readonly string[]): Table {
  const rows = confusion.map((row, label) => {
    const wrong = row.map((count, other) => (other === label ? -1 : count));
    const most = Math.max(...wrong);
    const accuracy = perClass[label] ?? null;
    return [
      labels[label]!,
      accuracy === null ? "–" : percent(accuracy),
      most > 0 ? `${labels[wrong.indexOf(most)]} (${most})` : "",
    ];
  });
  const columns = [
    { title: "class" },
    { title: "accuracy", align: "right" as const },
    { title: "most often taken for" },
  ];
  return { columns, rows, notes: [] };
}
