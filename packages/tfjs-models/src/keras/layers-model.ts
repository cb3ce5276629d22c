import type { LayerGraph } from "@gradlab/receptive-field";
import type { Dim, Feature } from "../dims.js";
import { GraphDraft } from "../graph-draft.js";
import { conversionError, conversionRefusal, Fields, isCount, isRecord } from "../json-fields.js";
import { addKerasLayer } from "./keras-layers.js";
import { type LayerCall, layerCalls } from "./layer-calls.js";

export interface LayersModelOptions {
  /**
   * The input whose pixels are meant, by the name of its InputLayer; needed
   * where a model has several. The others count as constants: what depends on
   * them alone is left out, and a merge with them works position by position
   * (they are taken to have no more positions than the branch that they join).
   */
  readonly input?: string;
  /** The layer at which the graph ends; default: the outputs of the model. */
  readonly output?: string;
}

const caller = "layersModelToGraph";

/**
 * A LayersModel of tfjs (`model.json` with `format: "layers-model"`, its
 * `modelTopology` alone, or what `model.toJSON(null, false)` returns) as a
 * graph of positions. Layers keep their names; those of nested models become
 * `outer/inner`, further calls of a shared layer `name_1`, `name_2`, …. A
 * separable convolution becomes two layers, `name/depthwise` and `name`; an
 * activation inside a layer leaves no trace. Axes keep the order of the input,
 * also after a Permute that exchanges them.
 *
 * Unlike Keras, and like tfjs, bilinear UpSampling2D looks at `v·n/m`, without
 * the half pixel.
 *
 * @param json Parsed JSON. Sizes that the model leaves open are null.
 * @throws {TypeError} when a part is missing or has the wrong type.
 * @throws {RangeError} when a layer has no meaning on positions (Permute that
 *   hides an axis, recurrence, attention, concatenation along positions, …), when
 *   the wiring is impossible, or when one of several inputs has to be named.
 */
export function layersModelToGraph(json: unknown, options: LayersModelOptions = {}): LayerGraph {
  const { calls, outputs } = layerCalls(topologyOf(json), caller);
  const ends = options.output === undefined ? outputs : [callNamed(calls, options.output)];
  const needed = neededCalls(calls, ends);
  const chosen = chooseInput(calls, needed, options.input);
  const draft = new GraphDraft(caller, ...inputLayout(calls, chosen, needed));
  const features: (Feature | null)[] = [];
  calls.forEach((call, index) => {
    const inputs = call.inputs.map((input) => features[input] ?? null);
    if (index === chosen) features.push(draft.input);
    else if (!needed.has(index) || inputs.every((input) => input === null)) features.push(null);
    else features.push(addKerasLayer({ draft, ...call, inputs, refuse: refusalOf(call) }));
  });
  if (ends.every((end) => features[end] === null)) {
    throw conversionRefusal(
      `${caller}: options.output`,
      `a layer that reads "${calls[chosen]!.name}"`,
      "none",
    );
  }
  return draft.finish();
}

/** The part `{class_name, config}` of a file. */
export function topologyOf(json: unknown): Fields {
  if (!isRecord(json)) throw conversionError(`${caller}: json`, "the JSON object of a LayersModel", json);
  const file = new Fields(json, `${caller}: model`);
  const topology = file.get("model_topology") === undefined ? file : file.fields("model_topology");
  const model = topology.get("model_config") === undefined ? topology : topology.fields("model_config");
  const className = model.get("class_name");
  if (typeof className !== "string" || model.get("config") === undefined) {
    throw conversionError(`${caller}: model`, "modelTopology with class_name and config", model.json);
  }
  return model;
}

function callNamed(calls: readonly LayerCall[], name: string): number {
  const index = calls.findIndex((call) => call.name === name);
  if (index === -1) throw conversionError(`${caller}: options.output`, "the name of a layer", name);
  return index;
}

/** The calls that lead to the outputs. */
function neededCalls(calls: readonly LayerCall[], outputs: readonly number[]): Set<number> {
  const needed = new Set(outputs);
  // Inputs come before their readers, so that one pass from the end suffices.
  for (let index = calls.length - 1; index >= 0; index--) {
    if (needed.has(index)) for (const input of calls[index]!.inputs) needed.add(input);
  }
  return needed;
}

function chooseInput(calls: readonly LayerCall[], needed: ReadonlySet<number>, name?: string): number {
  const inputs = [...needed]
    .filter((index) => calls[index]!.className === "InputLayer")
    .sort((a, b) => a - b);
  const names = inputs.map((index) => JSON.stringify(calls[index]!.name)).join(", ");
  if (name !== undefined) {
    const chosen = inputs.find((index) => calls[index]!.name === name);
    if (chosen === undefined) throw conversionError(`${caller}: options.input`, `one of ${names}`, name);
    return chosen;
  }
  if (inputs.length === 1) return inputs[0]!;
  throw conversionRefusal(
    `${caller}: options.input`,
    `one of ${names} (the model has several inputs)`,
    "nothing",
  );
}

/** Dimensions and size of the input, from its batch shape and the data format of the layers. */
function inputLayout(
  calls: readonly LayerCall[],
  chosen: number,
  needed: ReadonlySet<number>,
): [Dim[], (number | null)[]] {
  const { config } = calls[chosen]!;
  const key = ["batch_input_shape", "batch_shape"].find((name) => config.get(name) !== undefined);
  const shape = config.list(key ?? "batch_input_shape");
  const sizes = shape.slice(1).map((size) => {
    const known = size === null || isCount(size);
    return known ? size : config.fail("batch_input_shape", "positive integers or null", size);
  });
  if (sizes.length < 2 || sizes.length > 4) {
    config.fail("batch_input_shape", "[batch, positions along 1 to 3 axes, channels]", shape);
  }
  const channelsFirst = calls.some(({ config: other, className }, index) => {
    const format = needed.has(index) && className !== "Flatten" ? other.get("data_format") : undefined;
    return format === "channels_first" || format === "channelsFirst";
  });
  const channels = (channelsFirst ? sizes[0] : sizes[sizes.length - 1]) ?? null;
  const size = channelsFirst ? sizes.slice(1) : sizes.slice(0, -1);
  const axes = size.map((_, axis): Dim => ({ axis }));
  return [channelsFirst ? ["batch", { channels }, ...axes] : ["batch", ...axes, { channels }], size];
}

const wayOut = "(options.output can end the graph before it)";

function refusalOf({ name, className }: LayerCall) {
  return (expected: string, got: string): never => {
    throw conversionRefusal(`${caller}: layer "${name}" (${className})`, expected, `${got} ${wayOut}`);
  };
}
