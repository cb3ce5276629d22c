import { inspectNetwork, type NetworkState } from "@gradlab/classic-cnns";
import { summary } from "@gradlab/classic-cnns/networks";
import { type Dataset, takeBatch } from "@gradlab/datasets";
import { fillUniform, randomStream } from "@gradlab/random";
import type { LayerGraph } from "@gradlab/receptive-field";
import { tensor1d, tensor4d } from "@tensorflow/tfjs-core";
import type { Picture } from "../../declaration/option.js";
import type { Inspection, Looks } from "./train-cnn-record.js";

/** Looks into a network, with gradients, on some images of a set. */
export async function inspect(graph: LayerGraph, state: NetworkState, dataset: Dataset): Promise<Inspection> {
  const batch = takeBatch(dataset, spread(dataset.count, affordable(graph)));
  const images = tensor4d(batch.images, [...batch.shape]);
  const labels = tensor1d(batch.labels, "int32");
  try {
    const seen = await inspectNetwork(graph, state, images, { labels });
    const { activations, weights, gradients, loss } = seen;
    const deadUnits = activations.flatMap(({ layer, shape, dead }) =>
      dead === undefined ? [] : [{ layer, dead: dead.length, of: shape[0]! }],
    );
    return { images: seen.images, loss, deadUnits, activations, weights, gradients };
  } finally {
    images.dispose();
    labels.dispose();
  }
}

/** How many images fit when all activations are held at once: 80 MB of them, and their gradients. */
function affordable(graph: LayerGraph): number {
  const each = summary(graph).layers.reduce(
    (sum, { outputShape }) => sum + outputShape.reduce((a, b) => a * b, 1),
    0,
  );
  return Math.max(2, Math.min(100, Math.floor(2e7 / each)));
}

/** At most so many places, evenly over a set: its first images may be of one class. */
function spread(count: number, most: number): number[] {
  const n = Math.min(count, most);
  return Array.from({ length: n }, (_, i) => Math.floor((i * count) / n));
}

/** How many layers and channels are shown. */
const most = { layers: 6, units: 64 };

/** What the layers of a network make of an image of one class, of one of another class and of pure noise. */
export async function look(
  graph: LayerGraph,
  state: NetworkState,
  {
    dataset,
    labels,
    seed,
  }: { readonly dataset: Dataset; readonly labels: readonly string[]; readonly seed: number },
): Promise<Looks> {
  const places = oneOfEachOfTwoClasses(dataset);
  const size = dataset.shape.reduce((a, b) => a * b);
  const noise = fillUniform(
    randomStream({ seed, purpose: "gradlab/train-cnn/noise" }),
    new Float32Array(size),
  );
  const images = [...takeBatch(dataset, places).images, ...noise];
  const count = places.length + 1;
  const x = tensor4d(images, [count, ...dataset.shape]);
  try {
    const { maps } = await inspectNetwork(graph, state, x, {
      mapLayers: layersToShow(graph),
      mapChannels: most.units,
    });
    return {
      columns: [...places.map((place) => labels[dataset.labels[place]!]!), "noise"],
      inputs: Array.from({ length: count }, (_, i) => inputPicture(images.slice(i * size), dataset.shape)),
      maps,
    };
  } finally {
    x.dispose();
  }
}

/** The first image, and the first of another class; one place where there is but one class. */
function oneOfEachOfTwoClasses({ labels }: Dataset): number[] {
  const other = labels.findIndex((label) => label !== labels[0]);
  return other < 0 ? [0] : [0, other];
}

/** What comes out of nonlinearities, evenly over the depth, and the logits. */
function layersToShow({ layers }: LayerGraph): string[] {
  const bent = layers.filter(
    (layer) => layer.op === "pointwise" && ["relu", "relu6", "sigmoid", "tanh"].includes(layer.fn ?? ""),
  );
  const n = Math.min(bent.length, most.layers);
  const chosen = Array.from({ length: n }, (_, i) => bent[Math.floor((i * bent.length) / n)]!.name);
  return [...new Set([...chosen, layers.at(-1)!.name])];
}

/** An image of numbers from 0 to 1, one channel as grey; of more than three channels the first. */
function inputPicture(values: readonly number[], [height, width, channels]: Dataset["shape"]): Picture {
  const data = new Uint8Array(height * width * 3);
  for (let at = 0; at < height * width; at++) {
    for (let color = 0; color < 3; color++) {
      const channel = channels === 3 ? color : 0;
      data[3 * at + color] = Math.round(255 * values[at * channels + channel]!);
    }
  }
  return { width, height, data };
}
