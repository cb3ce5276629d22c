import { type AxisStep, type Border, outputSize } from "./axis-step.js";
import { greatestCommonDivisor } from "./integers.js";
import {
  graphInputName,
  type Layer,
  type LayerGraph,
  type LayerOp,
  type Padding,
  type ResizeLayer,
} from "./layer-graph.js";

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

function stepsOf(layer: Layer, axes: number, caller: string): AxisStep[] {
  const field = new LayerFields(layer, axes, caller);
  field.refuseMisspelt();
  switch (layer.op) {
    case "conv":
    case "pool": {
      const kernel = field.counts("kernel", undefined);
      const stride = field.counts("stride", layer.op === "pool" ? kernel : 1);
      const dilation = field.counts("dilation", 1);
      const padding = field.padding(layer.padding);
      const ceilMode = layer.ceilMode ?? false;
      if (typeof ceilMode !== "boolean") field.fail("ceilMode", "true or false", ceilMode);
      return kernel.map((size, axis) => ({
        kind: "window",
        kernel: size,
        stride: stride[axis]!,
        dilation: dilation[axis]!,
        padding: padding === "same" ? "same" : padding === "valid" ? [0, 0] : padding[axis]!,
        ceilMode,
      }));
    }
    case "transposed-conv": {
      const kernel = field.counts("kernel", undefined);
      const stride = field.counts("stride", 1);
      const dilation = field.counts("dilation", 1);
      const outputPadding = field.counts("outputPadding", 0, 0);
      const padding = field.padding(layer.padding);
      if (padding === "same" && outputPadding.some((units) => units > 0)) {
        field.fail("outputPadding", 'none beside padding "same"', layer.outputPadding);
      }
      return kernel.map((size, axis) => ({
        kind: "transposed",
        kernel: size,
        stride: stride[axis]!,
        dilation: dilation[axis]!,
        outputPadding: outputPadding[axis]!,
        padding: typeof padding === "string" ? padding : padding[axis]!,
      }));
    }
    case "adaptive-pool":
      return field.counts("outputSize", undefined).map((size) => ({ kind: "adaptive", size }));
    case "global-pool":
    case "dense":
      return field.all({ kind: "everything" });
    case "resize":
      return resizeSteps(layer, field);
    case "pad": {
      const border = padBorder(layer.mode ?? "constant", field);
      const padding = field.padding(layer.padding);
      if (typeof padding === "string") return field.fail("padding", "numbers", padding);
      return padding.map(([begin, end]) => ({ kind: "pad", begin, end, border }));
    }
    default:
      return field.all({ kind: "identity" });
  }
}

function padBorder(mode: string, field: LayerFields): Border {
  if (mode === "constant" || mode === "reflect" || mode === "symmetric" || mode === "edge") return mode;
  return field.fail("mode", "constant, reflect, symmetric or edge", mode);
}

function resizeSteps(layer: ResizeLayer, field: LayerFields): AxisStep[] {
  const { method = "nearest" } = layer;
  if (method !== "nearest" && method !== "bilinear") field.fail("method", "nearest or bilinear", method);
  const { coordinates = method === "bilinear" ? "half-pixel" : "asymmetric" } = layer;
  if (!["half-pixel", "asymmetric", "align-corners"].includes(coordinates)) {
    field.fail("coordinates", "half-pixel, asymmetric or align-corners", coordinates);
  }
  if ((layer.size === undefined) === (layer.scale === undefined)) {
    field.fail("scale", "either scale or size", layer.scale ?? null);
  }
  if (layer.size !== undefined) {
    return field
      .counts("size", undefined)
      .map((size) => ({ kind: "resize", method, coordinates, to: { size } }));
  }
  return field
    .perAxis(
      "scale",
      layer.scale!,
      "a positive number with a denominator up to 1024",
      (value) => asFraction(value) !== null,
    )
    .map((scale) => ({ kind: "resize", method, coordinates, to: asFraction(scale)! }));
}

/** A number as a fraction with a small denominator, or null: 1.5 is 3/2. */
function asFraction(value: number): { numerator: number; denominator: number } | null {
  if (!Number.isFinite(value) || value <= 0) return null;
  for (let denominator = 1; denominator <= 1024; denominator++) {
    const numerator = Math.round(value * denominator);
    if (numerator > 0 && Math.abs(value * denominator - numerator) < 1e-9 * denominator) {
      const divisor = greatestCommonDivisor(numerator, denominator);
      return { numerator: numerator / divisor, denominator: denominator / divisor };
    }
  }
  return null;
}

/** What other libraries call the spatial fields. */
const misspelt: ReadonlyMap<string, string> = new Map([
  ...["kernelSize", "kernel_size", "kernels", "poolSize", "pool_size", "ksize"].map(
    (name) => [name, "kernel"] as const,
  ),
  ...["strides", "stride_size"].map((name) => [name, "stride"] as const),
  ...["dilations", "dilationRate", "dilation_rate"].map((name) => [name, "dilation"] as const),
  ...["pad", "pads", "paddings"].map((name) => [name, "padding"] as const),
  ...["ceil_mode", "ceil"].map((name) => [name, "ceilMode"] as const),
  ...["output_padding"].map((name) => [name, "outputPadding"] as const),
  ...["output_size", "outputShape"].map((name) => [name, "outputSize"] as const),
  ...["scaleFactor", "scale_factor", "scales"].map((name) => [name, "scale"] as const),
]);

