import { applyNetwork, type NetworkState, type Prediction } from "@gradlab/classic-cnns";
import { parseLabels, readWeights, transformInput } from "@gradlab/classic-cnns/weights";
import { disposeParams } from "@gradlab/core";
import { datasetFromPixels, preprocessImageNet, takeBatch } from "@gradlab/datasets";
import { bothAxes, classicNetwork, refuseBesideCheckpoint } from "@gradlab/studies";
import { mul, sub, type Tensor, type Tensor4D, tensor4d, tidy, zeros } from "@tensorflow/tfjs-core";
import type { Classified, ClassifyFlags, Preprocessing } from "./commands/classify.js";
import { blame, Failure, messageOf } from "./failure.js";
import { readInput } from "./files.js";
import { loadTfjsModel, type TfjsModel } from "./load-tfjs-model.js";
import { readPicture } from "./pictures.js";
import { checkpointFile, checkpointNetwork, isCheckpoint } from "./train-cnn/checkpoint.js";

/** Something that gives every class a score. */
interface Classifier {
  readonly name: string;
  /** Height, width and channels of an image. */
  readonly input: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  readonly labels: readonly string[] | null;
  readonly preprocess: Preprocessing;
  /** `[1, height, width, channels]` to logits or probabilities `[1, classes]`, which the caller disposes. */
  readonly scores: (x: Tensor4D) => Tensor;
  /** Whether scores are logits; null where nobody says, so that the numbers decide. */
  readonly areLogits: true | null;
  readonly dispose: () => void;
}

export interface ClassifyRun {
  readonly signal: AbortSignal;
  readonly warn: (warning: string) => void;
}

/** Classifies the pictures of files, one after the other, by the network that the flags name. */
export async function classify(
  files: readonly string[],
  flags: ClassifyFlags,
  { signal, warn }: ClassifyRun,
): Promise<{ network: string; preprocess: Preprocessing; classified: readonly Classified[] }> {
  const classifier = flags.model === undefined ? await ownNetwork(flags, warn) : await tfjsModel(flags);
  try {
    const { name, classes, preprocess } = classifier;
    const labels = flags.labels === undefined ? classifier.labels : await readLabels(flags.labels, classes);
    const classified: Classified[] = [];
    for (const file of files) {
      signal.throwIfAborted();
      classified.push({ file, predictions: await look(file, classifier, labels, flags.top) });
    }
    return { network: name, preprocess, classified };
  } finally {
    classifier.dispose();
  }
}

async function ownNetwork(flags: ClassifyFlags, warn: (warning: string) => void): Promise<Classifier> {
  const file = await checkpointFile(flags.weights!);
  const bytes = await readInput(file);
  return isCheckpoint(bytes) && flags.net === undefined
    ? fromCheckpoint(file, bytes, flags)
    : fromWeights(file, bytes, flags, warn);
}

/** A checkpoint of train-cnn says itself what network it is of. */
async function fromCheckpoint(file: string, bytes: Uint8Array, flags: ClassifyFlags): Promise<Classifier> {
  refuseBesideCheckpoint(flags, file);
  const { name, graph, labels } = await checkpointNetwork(file, bytes);
  const { params, statistics } = blame("runtime", file, () => readWeights(graph, bytes));
  const state = { params, statistics };
  return networkClassifier(`${name} of ${file}`, graph, state, { flags, labels, preprocess: "unit" });
}

async function fromWeights(
  file: string,
  bytes: Uint8Array,
  flags: ClassifyFlags,
  warn: (warning: string) => void,
): Promise<Classifier> {
  if (flags.net === undefined) {
    throw new Failure("usage", `--net: expected the network that ${file} has weights for, got none`);
  }
  const { name, graph } = await classicNetwork(flags.net, flags);
  const { format, ignored, params, statistics } = blame("runtime", file, () => readWeights(graph, bytes));
  if (ignored.length > 0) warn(`${file}: ${ignored.length} tensors are of no use here: ${ignored[0]}, …`);
  const isTorch = format !== "weights" && format !== "checkpoint";
  if (isTorch && name === "googlenet" && flags.preprocess === undefined) {
    warn("torchvision's pretrained GoogLeNet expects --preprocess googlenet; this is imagenet");
  }
  const preprocess = isTorch && graph.input.channels === 3 ? "imagenet" : "unit";
  const state = { params, statistics };
  return networkClassifier(name, graph, state, { flags, labels: null, preprocess });
}

