import { heNormal, normalTensor } from "@gradlab/core";
import { executeGraph, type LayerGraph } from "@gradlab/receptive-field";
import { type EffectiveField, effectiveField } from "@gradlab/receptive-field/measure";
import type { Picture } from "@gradlab/studies";
import {
  add,
  conv2d,
  maxPool,
  ones,
  pad,
  relu,
  type Tensor,
  type Tensor4D,
  tensor4d,
} from "@tensorflow/tfjs-core";

/**
 * The effective field of the one unit at the end of `depth` convolutions, one above the other, all of whose weights
 * are 1.
 *
 * @param kernel Side of every kernel; the layers are not padded.
 */
export async function stackOfOnes(depth: number, kernel: number): Promise<EffectiveField> {
  const size = depth * (kernel - 1) + 1;
  const image = ones([1, size, size, 1]) as Tensor4D;
  const stack = (x: Tensor4D) => {
    const filter = ones([kernel, kernel, 1, 1]) as Tensor4D;
    let y = x;
    for (let layer = 0; layer < depth; layer++) y = conv2d(y, filter, 1, "valid");
    return y;
  };
  try {
    return await effectiveField(stack, [image]);
  } finally {
    image.dispose();
  }
}

/** How wide the layers of a random network are. */
const channels = 8;

/**
 * The effective field of a graph of 3x3 convolutions with ReLU, max-pools and sums, with random weights.
 *
 * @param graph Its convolutions are square, and its first layer is one.
 * @param images Batches `[batch, h, w, c]`; borrowed.
 */
export async function randomField(
  graph: LayerGraph,
  unit: readonly [y: number, x: number],
  images: readonly Tensor4D[],
  seed: number,
): Promise<EffectiveField> {
  const filters = new Map<string, Tensor4D>();
  for (const layer of graph.layers) {
    if (layer.op !== "conv") continue;
    const inputs = filters.size === 0 ? images[0]!.shape[3] : channels;
    const side = layer.kernel as number;
    const purpose = `effective-field/${layer.name}`;
    filters.set(layer.name, heNormal([side, side, inputs, channels], { seed, purpose }) as Tensor4D);
  }
  const padded = (x: Tensor, padding: readonly (readonly [number, number])[]) =>
    pad(x as Tensor4D, [[0, 0], ...padding, [0, 0]] as [number, number][]);
  const network = (x: Tensor4D) =>
    executeGraph<Tensor>(
      graph,
      x,
      {
        conv: ([y], { layer, stride, padding }) =>
          relu(conv2d(padded(y!, padding), filters.get(layer.name)!, stride as [number, number], "valid")),
        // What comes out of a ReLU or a sum of them is not below 0, so that zeros around it win no maximum.
        pool: ([y], { kernel, stride, padding }) =>
          maxPool(padded(y!, padding), kernel as [number, number], stride as [number, number], "valid"),
        add: ([a, b]) => add(a!, b!),
      },
      { inputSize: x.shape.slice(1, 3) },
    ) as Tensor4D;
  try {
    return await effectiveField(network, images, { unit });
  } finally {
    for (const filter of filters.values()) filter.dispose();
  }
}

/** A batch of images of one channel of normal noise. */
export function noiseImages(count: number, size: number, seed: number): Tensor4D {
  return normalTensor([count, size, size, 1], { seed, purpose: "effective-field/noise" }) as Tensor4D;
}

/** A picture as a batch of one, brightness from −1 to 1. */
export function imageOf({ width, height, data }: Picture): Tensor4D {
  return tensor4d(
    Float32Array.from(data, (value) => value / 127.5 - 1),
    [1, height, width, 3],
  );
}
