import { type WeightEntry, weightEntries } from "../graph-model/weights-manifest.js";
import { conversionRefusal, Fields, isCount } from "../json-fields.js";
import type { ModelRow, ModelRows, ModelRowsOptions } from "../model-row.js";
import { expectSize, type Shape, sizeAlong, sizeOf } from "../model-shape.js";
import type { BuiltLayer } from "./built-layer.js";
import { builtLayer } from "./keras-shapes.js";
import { type LayerCall, layerCalls } from "./layer-calls.js";
import { layersModelToGraph, topologyOf } from "./layers-model.js";

const caller = "modelRows";

/** The layers of a LayersModel as `modelRows` describes them. */
export function layersModelRows(json: unknown, options: ModelRowsOptions = {}): ModelRows {
  const { calls } = layerCalls(topologyOf(json), caller);
  const stored = weightsByLayer(weightEntries(new Fields(json, `${caller}: model`)));
  const built = builtCalls(calls, options);
  const plain = options.size || options.channels ? builtCalls(calls, {}, true) : built;
  const seen = new Set<unknown>();
  const warnings: string[] = [];
  const rows: ModelRow[] = [];
  calls.forEach((call, index) => {
    if (call.className === "InputLayer") return;
    const shapes = built[index]!;
    const entries = stored.get(call.name.split("/").at(-1)!) ?? [];
    if (shapes.result === null) {
      warnings.push(
        `layer "${call.name}": ${call.className} is not known here: its output and what follows have no shape`,
      );
    } else checkAgainstWeights(call, shapes.result, plain[index]!.result, entries, options);
    const isShared = seen.has(call.config.json);
    seen.add(call.config.json);
    rows.push(rowOf(call, shapes, isShared ? null : entries));
  });
  const inputs = calls.flatMap((call, index) =>
    call.className === "InputLayer" ? [built[index]!.output] : [],
  );
  return {
    kind: "layers-model",
    input: inputs[0] ?? null,
    rows,
    params: total(rows.map(({ params }) => params)),
    trainable: total(rows.map(({ trainable }) => trainable)),
    graph: graphOf(json, warnings),
    warnings,
  };
}

/**
 * Refuses layers for which the manifest has other weights than they ask for, before anybody makes some, and outputs that
 * are too large to be made.
 */
export function checkLayers(json: unknown): void {
  const { calls } = layerCalls(topologyOf(json), caller, true);
  const stored = weightsByLayer(weightEntries(new Fields(json, `${caller}: model`)));
  const built = builtCalls(calls, {});
  const seen = new Set<unknown>();
  calls.forEach((call, index) => {
    const { output, result } = built[index]!;
    expectSize(`${caller}: layer "${call.name}" (${call.className})`, output);
    if (result === null || seen.has(call.config.json)) return;
    seen.add(call.config.json);
    expectWeights(call, result, stored.get(call.name.split("/").at(-1)!) ?? []);
  });
}

/** What layers inside of others call their weights is not compared. */
const wrappers: ReadonlySet<string> = new Set(["Bidirectional", "TimeDistributed", "MultiHeadAttention"]);

function expectWeights(
  { name, className }: LayerCall,
  { weights }: BuiltLayer,
  entries: readonly WeightEntry[],
): void {
  const where = `${caller}: layer "${name}" (${className}): weights`;
  if (wrappers.has(className)) {
    const asked = weights.reduce<number>((sum, { shape }) => sum + (sizeOf(shape) ?? 0), 0);
    const have = entries.reduce<number>((sum, { shape }) => sum + (sizeOf(shape) ?? 0), 0);
    if (asked <= have) return;
    throw conversionRefusal(where, `${asked} numbers in weightsManifest`, `${have}`);
  }
  for (const { name: of, shape } of weights) {
    const named = entries.filter((entry) => entry.name.endsWith(`/${of}`));
    // Layers of several inner models may have one name.
    if (named.some((entry) => !differ(entry.shape, shape))) continue;
    const got = named[0] === undefined ? "none of that name" : `[${named[0].shape.join(", ")}]`;
    throw conversionRefusal(
      where,
      `${of} [${shape.map((n) => n ?? "?").join(", ")}] in weightsManifest`,
      got,
    );
  }
}

const total = (counts: readonly (number | null)[]) =>
  counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);

function graphOf(json: unknown, warnings: string[]): ModelRows["graph"] {
  try {
    return layersModelToGraph(json);
  } catch (error) {
    warnings.push(`no receptive fields: ${String((error as Error).message).replace(/^\w+: /, "")}`);
    return null;
  }
}

interface BuiltCall {
  readonly output: Shape | null;
  /** Null for a class that is not known. */
  readonly result: BuiltLayer | null;
}

