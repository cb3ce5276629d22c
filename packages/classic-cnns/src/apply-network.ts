import { flattenParams, type Params, ShapeError } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { executeGraph } from "@gradlab/receptive-field/measure";
import { Tensor, type Tensor4D, tidy } from "@tensorflow/tfjs-core";
import { type LayerFact, layerFacts } from "./layer-facts.js";
import { inferenceOps, layerTensors } from "./layers/inference-ops.js";

export interface ApplyOptions {
  /** Running statistics of the batch norms; a network without any needs none. Borrowed. */
  readonly statistics?: Params;
  /** Called with every layer's value in computation order: `[batch, h, w, channels]` or `[batch, units]`, borrowed. */
  readonly onLayer?: (name: string, value: Tensor) => void;
}

/**
 * Computes a network for inference: batch norms use the running statistics, dropout does nothing.
 *
 * Differentiable by `x` and the parameters.
 *
 * @param graph A network of `network`, or any other graph of its ops.
 * @param params As `initNetwork` makes them. Borrowed.
 * @param x Images, `[batch, height, width, channels]`, float32; of another size than the graph's, where no dense layer
 *   depends on it.
 * @returns The value of the last layer: logits `[batch, classes]`; the caller disposes it.
 * @throws {ShapeError} when `x` or a parameter is of another shape than the graph says.
 * @throws {TypeError | RangeError} when the graph is impossible, or a parameter missing; the message names its path.
 */
export function applyNetwork(
  graph: LayerGraph,
  params: Params,
  x: Tensor4D,
  { statistics = {}, onLayer }: ApplyOptions = {},
): Tensor {
  const facts = factsFor("applyNetwork", graph, x);
  const tensors = layerTensors("applyNetwork", facts, flattenParams(params), flattenParams(statistics));
  return tidy(() =>
    executeGraph<Tensor>(graph, x, inferenceOps(tensors), {
      inputSize: x.shape.slice(1, 3),
      ...(onLayer && { onLayer }),
      release: (value) => value.dispose(),
    }),
  );
}

/** The facts of a graph for these images, which are checked. */
export function factsFor(caller: string, graph: LayerGraph, x: Tensor4D): readonly LayerFact[] {
  const channels = graph?.input?.channels;
  if (!(x instanceof Tensor)) {
    throw new TypeError(`${caller}: x: expected a tensor, got ${x === null ? "null" : typeof x}`);
  }
  if (x.rank !== 4 || x.shape[3] !== channels || x.shape[0] === 0) {
    throw new ShapeError(
      `${caller}: x: expected [batch, height, width, ${channels ?? "channels"}], got [${x.shape.join(", ")}]`,
    );
  }
  if (x.dtype !== "float32") throw new TypeError(`${caller}: x: expected float32, got ${x.dtype}`);
  return layerFacts(graph, caller, x.shape.slice(1, 3));
}

/** The number of classes of a network whose result for these images is `[batch, classes]`. */
export function classesOf(caller: string, facts: readonly LayerFact[], x: Tensor4D): number {
  const [units, ...size] = facts.at(-1)!.outputShape as [number, ...number[]];
  if (size.length === 0) return units;
  throw new ShapeError(
    `${caller}: graph: expected logits [batch, classes], got [${[x.shape[0], ...size, units].join(", ")}]`,
  );
}
