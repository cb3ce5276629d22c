import { type AxisStep, beginPadding, extentOf } from "./axis-step.js";
import type { Layer, LayerGraph, LayerOp } from "./layer-graph.js";
import { layerSizes } from "./layer-sizes.js";
import { resolveGraph } from "./resolve-graph.js";

/** One layer about to be computed: its spatial fields filled in and its padding made explicit. */
export interface LayerCall<L extends Layer = Layer> {
  readonly layer: L;
  /** Begins the messages of errors: the function that was called, and the layer. */
  readonly where: string;
  /** Size of every input along every axis. */
  readonly inputSizes: readonly (readonly number[])[];
  readonly outputSize: readonly number[];
  /** Window layers (`conv`, `pool`, `transposed-conv`): one entry per axis; empty for others. */
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /**
   * Units to add before and after, so that the windows fit exactly and `"same"`
   * and ceil mode need no further thought; negative ones crop. For a
   * transposed convolution what to crop from its full output (negative:
   * zeros to add); for `pad` what the layer says; empty for others.
   */
  readonly padding: readonly (readonly [begin: number, end: number])[];
}

type LayerOf<Op extends LayerOp> = Extract<Layer, { readonly op: Op }>;

/** How each op computes its output from its inputs; merges get several inputs, others one. */
export type GraphOps<T> = {
  readonly [Op in LayerOp]: (inputs: readonly T[], call: LayerCall<LayerOf<Op>>) => T;
};

export interface PlanOptions {
  /** Size of the input along every axis; default: the graph's own. */
  readonly inputSize?: readonly number[];
  /** The function that errors name, `"planGraph"` unless given: that which a user has called. */
  readonly caller?: string;
}

/** A graph laid out for one size of input: what `executePlan` computes, in computation order. */
export interface GraphPlan {
  readonly layers: readonly PlannedLayer[];
}

export interface PlannedLayer {
  readonly call: LayerCall;
  /** Places of the layers that are read, in computation order; -1 is the input of the network. */
  readonly inputs: readonly number[];
}

/**
 * Lays a graph out for one size of input, so that it can be computed many times without being looked at again.
 *
 * @param graph The network; its last layer is the result.
 * @throws {TypeError | RangeError} when the graph is impossible, or its input size unknown.
 */
export function planGraph(
  graph: LayerGraph,
  { inputSize, caller = "planGraph" }: PlanOptions = {},
): GraphPlan {
  const resolved = resolveGraph(graph, caller);
  const size = inputSize ?? resolved.inputShape;
  if (size.length !== resolved.axes || size.includes(null)) {
    throw new RangeError(
      `${caller}: inputSize: expected ${resolved.axes} sizes, got ${JSON.stringify(size)}`,
    );
  }
  const sizes = layerSizes(resolved, size, caller) as number[][];
  const byName = new Map(graph.layers.map((layer) => [layer.name, layer]));
  const layers = resolved.layers.map(({ name, inputs, steps }, place): PlannedLayer => {
    const inputSizes = inputs.map((from) => (from === -1 ? (size as readonly number[]) : sizes[from]!));
    const call: LayerCall = {
      layer: byName.get(name)!,
      where: `${caller}: layer "${name}"`,
      inputSizes,
      outputSize: sizes[place]!,
      ...windowFields(steps),
      padding: steps.flatMap(
        (step, axis) => explicitPadding(step, inputSizes[0]![axis]!, sizes[place]![axis]!) ?? [],
      ),
    };
    return { call, inputs };
  });
  return { layers };
}

export interface ExecuteOptions<T> {
  /** Called with every layer's value once it is computed, before anything reads it. */
  readonly onLayer?: (name: string, value: T) => void;
  /** Called with the value of a layer that nothing will read any more (never with the input or the result). */
  readonly release?: (value: T) => void;
}

/**
 * Computes a graph: every layer once, in computation order, by the function
 * given for its op.
 *
 * @param graph The network; its last layer is the result.
 * @param input What the layers that read `"input"` get.
 * @param ops One function per op; an op without a function is an error when the graph has it.
 * @returns The value of the last layer.
 * @throws {RangeError} when the graph is impossible, its input size unknown, or an op has no function.
 */
export function executeGraph<T>(
  graph: LayerGraph,
  input: T,
  ops: Partial<GraphOps<T>>,
  { inputSize, caller = "executeGraph", ...options }: PlanOptions & ExecuteOptions<T> = {},
): T {
  return executePlan(planGraph(graph, { caller, ...(inputSize && { inputSize }) }), input, ops, options);
}

/**
 * Computes a graph that `planGraph` has laid out, as `executeGraph` does.
 *
 * @throws {RangeError} when an op has no function.
 */
export function executePlan<T>(
  { layers }: GraphPlan,
  input: T,
  ops: Partial<GraphOps<T>>,
  { onLayer, release }: ExecuteOptions<T> = {},
): T {
  const missing = layers.find(({ call }) => ops[call.layer.op] === undefined)?.call;
  if (missing !== undefined) {
    throw new RangeError(`${missing.where}: ops: expected a function for ${missing.layer.op}, got none`);
  }
  const readers = layers.map(() => 0);
  for (const { inputs } of layers) for (const from of inputs) if (from >= 0) readers[from]!++;
  const last = layers.length - 1;
  const values: T[] = [];
  for (const [place, { call, inputs }] of layers.entries()) {
    const compute = ops[call.layer.op] as (inputs: readonly T[], call: LayerCall) => T;
    const value = compute(
      inputs.map((from) => (from === -1 ? input : values[from]!)),
      call,
    );
    values.push(value);
    onLayer?.(call.layer.name, value);
    if (release === undefined) continue;
    for (const from of inputs) {
      if (from >= 0 && --readers[from]! === 0 && values[from] !== value) release(values[from]!);
    }
    if (readers[place] === 0 && place !== last) release(value);
  }
  return values[last]!;
}

function windowFields(steps: readonly AxisStep[]): Pick<LayerCall, "kernel" | "stride" | "dilation"> {
  const windows = steps.flatMap((step) =>
    step.kind === "window" || step.kind === "transposed" ? [step] : [],
  );
  return {
    kernel: windows.map(({ kernel }) => kernel),
    stride: windows.map(({ stride }) => stride),
    dilation: windows.map(({ dilation }) => dilation),
  };
}

/** One pair in a list (or nothing), so that a layer without padding has none. */
function explicitPadding(step: AxisStep, n: number, outputs: number): [[number, number]] | null {
  if (step.kind === "pad") return [[step.begin, step.end]];
  if (step.kind === "window") {
    const begin = beginPadding(step, n);
    return [[begin, (outputs - 1) * step.stride + extentOf(step) - n - begin]];
  }
  if (step.kind === "transposed") {
    const begin = beginPadding(step, n);
    return [[begin, (n - 1) * step.stride + extentOf(step) - outputs - begin]];
  }
  return null;
}
