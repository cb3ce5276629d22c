import { type LayerGraph, type LayerOp, receptiveField } from "@gradlab/receptive-field";
import {
  type CountingPolicy,
  type CountingPolicyName,
  countingPolicy,
  countOperations,
} from "./counting-policy.js";
import { planNetwork } from "./layer-facts.js";

export interface SummaryOptions {
  /** Pixels, one number or `[height, width]`; default: the graph's own. */
  readonly inputSize?: number | readonly [height: number, width: number];
  /** What counts as an operation; default `"macs"`. */
  readonly policy?: CountingPolicyName | CountingPolicy;
}

/** One layer of the table. */
export interface SummaryRow {
  readonly name: string;
  readonly op: LayerOp;
  /** Of a pointwise layer: what it computes. */
  readonly fn?: string;
  /** `[channels, height, width]`, or `[units]`. */
  readonly outputShape: readonly number[];
  /** Window of a convolution or pooling, `[height, width]`; null for others. */
  readonly kernel: readonly number[] | null;
  /** Size of what one unit sees, in input pixels along y and x; null where units differ in it or see everything. */
  readonly receptiveField: readonly (number | null)[];
  /** Distance between the centres of neighbouring units in input pixels; null where there is no single one. */
  readonly jump: readonly (number | null)[];
  /** All parameters, those of norms and biases too; running statistics are none. */
  readonly params: number;
  /** Those of them that are multiplied: without biases and norms. */
  readonly weights: number;
  /** Operations for one image, as the policy counts them. */
  readonly macs: number;
}

export interface Summary {
  /** What was counted as an operation; null for a policy of your own. */
  readonly policy: CountingPolicyName | null;
  readonly layers: readonly SummaryRow[];
  readonly params: number;
  readonly weights: number;
  readonly macs: number;
}

const total = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/**
 * The table of a network: shapes, receptive fields, parameters and operations of every layer, in computation order.
 *
 * @param graph A network of `network`, or any other graph of its ops with `filters` and `units` and a known input size.
 * @throws {TypeError | RangeError} when the graph is impossible (the message names the layer) or an option unknown.
 */
export function summary(graph: LayerGraph, options: SummaryOptions = {}): Summary {
  const { inputSize, policy: counted = "macs" } = options;
  const policy = countingPolicy(counted, "summary");
  const size = typeof inputSize === "number" ? [inputSize, inputSize] : inputSize;
  const { facts } = planNetwork("summary", graph, size);
  const fields = receptiveField(graph, size && { inputSize: size });
  const fieldOf = new Map(fields.layers.map((row) => [row.name, row]));
  const layers = facts.map((fact): SummaryRow => {
    const { layer, outputShape, kernel, parameters } = fact;
    const field = fieldOf.get(layer.name)!;
    const sizes = (role?: string) =>
      total(parameters.filter((one) => !role || one.role === role).map(({ shape }) => product(shape)));
    return {
      name: layer.name,
      op: layer.op,
      ...(layer.op === "pointwise" && layer.fn !== undefined && { fn: layer.fn }),
      outputShape,
      kernel: kernel.length > 0 ? kernel : null,
      receptiveField: field.size,
      jump: field.jump,
      params: sizes(),
      weights: sizes("kernel"),
      macs: countOperations(fact, policy),
    };
  });
  return {
    policy: typeof counted === "string" ? counted : null,
    layers,
    params: total(layers.map(({ params }) => params)),
    weights: total(layers.map(({ weights }) => weights)),
    macs: total(layers.map(({ macs }) => macs)),
  };
}
