import {
  type ImageBatch,
  initNetwork,
  inspectNetwork,
  network,
  startNetworkTraining,
  trainNetwork,
} from "@gradlab/classic-cnns";
import { disposeParams, disposeTraining, flattenParams, mapParams, type Params } from "@gradlab/core";
import { generateShapes, takeBatch } from "@gradlab/datasets";
import type { LayerGraph } from "@gradlab/receptive-field";
import { abs, dispose, max, type Tensor, tidy, zerosLike } from "@tensorflow/tfjs-core";
import { toTensors } from "../../train-cnn/train-epochs.js";

/** The largest absolute value of each parameter, or of its gradient, by path. */
type Sizes = ReadonlyMap<string, number>;

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
  const images = toTensors(takeBatch(shapes, [0, 1]));
  return { relu, sigmoid, linearEnd, images, disposeImages: () => dispose([images.images, images.labels]) };
}

/** Every kernel zero; biases as PyTorch draws them, or zero too. */
function zeroParams(graph: LayerGraph, biases: "torch" | "zero"): Params {
  const drawn = initNetwork(graph, { scheme: "torch" });
  const isZero = (path: string) => biases === "zero" || path.endsWith(".kernel");
  try {
    return mapParams(drawn, (tensor, path) => (isZero(path) ? zerosLike(tensor) : tensor.clone()));
  } finally {
    disposeParams(drawn);
  }
}

/** The largest gradient of each parameter at zero weights. */
export async function gradientSizes(
  graph: LayerGraph,
  biases: "torch" | "zero",
  { images, labels }: ImageBatch,
): Promise<Sizes> {
  const params = zeroParams(graph, biases);
  try {
    const { gradients } = await inspectNetwork(graph, params, images, { labels, mode: "training", bins: 1 });
    return new Map(
      gradients.map(({ path, histogram: { min, max: most, nonFinite } }) => {
        return [path, nonFinite > 0 ? Number.NaN : Math.max(Math.abs(min!), Math.abs(most!))];
      }),
    );
  } finally {
    disposeParams(params);
  }
}

/** The largest number of each parameter after every step of gradient descent from nothing but zeros. */
export async function trainFromZero(
  graph: LayerGraph,
  { images, labels }: ImageBatch,
  { steps, signal }: { readonly steps: number; readonly signal: AbortSignal },
): Promise<Sizes[]> {
  const params = zeroParams(graph, "zero");
  const training = startNetworkTraining({ params }, { name: "sgd", learningRate: 1 });
  disposeParams(params);
  const trace: Sizes[] = [];
  try {
    const batch = () => ({ images: images.clone(), labels: labels.clone() });
    for await (const _ of trainNetwork(graph, training, { batch, steps, signal })) {
      const sizes = new Map<string, number>();
      for (const [path, tensor] of flattenParams(training.state.params))
        sizes.set(path, await largest(tensor));
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
