import {
  inspectNetwork,
  type LayerActivations,
  type NetworkState,
  type ParameterHistogram,
  summary,
} from "@gradlab/classic-cnns";
import { type Dataset, takeBatch } from "@gradlab/datasets";
import type { LayerGraph } from "@gradlab/receptive-field";
import { tensor1d, tensor4d } from "@tensorflow/tfjs-core";

/** A trained network while it looks at some images: how its numbers are distributed, and what is dead in it. */
export interface Inspection {
  /** How many images it looked at, spread over the set. */
  readonly images: number;
  /** Mean cross-entropy on them. */
  readonly loss: number | null;
  /** Of every ReLU: channels (or units) that are positive nowhere on these images. */
  readonly deadUnits: readonly { readonly layer: string; readonly dead: number; readonly of: number }[];
  readonly activations: readonly LayerActivations[];
  readonly weights: readonly ParameterHistogram[];
  readonly gradients: readonly ParameterHistogram[];
}

/** Looks into a network, with gradients, on some images of a set. */
export async function inspectRun(
  graph: LayerGraph,
  state: NetworkState,
  dataset: Dataset,
): Promise<Inspection> {
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
