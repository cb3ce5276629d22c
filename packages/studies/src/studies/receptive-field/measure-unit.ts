import { executeGraph, type LayerGraph, type ReceptiveField } from "@gradlab/receptive-field";
import {
  type EffectiveField,
  effectiveField,
  measureField,
  positiveOps,
} from "@gradlab/receptive-field/measure";
import { ones, reshape, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import { type Reached, reached } from "./reached.js";

/** What reaches a unit, computed in two ways. */
export interface MeasuredUnit {
  readonly layer: string;
  readonly index: readonly number[];
  /** By the arithmetic. */
  readonly arithmetic: Reached;
  /** By the gradient of the unit, all weights being equal and positive. */
  readonly gradient: Reached;
  /** How that gradient is spread; null for networks that are not on images. */
  readonly effective: Pick<EffectiveField, "center" | "contours" | "rows"> | null;
}

/**
 * Differentiates a unit by every pixel, on the backend in use.
 *
 * @param field What the arithmetic says of the graph, on an input of known size.
 * @throws {RangeError} when tensors cannot compute a layer.
 */
export async function measureUnit(
  graph: LayerGraph,
  field: ReceptiveField,
  layer: string,
  index: readonly number[],
): Promise<MeasuredUnit> {
  // Layers in the order of computation, up to the one that is measured.
  const end = field.layers.findIndex(({ name }) => name === layer);
  const layers = field.layers
    .slice(0, end + 1)
    .map(({ name }) => graph.layers.find((one) => one.name === name)!);
  const upTo = { input: { ...graph.input, shape: field.inputSize }, layers };
  const { pixels, contributing } = await measureField(upTo, layer, index);
  return {
    layer,
    index,
    arithmetic: reached(field, layer, index),
    gradient: { pixels, contributing },
    effective: index.length === 2 && contributing > 0 ? await spread(upTo, index as [number, number]) : null,
  };
}

async function spread(
  graph: LayerGraph,
  unit: readonly [y: number, x: number],
): Promise<MeasuredUnit["effective"]> {
  const [height, width] = graph.input.shape as [number, number];
  const network = (x: Tensor4D) => {
    const y = executeGraph<Tensor>(graph, reshape(x, [height, width]), positiveOps);
    return reshape(y, [1, y.shape[0]!, y.shape[1]!, 1]) as Tensor4D;
  };
  const image = ones([1, height, width, 1]) as Tensor4D;
  try {
    const { center, contours, rows } = await effectiveField(network, [image], { unit, masses: [0.5, 0.95] });
    return { center, contours, rows };
  } finally {
    image.dispose();
  }
}
