import {
  type ImageArrays,
  initNetwork,
  type NetworkState,
  network,
  startNetworkTraining,
  trainNetwork,
} from "@gradlab/classic-cnns";
import { disposeParams, disposeTraining, flattenParams } from "@gradlab/core";
import { generateShapes, takeBatch } from "@gradlab/datasets";
import type { LayerGraph } from "@gradlab/receptive-field";
import { abs, max, type Tensor, tidy } from "@tensorflow/tfjs-core";
import { lookAtGradients } from "./look-at-gradients.js";
import { withZeros } from "./with-zeros.js";

/** The largest absolute value of each parameter, or of its gradient, by path. */
export type Sizes = Readonly<Record<string, number>>;

/** small-cnn with ReLUs, with sigmoids in their place, and without the last one; and some images to learn. */
export function openZeroNetworks(seed: number) {
  const relu = network("small-cnn");
  const sigmoid: LayerGraph = {
    ...relu,
    layers: relu.layers.map((layer) => (layer.op === "pointwise" ? { ...layer, fn: "sigmoid" } : layer)),
  };
  const linearEnd: LayerGraph = { ...relu, layers: relu.layers.slice(0, -1) };
  // Two of the ten classes: were they all as frequent as the network says, their errors would cancel.
  const shapes = generateShapes({ count: 2, size: 32, channels: 3, seed });
  return { relu, sigmoid, linearEnd, images: takeBatch(shapes, [0, 1]) };
}

/** Every kernel zero; biases as PyTorch draws them, or zero too. */
const zeroState = (graph: LayerGraph, biases: "torch" | "zero"): NetworkState =>
  withZeros(initNetwork(graph, { scheme: "torch" }), biases === "zero" ? "all" : "kernels");

/** The largest gradient of each parameter at zero weights. */
export async function gradientSizes(
  graph: LayerGraph,
  biases: "torch" | "zero",
  images: ImageArrays,
): Promise<Sizes> {
  const state = zeroState(graph, biases);
  try {
    const { gradients } = await lookAtGradients(graph, state, images, 1);
    return Object.fromEntries(
      gradients.map(({ path, histogram: { min, max: most, nonFinite } }) => {
        return [path, nonFinite > 0 ? Number.NaN : Math.max(Math.abs(min!), Math.abs(most!))];
      }),
    );
  } finally {
    disposeParams(state);
  }
}

/** The largest number of each parameter after every step of gradient descent from nothing but zeros. */
export async function trainFromZero(
  graph: LayerGraph,
  images: ImageArrays,
  { steps, signal }: { readonly steps: number; readonly signal: AbortSignal },
): Promise<Sizes[]> {
  const state = zeroState(graph, "zero");
  const training = startNetworkTraining(graph, state, { name: "sgd", learningRate: 1 });
  disposeParams(state);
  const trace: Sizes[] = [];
  try {
    for await (const _ of trainNetwork(graph, training, { batch: () => images, steps, signal })) {
      const sizes: Record<string, number> = {};
      for (const [path, tensor] of flattenParams(training.state.params)) sizes[path] = await largest(tensor);
      trace.push(sizes);
    }
    return trace;
  } finally {
    disposeTraining(training);
  }
}

async function largest(tensor: Tensor): Promise<number> {
  const result = tidy(() => max(abs(tensor)));
  const [value] = await result.data();
  result.dispose();
  return value!;
}
