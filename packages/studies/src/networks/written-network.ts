import type { LayerGraph } from "@gradlab/receptive-field";
import type { InputFiles } from "../declaration/option.js";
import { blamed, messageOf, StudyError } from "../declaration/study-error.js";
import { grouped } from "../declaration/wording.js";
import {
  isLayerGraph,
  networkOptions,
  parseSpec,
  readModelFile,
  type ShapeOptions,
  type SizedNetwork,
} from "./network-source.js";

/** The name of every network that no package knows. */
export const ownName = "own network";

/** Layers as somebody wrote them, in words or as JSON. */
export interface WrittenNetwork {
  readonly graph: LayerGraph;
  /** The file; null where they are words. */
  readonly file: string | null;
}

/** The layers of the option `spec` or of a file `model`, which holds a LayerGraph; undefined where there is neither. */
export async function readWritten(
  spec: string | undefined,
  model: InputFiles | undefined,
): Promise<WrittenNetwork | undefined> {
  if (spec !== undefined) return { graph: parseSpec(spec), file: null };
  if (model === undefined) return undefined;
  const { json } = await readModelFile(model);
  if (!isLayerGraph(json)) {
    throw new StudyError(
      "input",
      `${model.label}: expected a LayerGraph as JSON, {"input": …, "layers": […]}, got something else`,
    );
  }
  return { graph: json as LayerGraph, file: model.label };
}

/** Written layers on images of known size and channels, with as many outputs as there are classes. */
export async function writtenNetwork(
  { graph, file }: WrittenNetwork,
  shape: Pick<ShapeOptions, "input" | "channels" | "classes">,
): Promise<SizedNetwork> {
  const { ownNetwork } = await import("@gradlab/classic-cnns/networks");
  const beside = file ?? "{spec}";
  const known = graph.input.shape as readonly unknown[] | undefined;
  if (shape.input === undefined && (!Array.isArray(known) || known.includes(null))) {
    throw new StudyError("usage", `{input}: expected the size of the images beside ${beside}, got none`);
  }
  if (shape.channels === undefined && graph.input.channels === undefined) {
    throw new StudyError("usage", `{channels}: expected those of the images beside ${beside}, got none`);
  }
  const options = networkOptions(shape);
  try {
    const own = ownNetwork(graph, options);
    return { name: ownName, options, graph: own, isWritten: true };
  } catch (error) {
    if (file !== null) throw blamed("input", file, error);
    throw blamed("usage", "{spec}", new Error(inWords(messageOf(error), shape.classes), { cause: error }));
  }
}

/** More than any network of the classic ones has, and what a tensor can have at the most. */
const most = { parameters: 2 ** 28, values: 2 ** 29 };

/**
 * Refuses a written network that no machine here could train: a number too many is quickly typed.
 *
 * @param batch Images in a step.
 */
export async function expectTrainable(
  { graph }: SizedNetwork,
  { file }: Pick<WrittenNetwork, "file">,
  batch: number,
): Promise<void> {
  const { summary } = await import("@gradlab/classic-cnns/networks");
  const { layers, params } = summary(graph);
  const fail = (layer: string, expected: string, got: number): never => {
    const [kind, place] = file === null ? (["usage", "{spec}"] as const) : (["input", file] as const);
    throw new StudyError(kind, `${place}: layer "${layer}": expected ${expected}, got ${grouped(got)}`);
  };
  if (params > most.parameters) {
    const largest = layers.reduce((a, b) => (b.params > a.params ? b : a));
    fail(largest.name, `at most ${grouped(most.parameters)} parameters in all layers`, params);
  }
  for (const { name, outputShape } of layers) {
    const values = outputShape.reduce((a, b) => a * b, batch);
    if (values <= most.values) continue;
    fail(name, `at most ${grouped(most.values)} outputs for ${batch} images`, values);
  }
}

/** What a graph lacks, as the notation says it. */
function inWords(message: string, classes: number | undefined): string {
  const units = `a number of them such as dense 120${classes === undefined ? ", or {classes} beside it" : ""}`;
  return message
    .replace(/(: filters: expected) .* got undefined$/, "$1 a number of them such as f16, got none")
    .replace(/(: units: expected) .* got undefined$/, `$1 ${units}, got none`)
    .replace(/(: inputs: expected a flattened input)(, got a map)/, "$1 (flatten before it)$2");
}
