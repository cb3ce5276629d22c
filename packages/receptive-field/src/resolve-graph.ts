import type { AxisStep } from "./axis-step.js";
import { isCount, isRecord, show } from "./field-values.js";
import { graphInputName, type Layer, type LayerGraph, type LayerOp } from "./layer-graph.js";
import { stepsOf } from "./layer-steps.js";

/** A layer with its defaults filled in, after everything it reads from. */
export interface ResolvedLayer {
  readonly name: string;
  readonly op: LayerOp;
  /** Indices into the resolved layers; −1 is the input of the network. */
  readonly inputs: readonly number[];
  readonly steps: readonly AxisStep[];
}

export interface ResolvedGraph {
  readonly axes: number;
  readonly inputShape: readonly (number | null)[];
  /** In the order of the listing where that is an order of computation. */
  readonly layers: readonly ResolvedLayer[];
}

const ops: ReadonlySet<string> = new Set<LayerOp>([
  "conv", "pool", "adaptive-pool", "global-pool", "transposed-conv", "resize", "pad", "pointwise",
  "add", "multiply", "concat", "merge", "flatten", "dense",
]); // biome-ignore format: a table

const mergeOps: ReadonlySet<LayerOp> = new Set<LayerOp>(["add", "multiply", "concat", "merge"]);

export const isMerge = (op: LayerOp): boolean => mergeOps.has(op);

/** The name of an axis in messages: y, x in 2-D. */
export function axisName(axis: number, axes: number): string {
  return (["x", "yx", "zyx"][axes - 1] ?? "")[axis] ?? `axis ${axis}`;
}

/**
 * Checks a graph and fills in its defaults.
 *
 * @throws {TypeError} when a part has the wrong type.
 * @throws {RangeError} when a value, a name or the wiring is impossible; the
 *   message names the layer and the field.
 */
export function resolveGraph(graph: LayerGraph, caller: string): ResolvedGraph {
  const fail = (what: string, expected: string, got: unknown): never => {
    const message = `${caller}: ${what}: expected ${expected}, got ${show(got)}`;
    throw typeof got === "number" || typeof got === "string"
      ? new RangeError(message)
      : new TypeError(message);
  };
  if (!isRecord(graph)) fail("graph", "a LayerGraph {input, layers}", graph);
  if (!isRecord(graph.input)) fail("graph.input", "{shape}", graph.input);
  const inputShape = graph.input.shape;
  if (!Array.isArray(inputShape) || inputShape.length < 1 || inputShape.length > 3) {
    fail("graph.input.shape", "1 to 3 sizes", inputShape);
  }
  for (const size of inputShape) {
    if (size !== null && !isCount(size, 1)) fail("graph.input.shape", "positive integers or null", size);
  }
  if (!Array.isArray(graph.layers) || graph.layers.length === 0) {
    fail("graph.layers", "at least one layer", graph.layers);
  }

  const names = new Map<string, number>();
  graph.layers.forEach((layer: Layer, index: number) => {
    if (!isRecord(layer)) fail(`layers[${index}]`, "a layer {name, op, …}", layer);
    if (typeof layer.name !== "string" || layer.name === "") {
      fail(`layers[${index}].name`, "a name", layer.name);
    }
    if (layer.name === graphInputName) {
      fail(`layers[${index}].name`, `another name than that of the input`, layer.name);
    }
    if (names.has(layer.name)) fail(`layers[${index}].name`, "a name used once", layer.name);
    if (!ops.has(layer.op)) fail(`layer "${layer.name}": op`, `one of ${[...ops].join(", ")}`, layer.op);
    names.set(layer.name, index);
  });

  const inputs = graph.layers.map((layer, index) => {
    const given = layer.inputs ?? [index === 0 ? graphInputName : graph.layers[index - 1]!.name];
    if (!Array.isArray(given) || given.length === 0) {
      fail(`layer "${layer.name}": inputs`, "at least one name", given);
    }
    if (given.length > 1 && !isMerge(layer.op)) {
      fail(`layer "${layer.name}": inputs`, `one name for op ${layer.op}`, given);
    }
    return given.map((name: string) => {
      if (name === graphInputName) return -1;
      return names.get(name) ?? fail(`layer "${layer.name}": inputs`, 'names of layers or "input"', name);
    });
  });
  const order = computationOrder(graph, inputs, caller);
  const position = new Map(order.map((index, place) => [index, place]));
  const axes = inputShape.length;
  const flattened = new Set<number>();
  const layers = order.map((index): ResolvedLayer => {
    const layer = graph.layers[index]!;
    const from = inputs[index]!;
    const afterFlatten = from.some((input) => flattened.has(input));
    if (afterFlatten && !from.every((input) => flattened.has(input))) {
      fail(`layer "${layer.name}": inputs`, "all of them flattened, or none", layer.inputs);
    }
    if (afterFlatten && !["pointwise", "flatten", "dense"].includes(layer.op) && !isMerge(layer.op)) {
      fail(`layer "${layer.name}": op`, "pointwise, flatten or dense after a flatten layer", layer.op);
    }
    if (afterFlatten || layer.op === "flatten") flattened.add(index);
    return {
      name: layer.name,
      op: layer.op,
      inputs: from.map((input) => (input === -1 ? -1 : position.get(input)!)),
      steps: stepsOf(layer, axes, caller),
    };
  });
  return { axes, inputShape, layers };
}

/** Listing order where possible; a layer listed before its inputs waits for them. */
function computationOrder(
  graph: LayerGraph,
  inputs: readonly (readonly number[])[],
  caller: string,
): number[] {
  const order: number[] = [];
  const state = new Uint8Array(graph.layers.length); // 0 new, 1 waiting for its inputs, 2 done
  for (let start = 0; start < graph.layers.length; start++) {
    const stack = [start];
    while (stack.length > 0) {
      const index = stack[stack.length - 1]!;
      const missing = inputs[index]!.find((input) => input !== -1 && state[input] !== 2);
      if (missing === undefined) {
        stack.pop();
        if (state[index] !== 2) order.push(index);
        state[index] = 2;
      } else if (state[missing] === 1 || missing === index) {
        const cycle = [...stack.slice(stack.indexOf(missing)), missing].map((i) => graph.layers[i]!.name);
        throw new RangeError(`${caller}: graph: expected no cycle, got ${cycle.reverse().join(" → ")}`);
      } else {
        state[index] = 1;
        stack.push(missing);
      }
    }
  }
  return order;
}

/**
 * Checks a graph without analysing it.
 *
 * @param graph Anything, as read from a file.
 * @param caller Stands at the begin of messages.
 * @throws {TypeError | RangeError} naming the layer and the field that is wrong; cycles and missing inputs by name.
 */
export function checkLayerGraph(graph: unknown, caller = "checkLayerGraph"): asserts graph is LayerGraph {
  resolveGraph(graph as LayerGraph, caller);
}
