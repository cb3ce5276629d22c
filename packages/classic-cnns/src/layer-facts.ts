import type { ConvLayer, DenseLayer, Layer, LayerGraph, PointwiseLayer } from "@gradlab/receptive-field";
import { executeGraph, type GraphOps, type LayerCall } from "@gradlab/receptive-field/measure";

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
   * For a dense layer that reads a flattened map: the `[channels, height, width]` before flattening. The rows of its
   * kernel are in the order height, width, channels.
   */
  readonly flattened?: readonly [channels: number, height: number, width: number];
}

/** The value of a layer in the symbolic run. */
interface Value {
  readonly shape: readonly number[];
  /** The map that was flattened into it. */
  readonly map?: readonly number[];
}

/**
 * The graph computed with shapes in the place of tensors, in computation order.
 *
 * @param caller Begins the messages.
 * @throws {TypeError | RangeError} when the graph is impossible or lacks what a computation needs (`filters`, `units`,
 *   the channels of the input).
 */
export function layerFacts(
  graph: LayerGraph,
  caller: string,
  inputSize?: readonly number[],
): readonly LayerFact[] {
  const channels = graph.input?.channels;
  if (graph.input?.shape?.length !== 2) {
    throw new RangeError(
      `${caller}: graph.input.shape: expected [height, width], got ${JSON.stringify(graph.input?.shape)}`,
    );
  }
  if (channels === undefined || !(Number.isSafeInteger(channels) && channels > 0)) {
    throw new RangeError(
      `${caller}: graph.input.channels: expected a positive integer, got ${String(channels)}`,
    );
  }
  const facts: LayerFact[] = [];
  const size = inputSize ?? graph.input.shape;
  const record = (inputs: readonly Value[], call: LayerCall): Value => {
    const { value, ...rest } = factOf(inputs, call, caller);
    facts.push({
      layer: call.layer,
      inputShapes: inputs.map(({ shape }) => shape),
      outputShape: value.shape,
      kernel: call.kernel,
      ...rest,
    });
    return value;
  };
  const ops = Object.fromEntries(computedOps.map((op) => [op, record])) as Partial<GraphOps<Value>>;
  try {
    executeGraph<Value>(graph, { shape: [channels, ...(size as number[])] }, ops, {
      ...(inputSize && { inputSize }),
    });
  } catch (error) {
    if (error instanceof RangeError && error.message.startsWith("executeGraph: ")) {
      throw new RangeError(error.message.replace("executeGraph", caller), { cause: error });
    }
    throw error;
  }
  return facts;
}

/** What the networks here are made of; a graph with another op is refused by name. */
const computedOps = [
  "conv", "pool", "adaptive-pool", "global-pool", "pointwise", "add", "multiply", "concat", "flatten", "dense",
] as const; // biome-ignore format: a table

type Facts = Pick<LayerFact, "parameters" | "statistics" | "flattened"> & { readonly value: Value };

function factOf(inputs: readonly Value[], call: LayerCall, caller: string): Facts {
  const { layer, outputSize } = call;
  const [first] = inputs as [Value, ...Value[]];
  const where = `${caller}: layer "${layer.name}"`;
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
      return plain({ shape: first.shape.length === 1 ? [most] : [most, ...outputSize] });
    }
    case "pool":
      if (call.dilation.some((one) => one !== 1)) {
        throw new RangeError(`${where}: dilation: expected 1, got ${call.dilation.join(", ")}`);
      }
      return plain({ shape: [first.shape[0]!, ...outputSize] });
    default:
      return plain({ shape: [first.shape[0]!, ...outputSize] });
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
    ...(map?.length === 3 && { flattened: map as readonly [number, number, number] }),
  };
}

/** The functions of pointwise layers that can be computed. */
const pointwiseFunctions = ["relu", "relu6", "sigmoid", "batch-norm", "dropout", "lrn"];

function pointwiseFact(layer: PointwiseLayer, input: Value, where: string): Facts {
  if (!pointwiseFunctions.includes(layer.fn!)) {
    throw new RangeError(
      `${where}: fn: expected one of ${pointwiseFunctions.join(", ")}, got ${JSON.stringify(layer.fn)}`,
    );
  }
  if (layer.fn !== "batch-norm") return plain(input);
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
  };
}

function count(value: unknown, where: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`${where}: expected a positive integer, got ${String(value)}`);
}
