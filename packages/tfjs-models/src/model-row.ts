import type { LayerGraph } from "@gradlab/receptive-field";
import type { Shape } from "./model-shape.js";

/** One layer or node of a model. */
export interface ModelRow {
  readonly name: string;
  /** The class of the layer, or the operation of the node. */
  readonly op: string;
  /** Of its output, in the order of the model, without the batch; null where it is not known. */
  readonly output: Shape | null;
  /** Window of a convolution or pooling; null for others. */
  readonly kernel: readonly number[] | null;
  /** Numbers that it keeps: weights, biases, statistics of norms. Null where that is not known. */
  readonly params: number | null;
  /** Those of them that training changes; null in graph models, which do not say. */
  readonly trainable: number | null;
  /** Those of them that are multiplied: without biases and norms. */
  readonly weights: number | null;
  /** Multiply-accumulates for one image; null where they are not known. */
  readonly macs: number | null;
}

export interface ModelRows {
  readonly kind: "layers-model" | "graph-model";
  /** Of the input, without the batch; null where not even the rank is known. */
  readonly input: Shape | null;
  readonly rows: readonly ModelRow[];
  readonly params: number;
  /** Null in graph models. */
  readonly trainable: number | null;
  /** The positions of the model; null where it has none, or hides them. */
  readonly graph: LayerGraph | null;
  /** What is not known, a line each. */
  readonly warnings: readonly string[];
}

export interface ModelRowsOptions {
  /** Another size of the input along its axes of positions; one stands for all of them. */
  readonly size?: readonly number[];
  /** Input channels, where the model leaves them open. */
  readonly channels?: number;
  /** Of a graph model: the bytes of all weight shards. */
  readonly weights?: Uint8Array;
}