function networkClassifier(
  name: string,
  graph: Awaited<ReturnType<typeof classicNetwork>>["graph"],
  state: NetworkState,
  {
    flags,
    labels,
    preprocess,
  }: Pick<Classifier, "labels" | "preprocess"> & { readonly flags: ClassifyFlags },
): Classifier {
  const [height, width] = graph.input.shape as [number, number];
  const last = graph.layers.findLast(({ op }) => op === "dense" || op === "conv");
  return {
    name,
    input: [height, width, graph.input.channels!],
    classes: last?.op === "dense" ? last.units! : last?.op === "conv" ? last.filters! : 0,
    labels,
    preprocess: flags.preprocess ?? preprocess,
    scores: (x) => applyNetwork(graph, state, x),
    areLogits: true,
    dispose: () => disposeParams(state),
  };
}

async function tfjsModel(flags: ClassifyFlags): Promise<Classifier> {
  const file = flags.model!;
  const model = await loadTfjsModel(file);
  try {
    const [, height, width, channels] = model.input;
    const given = flags.input === undefined ? [] : bothAxes(flags.input);
    const [h, w] = [given[0] ?? height, given[1] ?? width];
    if (
      h === undefined ||
      w === undefined ||
      channels === undefined ||
      h === null ||
      w === null ||
      channels === null
    ) {
      throw new Failure(
        "runtime",
        `${file}: expected an input [batch, height, width, channels], got ${JSON.stringify(model.input)} (--input sets height and width)`,
      );
    }
    return {
      name: file,
      input: [h, w, channels],
      classes: model.classes ?? countClasses(file, model, [1, h, w, channels]),
      labels: null,
      preprocess: flags.preprocess ?? "unit",
      scores: model.predict,
      areLogits: null,
      dispose: model.dispose,
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** How many classes a model that does not say so gives a score to. */
function countClasses(file: string, { predict }: TfjsModel, shape: [number, number, number, number]): number {
  return tidy(() => {
    const y = blame("runtime", file, () => predict(zeros(shape)));
    if (y.shape?.length === 2) return y.shape[1]!;
    const got = JSON.stringify(y.shape ?? null);
    throw new Failure("runtime", `${file}: expected one output [batch, classes], got ${got}`);
  });
}

async function readLabels(file: string, classes: number): Promise<readonly string[]> {
  const text = new TextDecoder().decode(await readInput(file));
  return blame("runtime", file, () => parseLabels(text, { classes }));
}

async function look(
  file: string,
  { input, preprocess, scores, areLogits }: Classifier,
  labels: readonly string[] | null,
  top: number,
): Promise<Prediction[]> {
  const x = await readImage(file, input, preprocess);
  let y: Tensor | undefined;
  try {
    y = scores(x);
    const values = probabilities([...(await y.data())], areLogits);
    const order = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
    return order.slice(0, top).map((index) => ({
      index,
      probability: values[index]!,
      ...(labels && { label: labels[index]! }),
    }));
  } catch (error) {
    throw new Failure("runtime", `${file}: ${messageOf(error)}`, { cause: error });
  } finally {
    x.dispose();
    y?.dispose();
  }
}

/** Softmax of logits; numbers that are probabilities already stay what they are. */
function probabilities(scores: readonly number[], areLogits: true | null): readonly number[] {
  const total = scores.reduce((sum, score) => sum + score, 0);
  const normalized = Math.abs(total - 1) < 1e-3 && scores.every((score) => score >= 0 && score <= 1);
  if (areLogits === null && normalized) return scores;
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The picture in a file as a batch of one. */
async function readImage(
  file: string,
  [height, width, channels]: Classifier["input"],
  preprocess: Preprocessing,
): Promise<Tensor4D> {
  if (preprocess === "imagenet" || preprocess === "googlenet") {
    if (height !== width || channels !== 3) {
      throw new Failure(
        "usage",
        `--preprocess ${preprocess}: expected a square input of 3 channels, got ${height} x ${width} x ${channels}`,
      );
    }
    const picture = await readPicture(file);
    const image = preprocessImageNet(picture, { crop: height, resize: Math.round((height * 256) / 224) });
    const x = tensor4d(image.data, [1, height, width, 3]);
    if (preprocess === "imagenet") return x;
    try {
      return transformInput(x);
    } finally {
      x.dispose();
    }
  }
  if (channels !== 1 && channels !== 3) {
    throw new Failure("usage", `${file}: expected a network for 1 or 3 channels, got one for ${channels}`);
  }
  const picture = await readPicture(file, { size: [height, width] });
  const { images } = takeBatch(datasetFromPixels([picture], [0], { channels }), [0]);
  const x = tensor4d(images, [1, height, width, channels]);
  if (preprocess === "unit") return x;
  const symmetric = tidy(() => sub<Tensor4D>(mul(x, 2), 1));
  x.dispose();
  return symmetric;
}