/** Shapes from the inputs on; `isLenient` leaves a layer that does not fit without shape. */
function builtCalls(calls: readonly LayerCall[], options: ModelRowsOptions, isLenient = false): BuiltCall[] {
  const inputs = calls.filter(({ className }) => className === "InputLayer");
  if (inputs.length > 1 && (options.size || options.channels !== undefined)) {
    throw conversionRefusal(`${caller}: options.size`, "a model with one input", `${inputs.length} inputs`);
  }
  const channelsFirst = calls.some(({ config }) =>
    /^channels_?first$/i.test(String(config.get("data_format"))),
  );
  const built: BuiltCall[] = [];
  for (const call of calls) {
    if (call.className === "InputLayer") {
      built.push({ output: inputShape(call, options, channelsFirst), result: null });
      continue;
    }
    const from = call.inputs.map((input, place) => {
      const { output, result } = built[input]!;
      const tensor = call.tensors[place]!;
      return tensor === 0 ? output : (result?.states?.[tensor - 1] ?? null);
    });
    let result: BuiltLayer | null = null;
    try {
      result = builtLayer({ className: call.className, config: call.config, inputs: from });
    } catch (error) {
      if (!isLenient) throw error;
    }
    built.push({ output: result?.output ?? null, result });
  }
  return built;
}

function inputShape(
  { config }: LayerCall,
  { size, channels }: ModelRowsOptions,
  channelsFirst: boolean,
): Shape {
  const key = ["batch_input_shape", "batch_shape"].find((name) => config.get(name) !== undefined);
  const shape = config
    .list(key ?? "batch_input_shape")
    .slice(1)
    .map((n) => (n === null || isCount(n) ? n : config.fail(key!, "positive integers or null", n)));
  if (size === undefined && channels === undefined) return shape;
  const own = channelsFirst ? shape[0]! : (shape.at(-1) ?? null);
  if (channels !== undefined && own !== null && own !== channels) {
    throw conversionRefusal(`${caller}: options.channels`, `${own}, which the model takes`, `${channels}`);
  }
  const axes = channelsFirst ? shape.slice(1) : shape.slice(0, -1);
  const cut = sizeAlong(axes, size, caller);
  return channelsFirst ? [channels ?? own, ...cut] : [...cut, channels ?? own];
}

/** The entries of a manifest by every layer that their names go through: `model/conv1/kernel` is of `conv1`. */
function weightsByLayer(entries: readonly WeightEntry[]): Map<string, WeightEntry[]> {
  const byLayer = new Map<string, WeightEntry[]>();
  for (const entry of entries) {
    for (const part of new Set(entry.name.split("/").slice(0, -1))) {
      byLayer.set(part, [...(byLayer.get(part) ?? []), entry]);
    }
  }
  return byLayer;
}

/** A size of the input that asks for other weights than the model has is no size of this model. */
function checkAgainstWeights(
  { name, className }: LayerCall,
  asked: BuiltLayer,
  own: BuiltLayer | null,
  entries: readonly WeightEntry[],
  { size, channels }: ModelRowsOptions,
): void {
  if (size === undefined && channels === undefined) return;
  for (const [place, { name: of, shape }] of asked.weights.entries()) {
    const entry = entries.find((one) => one.name.endsWith(`/${of}`));
    const known = entry?.shape ?? own?.weights[place]?.shape;
    if (known === undefined || !differ(known, shape)) continue;
    throw conversionRefusal(
      `${caller}: options.${size === undefined ? "channels" : "size"}`,
      `a size for which layer "${name}" (${className}) has weights: ${of} [${known.join(", ")}]`,
      `one that needs [${shape.join(", ")}]`,
    );
  }
}

const differ = (a: Shape, b: Shape) =>
  a.length !== b.length || a.some((size, i) => size !== null && b[i] !== null && size !== b[i]);

/** @param entries What the manifest has for the layer; null for a further call of a shared layer. */
function rowOf(
  { name, className, config }: LayerCall,
  { output, result }: BuiltCall,
  entries: readonly WeightEntry[] | null,
): ModelRow {
  const isFrozen = config.get("trainable") === false;
  const counts = { params: 0, trainable: 0, weights: 0 };
  const weights =
    result?.weights.map(({ name: of, shape, trainable }) => {
      const known =
        sizeOf(shape) ?? sizeOf(entries?.find((one) => one.name.endsWith(`/${of}`))?.shape ?? [null]);
      return { of, size: known, trainable };
    }) ?? entries?.map((one) => ({ of: one.name, size: sizeOf(one.shape), trainable: true }));
  let isKnown = true;
  for (const { of, size, trainable } of entries === null ? [] : (weights ?? [])) {
    if (size === null) isKnown = false;
    counts.params += size ?? 0;
    if (trainable && !isFrozen) counts.trainable += size ?? 0;
    if (/(kernel|embeddings)$/.test(of)) counts.weights += size ?? 0;
  }
  return {
    name,
    op: className,
    output,
    kernel: result?.kernel ?? null,
    ...(isKnown ? counts : { params: null, trainable: null, weights: null }),
    macs: result === null ? null : result.macs === undefined ? 0 : result.macs,
  };
}
