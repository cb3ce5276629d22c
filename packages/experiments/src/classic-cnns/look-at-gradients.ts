import {
  type ImageArrays,
  inspectNetwork,
  type NetworkInspection,
  type NetworkState,
  type ParameterHistogram,
} from "@gradlab/classic-cnns";
import type { LayerGraph } from "@gradlab/receptive-field";
import { tensor1d, tensor4d } from "@tensorflow/tfjs-core";

/** The weights of a network in training, and the gradients of its loss on some images. */
export async function lookAtGradients(
  graph: LayerGraph,
  state: NetworkState,
  { images, shape, labels }: ImageArrays,
  bins: number,
): Promise<Pick<NetworkInspection, "loss" | "weights" | "gradients">> {
  const x = tensor4d(images, [...shape]);
  const y = tensor1d(labels, "int32");
  try {
    return await inspectNetwork(graph, state, x, { labels: y, mode: "training", bins });
  } finally {
    x.dispose();
    y.dispose();
  }
}

/** Those of the kernels. */
export const ofKernels = (parameters: readonly ParameterHistogram[]) =>
  parameters.filter(({ path }) => path.endsWith(".kernel"));

/** The root mean square of each kernel, or of its gradient, in the order of the layers; NaN where it is not finite. */
export function kernelSizes(parameters: readonly ParameterHistogram[]): number[] {
  return ofKernels(parameters).map(({ histogram: { mean, std, nonFinite } }) => {
    return nonFinite > 0 ? Number.NaN : Math.hypot(mean!, std!);
  });
}
