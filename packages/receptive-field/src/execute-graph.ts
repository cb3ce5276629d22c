import { type AxisStep, beginPadding, extentOf } from "./axis-step.js";
import type { Layer, LayerGraph, LayerOp } from "./layer-graph.js";
import { layerSizes } from "./layer-sizes.js";
import { resolveGraph } from "./resolve-graph.js";

/** One layer about to be computed: its spatial fields filled in and its padding made explicit. */
export interface LayerCall<L extends Layer = Layer> {
  readonly layer: L;
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

export interface ExecuteOptions<T> {
  /** Size of the input along every axis; default: the graph's own. */
  readonly inputSize?: readonly number[];
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
  { inputSize, onLayer, release }: ExecuteOptions<T> = {},
): T {
  const resolved = resolveGraph(graph, "executeGraph");
  const size = inputSize ?? resolved.inputShape;
  if (size.length !== resolved.axes || size.includes(null)) {
    throw new RangeError(
      `executeGraph: inputSize: expected ${resolved.axes} sizes, got ${JSON.stringify(size)}`,
    );
  }
  const sizes = layerSizes(resolved, size, "executeGraph") as number[][];
  const byName = new Map(graph.layers.map((layer) => [layer.name, layer]));
  const missing = resolved.layers.find(({ op }) => ops[op] === undefined);
  if (missing !== undefined) {
    throw new RangeError(
      `executeGraph: ops: expected a function for ${missing.op} (layer "${missing.name}"), got none`,
    );
  }

  const readers = resolved.layers.map(() => 0);
  for (const { inputs } of resolved.layers) for (const from of inputs) if (from >= 0) readers[from]!++;
  const last = resolved.layers.length - 1;
  const values: T[] = [];
  for (const [place, { name, op, inputs, steps }] of resolved.layers.entries()) {
    const inputSizes = inputs.map((from) => (from === -1 ? (size as readonly number[]) : sizes[from]!));
    const call: LayerCall = {
      layer: byName.get(name)!,
      inputSizes,
      outputSize: sizes[place]!,
      ...windowFields(steps),
      padding: steps.flatMap(
        (step, axis) => explicitPadding(step, inputSizes[0]![axis]!, sizes[place]![axis]!) ?? [],
      ),
    };
    const compute = ops[op] as (inputs: readonly T[], call: LayerCall) => T;
    const value = compute(
      inputs.map((from) => (from === -1 ? input : values[from]!)),
      call,
    );
    values.push(value);
    onLayer?.(name, value);
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
