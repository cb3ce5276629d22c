import {
  type ImageArrays,
  type InitScheme,
  initNetwork,
  type NetworkState,
  network,
  type ParameterHistogram,
} from "@gradlab/classic-cnns";
import { disposeParams } from "@gradlab/core";
import { generateShapes, takeBatch } from "@gradlab/datasets";
import { closedFormImages, closedFormWeights } from "./closed-form.js";
import { kernelSizes, lookAtGradients, ofKernels } from "./look-at-gradients.js";
import { withZeros } from "./with-zeros.js";

const graph = network("small-cnn");
const bins = 48;
const count = 10;

/** Weights and gradients of one layer. */
export interface LayerAtStart {
  readonly layer: string;
  /** Of its kernel, of one unit or filter: how many numbers are added up. */
  readonly fanIn: number;
  readonly weights: ParameterHistogram["histogram"];
  readonly gradients: ParameterHistogram["histogram"];
  /** With every kernel zero. */
  readonly zeroGradients: ParameterHistogram["histogram"];
}

/** small-cnn as PyTorch draws it, before any training, on generated shapes. */
export async function drawnAtStart(seed: number): Promise<LayerAtStart[]> {
  const images = shapes(seed);
  const drawn = await looked(initNetwork(graph, { seed, scheme: "torch" }), images);
  const zero = await looked(withZeros(initNetwork(graph, { seed, scheme: "torch" }), "kernels"), images);
  const [weights, gradients, zeros] = [drawn.weights, drawn.gradients, zero.gradients].map(ofKernels);
  return weights!.map(({ path, shape, histogram }, i) => ({
    layer: path.slice(0, -".kernel".length),
    fanIn: shape.slice(0, -1).reduce((a, b) => a * b, 1),
    weights: histogram,
    gradients: gradients![i]!.histogram,
    zeroGradients: zeros![i]!.histogram,
  }));
}

/** How large the gradients of the kernels are with weights that are drawn in other ways. */
export async function sizesAtStart(schemes: readonly InitScheme[], seed: number): Promise<number[][]> {
  const images = shapes(seed);
  const sizes: number[][] = [];
  for (const scheme of schemes) {
    const { gradients } = await looked(initNetwork(graph, { seed, scheme }), images);
    sizes.push(kernelSizes(gradients));
  }
  return sizes;
}

/** The same with weights and images that are a formula; and with zeros for the kernels. */
export async function closedFormSizes(): Promise<{ drawn: number[]; zero: number[] }> {
  const x = closedFormImages(count, [32, 32]);
  const images: ImageArrays = {
    images: (await x.data()) as Float32Array,
    shape: x.shape,
    labels: Int32Array.from({ length: count }, (_, i) => (7 * i) % 10),
  };
  x.dispose();
  const drawn = await looked(closedFormWeights(graph), images);
  const zero = await looked(withZeros(closedFormWeights(graph), "kernels"), images);
  return { drawn: kernelSizes(drawn.gradients), zero: kernelSizes(zero.gradients) };
}

function shapes(seed: number): ImageArrays {
  const data = generateShapes({ count, size: 32, channels: 3, seed });
  return takeBatch(data, [...data.labels.keys()]);
}

/** Looks at a state, and disposes it. */
async function looked(state: NetworkState, images: ImageArrays) {
  try {
    return await lookAtGradients(graph, state, images, bins);
  } finally {
    disposeParams(state);
  }
}
