import {
  type ConvLayer,
  type DenseLayer,
  type GraphPlan,
  type Layer,
  type LayerCall,
  type LayerGraph,
  type PointwiseLayer,
  planGraph,
} from "@gradlab/receptive-field";
import { expectInteger } from "./expect-values.js";

/** What a layer holds, by the last name of its path. */
export type ParameterRole = "kernel" | "bias" | "scale" | "offset" | "mean" | "variance";

export interface ParameterFact {
  readonly role: ParameterRole;
  readonly shape: readonly number[];
}

/** What the definition of a layer and the size of the input decide. */
export interface LayerFact {
  readonly layer: Layer;
  /** `[channels, height, width]`, or `[units]` after a flatten or a dense layer. */
  readonly outputShape: readonly number[];
  /** The shapes of the inputs, in the order of `inputs`. */
  readonly inputShapes: readonly (readonly number[])[];
  /** Window of a convolution or pooling, one number per axis; empty for others. */
  readonly kernel: readonly number[];
  /** What is trained. */
  readonly parameters: readonly ParameterFact[];
  /** The running statistics of a batch norm. */
  readonly statistics: readonly ParameterFact[];
  /**
   * For a dense layer or a batch norm that reads a flattened map: the `[channels, height, width]` before flattening. The
   * rows of its kernel, or its numbers, are in the order height, width, channels.
   */
  readonly flattened?: readonly [channels: number, height: number, width: number];
}

/** The value of a layer in the symbolic run. */
interface Value {
  readonly shape: readonly number[];
  /** The map that was flattened into it. */
  readonly map?: readonly number[];
}

export interface LayerFactsOptions {
  /** Pixels; the graph's own unless given. */
  readonly inputSize?: readonly [height: number, width: number];
}

/**
 * The graph computed with shapes in the place of tensors, in computation order.
 *
 * @throws {TypeError | RangeError} when the graph is impossible or lacks what a computation needs (`filters`, `units`,
 *   the channels of the input).
 */
export function layerFacts(graph: LayerGraph, { inputSize }: LayerFactsOptions = {}): readonly LayerFact[] {
  return planNetwork("layerFacts", graph, inputSize).facts;
}

/** A network laid out for images of one size. */
export interface NetworkPlan {
  readonly graph: LayerGraph;
  readonly plan: GraphPlan;
  /** Of the layers of the plan, in their order. */
  readonly facts: readonly LayerFact[];
}

/** @param caller The function that was called: it begins the messages. */
export function planNetwork(caller: string, graph: LayerGraph, inputSize?: readonly number[]): NetworkPlan {
  const channels = graph?.input?.channels;
  if (graph?.input?.shape?.length !== 2) {
    throw new RangeError(
      `${caller}: graph.input.shape: expected [height, width], got ${JSON.stringify(graph?.input?.shape)}`,
    );
  }
  if (channels === undefined || !(Number.isSafeInteger(channels) && channels > 0)) {
    throw new RangeError(
      `${caller}: graph.input.channels: expected a positive integer, got ${String(channels)}`,
    );
  }
  const size: readonly unknown[] = inputSize ?? graph.input.shape;
  if (size.length !== 2 || !size.every((pixels) => Number.isSafeInteger(pixels) && Number(pixels) > 0)) {
    throw new RangeError(
      `${caller}: inputSize: expected [height, width], positive integers, got ${JSON.stringify(size)}`,
    );
  }
  const plan = planGraph(graph, { caller, ...(inputSize && { inputSize }) });
  const input: Value = { shape: [channels, ...(size as number[])] };
  const values: Value[] = [];
  const facts = plan.layers.map(({ call, inputs }): LayerFact => {
    const from = inputs.map((place) => values[place] ?? input);
    const { value, ...rest } = factOf(from, call);
    values.push(value);
    return {
      layer: call.layer,
      inputShapes: from.map(({ shape }) => shape),
      outputShape: value.shape,
      kernel: call.kernel,
      ...rest,
    };
  });
  return { graph, plan, facts };
}

/** What the networks here are made of; a graph with another op is refused by name. */
const computedOps = [
  "conv", "pool", "adaptive-pool", "global-pool", "pointwise", "add", "multiply", "concat", "flatten", "dense",
] as const; // biome-ignore format: a table

type Facts = Pick<LayerFact, "parameters" | "statistics" | "flattened"> & { readonly value: Value };

function factOf(inputs: readonly Value[], call: LayerCall): Facts {
  const { layer, outputSize, where } = call;
  const [first] = inputs as [Value, ...Value[]];
  switch (layer.op) {
    case "conv":
      return convFact(layer, first, call, where);
    case "dense":
      return denseFact(layer, first, where);
    case "flatten": {
      const map = first.map ?? first.shape;
      return plain({ shape: [first.shape.reduce((a, b) => a * b, 1)], map });
    }
    case "pointwise":
      return pointwiseFact(layer, first, where);
    case "concat": {
      const channels = inputs.reduce((sum, { shape }) => sum + shape[0]!, 0);
      return plain({ shape: [channels, ...first.shape.slice(1)] });
    }
    case "add":
    case "multiply": {
      const most = Math.max(...inputs.map(({ shape }) => shape[0]!));
      const odd = inputs.find(({ shape }) => shape[0] !== most && shape[0] !== 1);
      if (odd !== undefined) {
        throw new RangeError(`${where}: inputs: expected ${most} channels in each, got ${odd.shape[0]}`);
      }
      if (first.shape.length > 1) return plain({ shape: [most, ...outputSize] });
      // Sums of units that were the same map are that map still.
      const isOneMap = inputs.every(({ map }) => map?.join() === first.map?.join());
      return plain({ shape: [most], ...(isOneMap && first.map && { map: first.map }) });
    }
    case "pool":
    case "adaptive-pool":
    case "global-pool":
      return poolFact(layer, first, call, where);
    default:
      throw new RangeError(`${where}: op: expected one of ${computedOps.join(", ")}, got ${layer.op}`);
  }
}