/** Reads the spatial fields of one layer, one value per axis, and names the field that is wrong. */
class LayerFields {
  private readonly layer: Layer;
  private readonly axes: number;
  private readonly caller: string;

  constructor(layer: Layer, axes: number, caller: string) {
    this.layer = layer;
    this.axes = axes;
    this.caller = caller;
  }

  fail(field: string, expected: string, got: unknown): never {
    const message = `${this.caller}: layer "${this.layer.name}": ${field}: expected ${expected}, got ${show(got)}`;
    throw typeof got === "number" || typeof got === "string"
      ? new RangeError(message)
      : new TypeError(message);
  }

  /** A field under the name that another library gives it would be ignored, and the answer wrong. */
  refuseMisspelt(): void {
    for (const [theirs, ours] of misspelt) {
      if (Object.hasOwn(this.layer, theirs)) this.fail(theirs, `the name ${ours} for this field`, theirs);
    }
  }

  all(step: AxisStep): AxisStep[] {
    return Array.from({ length: this.axes }, () => step);
  }

  perAxis(field: string, value: unknown, expected: string, isValid: (value: number) => boolean): number[] {
    const values = Array.isArray(value) ? value : Array.from({ length: this.axes }, () => value);
    if (values.length !== this.axes) this.fail(field, `one number or ${this.axes} of them`, value);
    for (const one of values) if (typeof one !== "number" || !isValid(one)) this.fail(field, expected, one);
    return values as number[];
  }

  /** Integers of at least `least`. A default of undefined means that the field is required. */
  counts(field: string, fallback: number | readonly number[] | undefined, least = 1): number[] {
    const value = (this.layer as unknown as Record<string, unknown>)[field] ?? fallback;
    const expected = least === 1 ? "a positive integer" : `an integer of at least ${least}`;
    return this.perAxis(field, value, expected, (one) => isCount(one, least));
  }

  padding(value: Padding = 0): "same" | "valid" | [number, number][] {
    if (value === "same" || value === "valid") return value;
    const entries = Array.isArray(value)
      ? (value as unknown[])
      : Array.from({ length: this.axes }, () => value);
    if (entries.length !== this.axes) {
      this.fail("padding", `a number, "same", "valid" or ${this.axes} entries`, value);
    }
    return entries.map((entry) => {
      const [begin, end] = Array.isArray(entry) && entry.length === 2 ? entry : [entry, entry];
      if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end)) {
        this.fail("padding", "integers or [begin, end] pairs of them", entry);
      }
      return [begin as number, end as number];
    });
  }
}

/** Sizes of every layer along every axis; null where the input's size is not known. */
export function layerSizes(
  graph: ResolvedGraph,
  inputSize: readonly (number | null)[],
  caller: string,
): (number | null)[][] {
  const sizes: (number | null)[][] = [];
  const sizeOf = (input: number) => (input === -1 ? inputSize : sizes[input]!);
  for (const layer of graph.layers) {
    sizes.push(
      layer.steps.map((step, axis) => {
        const along = `along ${axisName(axis, graph.axes)}`;
        const n = mergedSize(graph, layer, axis, sizeOf, along, caller);
        if (n === null) return step.kind === "adaptive" ? step.size : step.kind === "everything" ? 1 : null;
        const count = outputSize(step, n);
        if (step.kind === "pad") checkMirror(step, n, layer.name, along, caller);
        if (count < 1) {
          const window =
            step.kind === "window" ? `, the window spans ${step.dilation * (step.kernel - 1) + 1}` : "";
          throw new RangeError(
            `${caller}: layer "${layer.name}": its output would be empty ${along} (${n} units come in${window})`,
          );
        }
        return count;
      }),
    );
  }
  return sizes;
}

/** A mirror shows what is there once; no framework pads further. */
function checkMirror(
  { begin, end, border }: Extract<AxisStep, { kind: "pad" }>,
  n: number,
  layer: string,
  along: string,
  caller: string,
): void {
  const most = border === "reflect" ? n - 1 : border === "symmetric" ? n : Number.POSITIVE_INFINITY;
  if (Math.max(begin, end) <= most) return;
  throw new RangeError(
    `${caller}: layer "${layer}": padding: expected at most ${most} mirrored units ${along} (${n} come in), got ${Math.max(begin, end)}`,
  );
}

function mergedSize(
  graph: ResolvedGraph,
  layer: ResolvedLayer,
  axis: number,
  sizeOf: (input: number) => readonly (number | null)[],
  along: string,
  caller: string,
): number | null {
  const known = layer.inputs.map((input) => sizeOf(input)[axis] ?? null);
  if (known.includes(null)) return null;
  const largest = Math.max(...known.map(Number));
  if (known.every((n) => n === largest || (n === 1 && layer.op !== "concat"))) return largest;
  const parts = layer.inputs.map((input, i) => {
    return `${input === -1 ? graphInputName : graph.layers[input]!.name} ${known[i]}`;
  });
  throw new RangeError(
    `${caller}: layer "${layer.name}": expected inputs of one size ${along}, got ${parts.join(", ")}`,
  );
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, least: number): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least;
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * Checks a graph without analysing it.
 *
 * @param graph Anything, as read from a file.
 * @throws {TypeError | RangeError} naming the layer and the field that is wrong; cycles and missing inputs by name.
 */
export function checkLayerGraph(graph: unknown): asserts graph is LayerGraph {
  resolveGraph(graph as LayerGraph, "checkLayerGraph");
}
