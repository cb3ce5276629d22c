import type { LayerGraph } from "@gradlab/receptive-field";
import { softmax, type Tensor4D, tidy } from "@tensorflow/tfjs-core";
import { infer } from "../apply-network.js";
import { expectInteger } from "../expect-values.js";
import { layerTensors } from "../layers/inference-ops.js";
import { classesOf, networkPlans } from "../network-plans.js";
import type { NetworkState } from "../network-state.js";

export interface PredictOptions {
  /** How many classes for each image, 5 unless given; all where there are fewer. */
  readonly top?: number;
  /** The name of each class. */
  readonly labels?: readonly string[];
}

export interface Prediction {
  readonly index: number;
  /** Softmax of the logits. */
  readonly probability: number;
  /** The name of the class, where names were given. */
  readonly label?: string;
}

/**
 * The most probable classes of each image, the most probable one first (of equal ones that of the smaller index).
 *
 * @param state As `initNetwork` or `readWeights` makes it. Borrowed.
 * @param x Images, `[batch, height, width, channels]`, float32. Borrowed.
 * @returns For each image, `top` predictions.
 * @throws {TypeError | RangeError} when an option is out of range, or there are not as many names as classes.
 * @throws {ShapeError} when the images or parameters do not fit the graph.
 */
export async function predict(
  graph: LayerGraph,
  state: NetworkState,
  x: Tensor4D,
  { top = 5, labels }: PredictOptions = {},
): Promise<Prediction[][]> {
  expectInteger("predict: top", top, 1);
  const plan = networkPlans("predict", graph)(x);
  const classes = classesOf("predict", plan, x);
  if (labels !== undefined && labels.length !== classes) {
    throw new RangeError(`predict: labels: expected ${classes} names, got ${labels.length}`);
  }
  const tensors = layerTensors("predict", plan.facts, state);
  const probabilities = tidy(() => softmax(infer(plan, tensors, x)));
  try {
    const [batch] = x.shape;
    const data = await probabilities.data();
    return Array.from({ length: batch }, (_, image) => {
      const row = data.subarray(image * classes, (image + 1) * classes);
      return topPredictions(row, top, labels);
    });
  } finally {
    probabilities.dispose();
  }
}

/** The classes of the highest values, the highest first; equal ones by their number. */
export function topPredictions(
  values: ArrayLike<number>,
  top: number,
  labels?: readonly string[] | null,
): Prediction[] {
  const order = Array.from(values, (_, index) => index).sort((a, b) => values[b]! - values[a]! || a - b);
  return order.slice(0, top).map((index) => ({
    index,
    probability: values[index]!,
    ...(labels && { label: labels[index]! }),
  }));
}
