import { type InitScheme, initNetwork, type NetworkName, network, summary } from "@gradlab/classic-cnns";
import { disposeParams } from "@gradlab/core";
import { type Dataset, generateShapes, takeBatch } from "@gradlab/datasets";
import type { LayerGraph } from "@gradlab/receptive-field";
import { kernelSizes, lookAtGradients } from "./look-at-gradients.js";

/** A network of the comparison, and what suits it. */
interface Entrant {
  readonly name: string;
  readonly graph: LayerGraph;
  /** Xavier's for sigmoids, He's for ReLUs. */
  readonly scheme: InitScheme;
  /** Of Adam. */
  readonly rate: number;
}

/** VGG's five halvings need 32 pixels. */
const size = 32;

const entrants: readonly [name: string, net: NetworkName, width: readonly number[] | number, scheme: InitScheme, rate: number][] = [
  ["LeNet, sigmoid, average", "lenet", 1, "xavier-uniform", 5e-3],
  ["LeNet, ReLU, maximum", "lenet-relu", 1, "xavier-uniform", 2e-3],
  ["VGG-11, narrow", "vgg11", [8, 8, 16, 16, 16, 128, 64], "he-normal", 2e-3],
  ["ResNet-18, narrow", "resnet18", [4, 8, 16, 16], "he-normal", 4e-3],
]; // biome-ignore format: a table

/** The networks, for grey images of 32 × 32 pixels in 10 classes. */
export function openEntrants(): Entrant[] {
  return entrants.map(([name, net, width, scheme, rate]) => {
    const graph = network(net, { inputSize: size, channels: 1, classes: 10, width });
    return { name, graph, scheme, rate };
  });
}

/** Generated shapes to learn from, and others to be judged by. */
export function openShapes(seed: number, count: { readonly train: number; readonly test: number }) {
  const scene = { seed, size };
  return {
    train: generateShapes({ ...scene, count: count.train }),
    test: generateShapes({ ...scene, count: count.test, first: count.train }),
  };
}

/** Multiply-accumulates for one image forward, and the number of parameters. */
export function costOf({ graph }: Entrant): { macs: number; parameters: number } {
  const { macs, params } = summary(graph);
  return { macs, parameters: params };
}

/** The root mean square of the gradient of every kernel before the first step, in the order of the layers. */
export async function firstGradients(
  { graph, scheme }: Entrant,
  train: Dataset,
  { seed, count }: { readonly seed: number; readonly count: number },
): Promise<number[]> {
  const state = initNetwork(graph, { seed, scheme });
  const images = takeBatch(
    train,
    Array.from({ length: count }, (_, i) => i),
  );
  try {
    return kernelSizes((await lookAtGradients(graph, state, images, 1)).gradients);
  } finally {
    disposeParams(state);
  }
}
