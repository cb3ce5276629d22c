import { type CountingPolicy, countingPolicies } from "@gradlab/classic-cnns/networks";
import { type Layer, type LayerGraph, receptiveField } from "@gradlab/receptive-field";
import type { ModelSummary } from "./model-summary.js";

type Size = number | null;

/** What a layer adds to the table beyond its place. */
interface Counted {
  readonly channels: Size;
  readonly params: Size;
  readonly weights: Size;
  /** Multiply-accumulates at one position, or in all where there are none. */
  readonly each: Size;
  /** What is not known of it. */
  readonly unknown?: string;
}

const silent: ReadonlySet<string> = new Set([
  "relu", "relu6", "leakyrelu", "elu", "selu", "gelu", "silu", "swish", "mish", "hardswish", "hardsigmoid", "sigmoid",
  "tanh", "softplus", "softsign", "softmax", "logsoftmax", "identity", "linear", "dropout", "noise", "gaussiannoise",
  "gaussiandropout", "lrn", "rescaling", "clip",
]); // biome-ignore format: a list

const times = (...factors: readonly Size[]): Size =>
  factors.reduce<Size>(
    (product, factor) => (product === null || factor === null ? null : product * factor),
    1,
  );

const plus = (a: Size, b: Size): Size => (a === null || b === null ? null : a + b);

const spelled = (fn: string) => fn.replace(/[-_ ]/g, "").toLowerCase();

/**
 * The table of any LayerGraph that has positions: what a layer leaves open, or does what nobody here counts, is null,
 * with a warning. Sizes are channels first. A map of one position counts as flattened.
 *
 * @throws {TypeError | RangeError} when the graph is impossible.
 */
export function graphSummary(
  graph: LayerGraph,
  {
    policy,
    inputSize,
  }: { readonly policy: keyof typeof countingPolicies; readonly inputSize?: readonly number[] },
): ModelSummary {
  const { layers: rows } = receptiveField(graph, inputSize && { inputSize });
  const places = new Map(rows.map((row) => [row.name, row]));
  const size = inputSize ?? graph.input.shape;
  /** Channels and positions of every layer; a vector has one position. */
  const known = new Map<
    string,
    { readonly channels: Size; readonly n: readonly Size[]; readonly flat: boolean }
  >([["input", { channels: graph.input.channels ?? null, n: size, flat: false }]]);
  const warnings: string[] = [];
  let before = "input";
  const layers = graph.layers.map((layer) => {
    const from = (layer.inputs ?? [before]).map((name) => known.get(name)!);
    before = layer.name;
    const row = places.get(layer.name)!;
    const flat = layer.op === "flatten" || layer.op === "dense" || (from[0]!.flat && layer.op !== "conv");
    const counted = countedOf(layer, from, row.n);
    if (counted.unknown !== undefined) warnings.push(`layer "${layer.name}": ${counted.unknown}`);
    const channels = layer.op === "flatten" ? times(from[0]!.channels, ...from[0]!.n) : counted.channels;
    known.set(layer.name, { channels, n: flat ? row.n.map(() => 1) : row.n, flat });
    const outputs = flat ? channels : times(channels, ...row.n);
    const macs =
      layer.op === "dense" || flat ? counted.each : times(counted.each, ...positionsOf(layer, from, row.n));
    return {
      name: layer.name,
      op: layer.op === "pointwise" && layer.fn !== undefined ? layer.fn : layer.op,
      outputShape: flat ? [channels] : [channels, ...row.n],
      kernel: kernelOf(layer, row.n.length),
      receptiveField: row.size,
      jump: row.jump,
      params: counted.params,
      trainable: counted.params,
      weights: counted.weights,
      macs: operations(layer, countingPolicies[policy], { ...counted, macs, outputs, axes: row.n.length }),
    };
  });
  const total = (key: "params" | "weights" | "macs") =>
    layers.reduce((sum, layer) => sum + (layer[key] ?? 0), 0);
  return {
    layers,
    params: total("params"),
    trainable: total("params"),
    weights: total("weights"),
    macs: total("macs"),
    input: [graph.input.channels ?? null, ...size],
    warnings,
  };
}

