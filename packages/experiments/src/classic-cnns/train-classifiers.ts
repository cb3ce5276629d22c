import {
  evaluateNetwork,
  type InitScheme,
  initNetwork,
  inspectNetwork,
  type NetworkState,
  network,
  startNetworkTraining,
  trainNetwork,
} from "@gradlab/classic-cnns";
import { disposeParams, disposeTraining, type OptimizerConfig } from "@gradlab/core";
import { batchesOf, type Dataset, inOrder, stepsPerEpoch, takeBatch } from "@gradlab/datasets";
import { fillUniform, randomStream } from "@gradlab/random";
import type { LayerGraph } from "@gradlab/receptive-field";
import { tensor4d } from "@tensorflow/tfjs-core";
import type { ClassifiedImages } from "../classified-images.js";
import { closedFormClasses, closedFormWeights } from "./closed-form.js";
import type { TiledMap } from "./tiled-maps.js";

/** With the epsilon of PyTorch. */
const adam = (learningRate: number): OptimizerConfig => ({ name: "adam", learningRate, epsilon: 1e-8 });
const usual = { rate: 2e-3, batchSize: 50 };

/** The losses of lenet-relu before its first updates, weights and images in closed form. */
export async function firstLosses(steps: number, size: number, signal: AbortSignal): Promise<number[]> {
  const graph = network("lenet-relu");
  const state = closedFormWeights(graph);
  const training = startNetworkTraining(graph, state, adam(usual.rate));
  disposeParams(state);
  const { pixels, labels } = closedFormClasses(steps * size);
  const batch = (step: number) => {
    const [from, to] = [step * size, (step + 1) * size];
    return {
      images: pixels.subarray(from * 784, to * 784),
      shape: [size, 28, 28, 1] as const,
      labels: labels.subarray(from, to),
    };
  };
  const losses: number[] = [];
  try {
    for await (const { loss } of trainNetwork(graph, training, { batch, steps, signal })) losses.push(loss);
  } finally {
    disposeTraining(training);
  }
  return losses;
}

/** lenet-relu, and a model that is one matrix, for images like these. */
export function openClassifiers({ shape: [height, width, channels], classes }: Dataset): {
  lenet: LayerGraph;
  linear: LayerGraph;
} {
  const lenet = network("lenet-relu", { inputSize: [height, width], channels, classes });
  const linear: LayerGraph = {
    input: lenet.input!,
    layers: [
      { name: "flatten", op: "flatten" },
      { name: "fc", op: "dense", units: classes, bias: true },
    ],
  };
  return { lenet, linear };
}

interface Plan {
  /** After how many rounds it ends; it is judged after each. */
  readonly rounds: number;
  /** Steps of a round; an epoch unless given. */
  readonly every?: number;
  readonly batchSize?: number;
  /** Of Adam. */
  readonly rate?: number;
  readonly scheme?: InitScheme;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Layers whose maps are wanted. */
  readonly lookInto?: readonly string[];
}

export interface TrainedClassifier {
  /** Of the images for the test, after the training. */
  readonly accuracy: number;
  readonly confusion: readonly (readonly number[])[];
  /** By round: the mean loss of its steps. */
  readonly losses: readonly (readonly [round: number, loss: number])[];
  readonly accuracies: readonly (readonly [round: number, accuracy: number])[];
  readonly seen: Seen | null;
}

/** What layers make of two images of different classes and of noise. */
interface Seen {
  /** The class of each image; null for noise. */
  readonly columns: readonly (number | null)[];
  readonly rows: readonly { readonly label: string; readonly maps: readonly TiledMap[] }[];
}

/** Trains a classifier from the weights that the seed draws, and judges it after every round. */
export async function trainClassifier(
  graph: LayerGraph,
  { train, test }: Pick<ClassifiedImages, "train" | "test">,
  { rounds, seed, signal, lookInto = [], ...plan }: Plan,
): Promise<TrainedClassifier> {
  const { rate, batchSize, scheme = "xavier-uniform" } = { ...usual, ...plan };
  const state = initNetwork(graph, { seed, scheme });
  const training = startNetworkTraining(graph, state, adam(rate));
  disposeParams(state);
  const { every = stepsPerEpoch({ count: train.count, size: batchSize }) } = plan;
  const batch = batchesOf(train, { size: batchSize, seed });
  const judge = () => evaluateNetwork(graph, training.state, { batch: inOrder(test), signal });
  const losses: (readonly [number, number])[] = [];
  const accuracies: (readonly [number, number])[] = [];
  try {
    let sum = 0;
    let last = await judge();
    accuracies.push([0, last.accuracy]);
    const steps = trainNetwork(graph, training, { batch, steps: rounds * every, seed, signal });
    for await (const { step, loss } of steps) {
      sum += loss;
      if (step % every > 0) continue;
      last = await judge();
      losses.push([step / every, sum / every]);
      accuracies.push([step / every, last.accuracy]);
      sum = 0;
    }
    const seen = lookInto.length === 0 ? null : await lookAt(graph, training.state, test, lookInto, seed);
    return { accuracy: last.accuracy, confusion: last.confusion, losses, accuracies, seen };
  } finally {
    disposeTraining(training);
  }
}

async function lookAt(
  graph: LayerGraph,
  state: NetworkState,
  test: Dataset,
  layers: readonly string[],
  seed: number,
): Promise<Seen> {
  const chosen = [0, test.labels.findIndex((label) => label !== test.labels[0])];
  const pictures = takeBatch(test, chosen);
  const [, height, width, channels] = pictures.shape;
  const stream = randomStream({ seed, purpose: "lenet-training/noise" });
  const noise = fillUniform(stream, new Float32Array(height * width * channels), 0, 1);
  const pixels = new Float32Array(3 * noise.length);
  pixels.set(pictures.images);
  pixels.set(noise, pictures.images.length);
  const images = tensor4d(pixels, [3, height, width, channels]);
  try {
    const { maps } = await inspectNetwork(graph, state, images, { mapLayers: layers });
    const size = height * width;
    const rows = layers.map((label) => {
      const own = maps.filter(({ layer }) => layer === label);
      const white = own.reduce((most, map) => map.values.reduce((a, b) => Math.max(a, b), most), 0) || 1;
      return { label, maps: own.map((map): TiledMap => ({ shape: map.shape, values: map.values, white })) };
    });
    const originals = [0, 1, 2].map((i): TiledMap => {
      const first = Float32Array.from({ length: size }, (_, at) => pixels[(i * size + at) * channels]!);
      return { shape: [1, height, width], values: first, white: 1 };
    });
    return {
      columns: [...chosen.map((sample) => test.labels[sample]!), null],
      rows: [{ label: "image", maps: originals }, ...rows],
    };
  } finally {
    images.dispose();
  }
}