const plain = (value: Value): Facts => ({ value, parameters: [], statistics: [] });

function convFact(layer: ConvLayer, input: Value, call: LayerCall, where: string): Facts {
  const { groups = 1, bias = true } = layer;
  const filters = count(layer.filters, `${where}: filters`);
  const channels = input.shape[0]!;
  count(groups, `${where}: groups`);
  if (channels % groups !== 0 || filters % groups !== 0) {
    throw new RangeError(
      `${where}: groups: expected a divisor of ${channels} channels and ${filters} filters, got ${groups}`,
    );
  }
  if (call.stride.some((one) => one > 1) && call.dilation.some((one) => one > 1)) {
    throw new RangeError(
      `${where}: dilation: expected 1 beside stride ${call.stride.join(", ")}, got ${call.dilation.join(", ")}`,
    );
  }
  const kernel = { role: "kernel", shape: [...call.kernel, channels / groups, filters] } as const;
  return {
    value: { shape: [filters, ...call.outputSize] },
    parameters: bias ? [kernel, { role: "bias", shape: [filters] }] : [kernel],
    statistics: [],
  };
}

function denseFact(layer: DenseLayer, { shape, map }: Value, where: string): Facts {
  const { bias = true } = layer;
  const units = count(layer.units, `${where}: units`);
  if (shape.length !== 1) {
    throw new RangeError(
      `${where}: inputs: expected a flattened input, got a map of [${shape.join(", ")}] (channels, height, width)`,
    );
  }
  const kernel = { role: "kernel", shape: [shape[0]!, units] } as const;
  return {
    value: { shape: [units] },
    parameters: bias ? [kernel, { role: "bias", shape: [units] }] : [kernel],
    statistics: [],
    ...flattenedFrom(map),
  };
}

const flattenedFrom = (map?: readonly number[]): Pick<Facts, "flattened"> =>
  map?.length === 3 ? { flattened: map as readonly [number, number, number] } : {};

function poolFact(
  { mode }: { readonly mode?: string },
  input: Value,
  { dilation, outputSize }: LayerCall,
  where: string,
): Facts {
  // Left out, it does not matter to receptive fields; here a guess would be a silent mistake.
  if (mode !== "max" && mode !== "avg") {
    throw new RangeError(`${where}: mode: expected max or avg, got ${JSON.stringify(mode)}`);
  }
  if (dilation.some((one) => one !== 1)) {
    throw new RangeError(`${where}: dilation: expected 1, got ${dilation.join(", ")}`);
  }
  return plain({ shape: [input.shape[0]!, ...outputSize] });
}

/** The functions of pointwise layers that can be computed. */
const pointwiseFunctions = ["relu", "relu6", "sigmoid", "tanh", "batch-norm", "dropout", "lrn"];

function pointwiseFact(layer: PointwiseLayer, input: Value, where: string): Facts {
  if (!pointwiseFunctions.includes(layer.fn!)) {
    throw new RangeError(
      `${where}: fn: expected one of ${pointwiseFunctions.join(", ")}, got ${JSON.stringify(layer.fn)}`,
    );
  }
  const field = (name: keyof PointwiseLayer, expected: string, holds: (value: number) => boolean) => {
    const value: unknown = layer[name];
    if (value === undefined || (typeof value === "number" && holds(value))) return;
    throw new RangeError(`${where}: ${name}: expected ${expected}, got ${JSON.stringify(value)}`);
  };
  if (layer.fn === "dropout") field("rate", "a number in [0, 1)", (rate) => rate >= 0 && rate < 1);
  if (layer.fn === "lrn") {
    if (input.shape.length !== 3) throw new RangeError(`${where}: inputs: expected a map for lrn, got units`);
    field(
      "size",
      "a positive odd integer",
      (size) => Number.isSafeInteger(size) && size > 0 && size % 2 === 1,
    );
    for (const name of ["alpha", "beta", "k"] as const) {
      field(name, "a finite number, at least 0", (value) => value >= 0 && Number.isFinite(value));
    }
  }
  if (layer.fn !== "batch-norm") return plain(input);
  field("epsilon", "a finite number above 0", (epsilon) => epsilon > 0 && Number.isFinite(epsilon));
  field("momentum", "a number in [0, 1]", (momentum) => momentum >= 0 && momentum <= 1);
  const shape = [input.shape[0]!];
  return {
    value: input,
    parameters: [
      { role: "scale", shape },
      { role: "offset", shape },
    ],
    statistics: [
      { role: "mean", shape },
      { role: "variance", shape },
    ],
    ...flattenedFrom(input.map),
  };
}

function count(value: unknown, where: string): number {
  expectInteger(where, value, 1);
  return value as number;
}