/** A transposed convolution multiplies at the positions of its input. */
const positionsOf = (layer: Layer, from: readonly { readonly n: readonly Size[] }[], n: readonly Size[]) =>
  layer.op === "transposed-conv" ? from[0]!.n : n;

function kernelOf(layer: Layer, axes: number): readonly number[] | null {
  if (!("kernel" in layer)) return null;
  const { kernel } = layer;
  return typeof kernel === "number" ? Array<number>(axes).fill(kernel) : kernel;
}

interface From {
  readonly channels: Size;
  readonly n: readonly Size[];
}

function countedOf(layer: Layer, from: readonly From[], n: readonly Size[]): Counted {
  const [{ channels }] = from as [From, ...From[]];
  const nothing = { channels, params: 0, weights: 0, each: 0 };
  switch (layer.op) {
    case "conv":
    case "transposed-conv": {
      const { filters = null, groups = 1, bias = true } = layer;
      const weights = times(
        ...kernelOf(layer, n.length)!,
        channels === null ? null : channels / groups,
        filters,
      );
      const params = bias ? plus(weights, filters) : weights;
      const unknown =
        filters === null ? "filters are not given, so that its parameters are not known" : undefined;
      return { channels: filters, params, weights, each: weights, ...(unknown && { unknown }) };
    }
    case "dense": {
      const { units = null, bias = true } = layer;
      const weights = times(channels, ...from[0]!.n, units);
      const unknown =
        units === null ? "units are not given, so that its parameters are not known" : undefined;
      return {
        channels: units,
        params: bias ? plus(weights, units) : weights,
        weights,
        each: weights,
        ...(unknown && { unknown }),
      };
    }
    case "concat": {
      const all = from.reduce<Size>((sum, one) => plus(sum, one.channels), 0);
      return { ...nothing, channels: all };
    }
    case "add":
    case "multiply":
    case "merge": {
      const given = from.flatMap((one) => (one.channels === null ? [] : [one.channels]));
      return { ...nothing, channels: given.length === 0 ? null : Math.max(...given) };
    }
    case "pointwise":
      return { ...nothing, ...pointwise(layer.fn, channels) };
    default:
      return nothing;
  }
}

function pointwise(fn: string | undefined, channels: Size): Partial<Counted> {
  if (fn === undefined)
    return { params: null, unknown: "fn is not given, so that its parameters are not known" };
  const name = spelled(fn);
  if (/^(batch|layer|instance|group)norm(alization)?$/.test(name)) return { params: times(2, channels) };
  if (name === "prelu") return { params: channels };
  if (silent.has(name)) return {};
  return { params: null, each: null, unknown: `${fn} is not known here: its parameters are not counted` };
}

/** Operations of a layer for one image, as the policy counts them. */
function operations(
  layer: Layer,
  policy: CountingPolicy,
  {
    params,
    weights,
    macs,
    outputs,
    axes,
  }: { params: Size; weights: Size; macs: Size; outputs: Size; axes: number },
): Size {
  if (macs === null) return null;
  if ((weights ?? 0) > 0) {
    const biased = policy.bias && (params ?? 0) > (weights ?? 0);
    return macs * policy.multiplyAdd + (biased ? (outputs ?? 0) : 0);
  }
  if ((params ?? 0) > 0) {
    if (policy.norm === false) return 0;
    return policy.norm === "elements" ? 2 * (outputs ?? 0) : params;
  }
  if (layer.op === "pool") return policy.pool ? times(outputs, ...kernelOf(layer, axes)!) : 0;
  return policy.activation && ["pointwise", "add", "multiply", "merge"].includes(layer.op) ? outputs : 0;
}
