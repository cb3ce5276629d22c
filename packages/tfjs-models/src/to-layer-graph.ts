import { checkLayerGraph, type LayerGraph } from "@gradlab/receptive-field";
import { type GraphModelOptions, graphModelToGraph } from "./graph-model/graph-model.js";
import { conversionError, conversionRefusal, isRecord, show } from "./json-fields.js";
import { layersModelToGraph } from "./keras/layers-model.js";

const caller = "toLayerGraph";

/**
 * Any description of a network as a `LayerGraph`: a LayerGraph itself, the `model.json` of a LayersModel or a
 * GraphModel of tfjs, or such a model as tfjs has loaded it.
 *
 * @param model Parsed JSON, or the object of a model; only looked at.
 * @param options For tfjs models; `weights` is used by the JSON of a GraphModel alone.
 * @throws {TypeError | RangeError} saying what was found where nothing was recognised, or what the converter says
 *   (`layersModelToGraph`, `graphModelToGraph`).
 */
export function toLayerGraph(model: unknown, options: GraphModelOptions = {}): LayerGraph {
  const expected =
    "a LayerGraph {input, layers}, or a LayersModel or GraphModel of tfjs, itself or its model.json";
  if (!isRecord(model)) throw conversionError(`${caller}: model`, expected, model);
  const { weights: _, ...named } = options;
  if (isLoadedLayersModel(model)) return layersModelToGraph(model.toJSON(null, false), named);
  const loaded = artifactsOf(model);
  if (loaded !== null) return graphModelToGraph(loaded.json, { weights: loaded.weights, ...options });
  switch (kindOf(model)) {
    case "layer-graph":
      checkLayerGraph(model);
      return model;
    case "layers-model":
      return layersModelToGraph(model, named);
    case "graph-model":
      return graphModelToGraph(model, options);
    default:
      throw conversionRefusal(`${caller}: model`, expected, whatItLooksLike(model));
  }
}

/** A LayersModel of `@tensorflow/tfjs-layers`, which writes its topology itself. */
function isLoadedLayersModel(model: object): model is { toJSON(unused: null, returnString: false): unknown } {
  return "toJSON" in model && typeof model.toJSON === "function" && "layers" in model;
}

/** The topology of a GraphModel of `@tensorflow/tfjs-converter` as it was loaded, and its weights as bytes; null for anything else. */
function artifactsOf(model: object): { json: object; weights: Uint8Array } | null {
  if (!("artifacts" in model) || !("executor" in model) || !isRecord(model.artifacts)) return null;
  const { modelTopology, signature, userDefinedMetadata, weightSpecs, weightData } = model.artifacts;
  return {
    json: {
      modelTopology,
      signature,
      userDefinedMetadata,
      weightsManifest: [{ weights: weightSpecs ?? [] }],
    },
    weights: joined(weightData),
  };
}

/** Shards in a row. */
function joined(weightData: unknown): Uint8Array {
  const shards = Array.isArray(weightData) ? weightData : [weightData];
  const parts = shards.filter((shard) => shard instanceof ArrayBuffer).map((shard) => new Uint8Array(shard));
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

type Json = Readonly<Record<string, unknown>>;

const own = (json: Json, key: string): unknown => (Object.hasOwn(json, key) ? json[key] : undefined);

function kindOf(json: Json): "layer-graph" | "layers-model" | "graph-model" | null {
  const topology = own(json, "modelTopology") ?? own(json, "model_topology") ?? json;
  const format = own(json, "format");
  if (format === "graph-model" || format === "layers-model") return format;
  if (!isRecord(topology)) return null;
  if (Array.isArray(own(topology, "node"))) return "graph-model";
  if (["model_config", "modelConfig"].some((key) => isRecord(own(topology, key)))) return "layers-model";
  const className = own(topology, "class_name") ?? own(topology, "className");
  if (typeof className === "string" && own(topology, "config") !== undefined) return "layers-model";
  if (isRecord(own(json, "input")) && Array.isArray(own(json, "layers"))) return "layer-graph";
  return null;
}

/** What somebody may have taken for a model. */
function whatItLooksLike(json: Json): string {
  const has = (...keys: string[]) => keys.every((key) => own(json, key) !== undefined);
  if (has("opset_import") || has("opsetImport") || has("ir_version") || has("irVersion")) {
    return "an ONNX model (convert it to tfjs first)";
  }
  if (Object.keys(json).some((key) => /\.(weight|bias|running_mean)$/.test(key)) || has("state_dict")) {
    return "PyTorch weights, which do not say how layers are wired";
  }
  if (has("weightsManifest")) return "a weights manifest without modelTopology";
  if (has("name", "layers")) return "the config of a Keras model without its class_name";
  if (has("architectures") || has("model_type")) return "the configuration of a transformer, without layers";
  return show(json);
}
