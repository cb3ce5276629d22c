import { weightShardPaths } from "@gradlab/tfjs-models";
import { io, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import type { InputFiles } from "../../declaration/option.js";
import { messageOf, StudyError } from "../../declaration/study-error.js";
import { joined } from "../../networks/network-source.js";

/** A model of tfjs, layers or graph, that takes images. */
export interface TfjsModel {
  /** Shape of its input; null where any size goes. */
  readonly input: readonly (number | null)[];
  /** Null where the model does not say. */
  readonly classes: number | null;
  /** `[batch, classes]`, which the caller disposes. */
  readonly predict: (x: Tensor4D) => Tensor;
  readonly dispose: () => void;
}

interface Loaded {
  readonly inputs: readonly { readonly shape?: readonly (number | null)[] }[];
  readonly outputs: readonly { readonly shape?: readonly (number | null)[] }[];
  predict(x: Tensor): unknown;
  dispose(): void;
}

/** Loads `model.json` with the weights beside it, by tfjs's own loaders. */
export async function loadTfjsModel(file: InputFiles): Promise<TfjsModel> {
  const json = await readModelJson(file);
  const bytes = joined(await Promise.all(weightShardPaths(json).map((path) => file.read(path))));
  const artifacts: io.ModelArtifacts = {
    ...json,
    weightSpecs: (json.weightsManifest ?? []).flatMap(({ weights }) => weights),
    weightData: bytes.buffer,
  };
  let model: Loaded | undefined;
  try {
    model = json.format === "graph-model" ? await loadGraph(artifacts) : await loadLayers(artifacts);
    const { inputs, outputs } = model;
    // A graph model knows the shapes of few of its outputs.
    const shape = outputs[0]?.shape;
    if (inputs.length !== 1 || outputs.length !== 1 || (shape !== undefined && shape.length !== 2)) {
      throw new RangeError(
        `expected one input and one output [batch, classes], got ${inputs.length} and ${outputs.length} ${JSON.stringify(shape ?? null)}`,
      );
    }
    const { predict, dispose } = model;
    return {
      // Unknown sizes are null in one kind of model and -1 in the other.
      input: (inputs[0]!.shape ?? []).map((size) => (size === null || size < 0 ? null : size)),
      classes: shape?.[1] ?? null,
      predict: (x) => predict.call(model, x) as Tensor,
      dispose: () => dispose.call(model),
    };
  } catch (error) {
    model?.dispose();
    throw new StudyError("input", `${file.label}: ${messageOf(error)}`, { cause: error });
  }
}

async function readModelJson(file: InputFiles): Promise<io.ModelJSON> {
  const bytes = await file.read(file.names[0]!);
  try {
    const json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as io.ModelJSON;
    if (typeof json?.modelTopology !== "object") throw new RangeError("no modelTopology");
    return json;
  } catch (error) {
    const got = messageOf(error);
    throw new StudyError(
      "input",
      `${file.label}: expected a model.json of tfjs, got something else (${got})`,
      {
        cause: error,
      },
    );
  }
}

async function loadGraph(artifacts: io.ModelArtifacts): Promise<Loaded> {
  const { loadGraphModel } = await import("@tensorflow/tfjs-converter");
  return (await loadGraphModel(io.fromMemory(artifacts))) as unknown as Loaded;
}

async function loadLayers(artifacts: io.ModelArtifacts): Promise<Loaded> {
  const { loadLayersModel } = await import("@tensorflow/tfjs-layers");
  return (await loadLayersModel(io.fromMemory(artifacts))) as unknown as Loaded;
}
