import { breather } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { dispose } from "@tensorflow/tfjs-core";
import { infer } from "../apply-network.js";
import { expectFunction } from "../expect-values.js";
import { layerTensors } from "../layers/inference-ops.js";
import { classesOf, networkPlans } from "../network-plans.js";
import { type NetworkState, recordsOf } from "../network-state.js";
import { type ImageBatch, imageTensors } from "./image-batch.js";

export interface EvaluateOptions {
  /** The images of batch `index`, from 0, or null after the last; tensors belong to `evaluateNetwork`. */
  readonly batch: (index: number) => ImageBatch | null | Promise<ImageBatch | null>;
  /** Stops before the next batch with the signal's reason as the error. */
  readonly signal?: AbortSignal;
}

export interface Evaluation {
  /** How many images there were. */
  readonly count: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Share of the images whose largest logit is that of their label. */
  readonly accuracy: number;
  /** How many images of class `row` were taken for class `column`. */
  readonly confusion: number[][];
  /** The accuracy on the images of each class; null where there was none. */
  readonly perClass: (number | null)[];
}

/**
 * How well a network classifies images.
 *
 * @param state As `initNetwork` makes it, or of a training. Borrowed.
 * @returns Plain data. Of equal logits the first counts as the largest.
 * @throws {RangeError} when there is no image, or a label is not in [0, classes).
 * @throws {ShapeError | TypeError} when images, labels or parameters do not fit the graph.
 */
export async function evaluateNetwork(
  graph: LayerGraph,
  state: NetworkState,
  { batch, signal }: EvaluateOptions,
): Promise<Evaluation> {
  expectFunction("evaluateNetwork: batch", batch);
  recordsOf("evaluateNetwork", state);
  const look = looker(graph, state);
  const confusion: number[][] = [];
  let count = 0;
  let loss = 0;
  const breathe = breather();
  for (let index = 0; ; index++) {
    await breathe();
    signal?.throwIfAborted();
    const next = await batch(index);
    if (next === null) break;
    const { logits, labels, classes } = await look(next);
    while (confusion.length < classes) confusion.push(Array.from({ length: classes }, () => 0));
    for (const [i, label] of labels.entries()) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const counts = confusion[label];
      if (counts === undefined) {
        throw new RangeError(
          `evaluateNetwork: labels: expected integers in [0, ${classes}), got ${label} (batch ${index}, image ${i})`,
        );
      }
      const top = largest(row);
      counts[top]!++;
      loss += Math.log(row.reduce((sum, z) => sum + Math.exp(z - row[top]!), 0)) - (row[label]! - row[top]!);
      count++;
    }
  }
  if (count === 0) throw new RangeError("evaluateNetwork: batch: expected at least one image, got none");
  const perClass = confusion.map((row, label) => {
    const total = row.reduce((a, b) => a + b, 0);
    return total === 0 ? null : row[label]! / total;
  });
  const right = confusion.reduce((sum, row, label) => sum + row[label]!, 0);
  return { count, loss: loss / count, accuracy: right / count, confusion, perClass };
}

interface Looked {
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

/** Computes the logits of batches, which it disposes. */
function looker(graph: LayerGraph, state: NetworkState): (batch: ImageBatch) => Promise<Looked> {
  const plans = networkPlans("evaluateNetwork", graph);
  return async (batch) => {
    const { images, labels } = imageTensors("evaluateNetwork", batch);
    try {
      const plan = plans(images);
      const classes = classesOf("evaluateNetwork", plan, images);
      const y = infer(plan, layerTensors("evaluateNetwork", plan.facts, state), images);
      try {
        const [logits, integers] = await Promise.all([y.data(), labels.data()]);
        return { logits: logits as Float32Array, labels: integers as Int32Array, classes };
      } finally {
        y.dispose();
      }
    } finally {
      dispose([images, labels]);
    }
  };
}

function largest(row: Float32Array): number {
  let top = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[top]!) top = i;
  return top;
}
