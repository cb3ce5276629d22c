import { applyNetwork, type NetworkName, type NetworkOptions, network } from "@gradlab/classic-cnns";
import { disposeParams } from "@gradlab/core";
import { closedFormImages, closedFormWeights } from "./closed-form.js";

/** The logits of a network for one image, weights and image in closed form. */
export async function closedFormLogits(
  name: NetworkName,
  options: NetworkOptions & { readonly inputSize: readonly [height: number, width: number] },
): Promise<number[]> {
  const graph = network(name, options);
  const state = closedFormWeights(graph);
  const images = closedFormImages(1, options.inputSize);
  try {
    const logits = applyNetwork(graph, state, images);
    try {
      return Array.from(await logits.data());
    } finally {
      logits.dispose();
    }
  } finally {
    images.dispose();
    disposeParams(state);
  }
}
