import type { LayerGraph } from "../layer-graph.js";
import { checkLayerGraph } from "../resolve-graph.js";
import { type GraphModelOptions, graphModelToGraph } from "./graph-model.js";
import { conversionError, conversionRefusal, isRecord, show } from "./json-fields.js";
import { layersModelToGraph } from "./layers-model.js";

const caller = "modelToLayerGraph";

/**
 * Any description of a network that this package reads as a `LayerGraph`: a
 * LayerGraph itself, a LayersModel or a GraphModel of tfjs.
 *
 * @param json Parsed JSON.
 * @param options For tfjs models; `weights` is used by a GraphModel alone.
 * @throws {TypeError | RangeError} saying what was found where nothing was
 *   recognised, or what the converter says (`layersModelToGraph`, `graphModelToGraph`).
 */
export function modelToLayerGraph(json: unknown, options: GraphModelOptions = {}): LayerGraph {
  const expected = "a LayerGraph {input, layers} or the model.json of a tfjs LayersModel or GraphModel";
  if (!isRecord(json)) throw conversionError(`${caller}: json`, expected, json);
  const { weights: _, ...named } = options;
  switch (kindOf(json)) {
    case "layer-graph":
      checkLayerGraph(json);
      return json;
    case "layers-model":
      return layersModelToGraph(json, named);
    case "graph-model":
      return graphModelToGraph(json, options);
    default:
      throw conversionRefusal(`${caller}: json`, expected, whatItLooksLike(json));
  }
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
