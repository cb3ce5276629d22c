import { checkModel, modelRows, type ScoreKind, scoreKind, weightShardPaths } from "@gradlab/tfjs-models";
import { io, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { InputFiles } from "../declaration/option.js";
import { messageOf, StudyError } from "../declaration/study-error.js";
import { blameModel, joined } from "./network-source.js";

/** A model of tfjs, layers or graph, that takes images. */
export interface TfjsModel {
  /** Shape of its input; null where any size goes. */
  readonly input: readonly (number | null)[];
  /** Null where the model does not say. */
  readonly classes: number | null;
  /** `[batch, classes]`, which the caller disposes. */
  readonly predict: (x: Tensor4D) => Tensor;
  /** The first layer or node whose output for an image has NaN in it; null where none has. */
  readonly firstNaN: (x: Tensor4D) => Promise<string | null>;
  /** The layers or nodes between the image and the scores. */
  readonly steps: Steps;
  readonly dispose: () => void;
}

/** Which input takes the image, and which layer or node gives the scores; the model's only ones unless given. */
export interface Ends {
  readonly input?: string;
  readonly output?: string;
}

/** An input or output of a model. */
interface End {
  readonly name: string;
  readonly shape?: readonly (number | null)[];
}

interface Loaded {
  readonly inputs: readonly End[];
  readonly outputs: readonly End[];
  predict(x: Tensor): unknown;
  dispose(): void;
}

/** A `model.json` that has been checked, with the weights beside it. */
export interface CheckedModel {
  readonly file: InputFiles;
  readonly json: io.ModelJSON;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Ends;
  /** What its scores are; null where the end of its graph does not say. */
  readonly scores: ScoreKind | null;
}

/** Reads a model whole and refuses what tfjs could not load, before anything of tfjs is needed. */
export async function readTfjsModel(file: InputFiles, ends: Ends = {}): Promise<CheckedModel> {
  const json = await readModelJson(file);
  const paths = blameModel("input", file.label, () => weightShardPaths(json));
  const bytes = joined(await Promise.all(paths.map((path) => file.read(path))));
  blameModel("input", file.label, () => checkModel(json, bytes));
  return { file, json, bytes, ends, scores: scoresOf(json, ends.output) };
}

/** Null too where a graph has loops, which nobody follows to its end. */
function scoresOf(json: io.ModelJSON, output: string | undefined): ScoreKind | null {
  try {
    return scoreKind(json, output);
  } catch {
    return null;
  }
}

/** Loads a model by tfjs's own loaders. */
export async function loadTfjsModel({ file, json, bytes, ends }: CheckedModel): Promise<TfjsModel> {
  const artifacts: io.ModelArtifacts = {
    ...json,
    weightSpecs: (json.weightsManifest ?? []).flatMap(({ weights }) => weights),
    weightData: bytes.buffer,
  };
  let model: Loaded | undefined;
  try {
    model = isGraph(json) ? await loadGraph(artifacts) : await loadLayers(artifacts);
    const { input, output, predict, steps } = isGraph(json)
      ? graphBetween(model as LoadedGraph, json, ends)
      : await layersBetween(model as unknown as LayersModel, ends);
    const { dispose } = model;
    // A graph model knows the shapes of few of its outputs.
    const classes = output.shape === undefined ? null : classesOf(output.shape);
    if (classes === undefined) {
      const got = `${JSON.stringify(output.shape)} of ${output.name}`;
      throw new RangeError(`expected an output [batch, classes], got ${got}`);
    }
    return {
      // Unknown sizes are null in one kind of model and -1 in the other.
      input: (input.shape ?? []).map((size) => (size === null || size < 0 ? null : size)),
      classes,
      predict,
      firstNaN: (x) => firstWithNaN(steps, x),
      steps,
      dispose: () => dispose.call(model),
    };
  } catch (error) {
    model?.dispose();
    if (error instanceof StudyError) throw error;
    const advice = isOfKeras3(json)
      ? " (a model of Keras 3: save it as a graph model, or with tf_keras)"
      : "";
    throw new StudyError("input", `${file.label}: ${told(error)}${advice}`, { cause: error });
  }
}

/** What tfjs says of a model; where it only stumbles, that it does. */
export function told(error: unknown): string {
  const message = messageOf(error).split("\n")[0]!;
  const stumbles =
    error instanceof TypeError ||
    /Cannot read prop|is not a function|not iterable|Invalid (typed )?array length|call stack|undefined/.test(
      message,
    );
  return stumbles ? `expected a model that tfjs can run, got one that it fails on (${message})` : message;
}

/** The classes that an output of this shape has, with or without a batch: null for an unknown number, undefined for a map. */
export function classesOf(shape: readonly (number | null)[]): number | null | undefined {
  const wide = (shape.length > 1 ? shape.slice(1) : shape).filter((size) => size !== 1);
  if (wide.length > 1) return undefined;
  const [classes = 1] = wide;
  return classes === null || classes < 0 ? null : classes;
}

function isOfKeras3({ modelTopology }: io.ModelJSON): boolean {
  const { keras_version: version } = modelTopology as { keras_version?: unknown };
  return typeof version === "string" && version.startsWith("3");
}

async function readModelJson(file: InputFiles): Promise<io.ModelJSON> {
  const bytes = await file.read(file.names[0]!);
  try {
    const json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as io.ModelJSON;
    if (typeof json?.modelTopology !== "object" || json.modelTopology === null)
      throw new RangeError("no modelTopology");
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

const isGraph = ({ format, modelTopology }: io.ModelJSON) =>
  format === "graph-model" || Array.isArray((modelTopology as { node?: unknown }).node);

interface Between {
  readonly input: End;
  readonly output: End;
  readonly predict: (x: Tensor4D) => Tensor;
  readonly steps: Steps;
}

/** The end of that name, or the only one. */
function chosenEnd(option: "input" | "output", all: readonly End[], name: string | undefined): End {
  const flag = option === "input" ? "{inputNode}" : "{output}";
  const names = all.map((end) => JSON.stringify(end.name)).join(", ");
  if (name === undefined && all.length === 1) return all[0]!;
  const found = all.find((end) => end.name === name || end.name === `${name}:0`);
  if (found !== undefined) return found;
  const got = name === undefined ? `a model with ${all.length} ${option}s` : JSON.stringify(name);
  throw new StudyError("usage", `${flag}: expected one of ${names}, got ${got}`);
}

async function layersBetween(whole: LayersModel, ends: Ends): Promise<Between> {
  const { model } = await import("@tensorflow/tfjs-layers");
  const inputs = whole.inputs.map((tensor) => ({ name: tensor.sourceLayer.name, tensor }));
  const end = (one: (typeof inputs)[number]) => ({ name: one.name, shape: one.tensor.shape });
  const input = chosenEnd("input", inputs.map(end), ends.input);
  const layers = whole.layers.map((layer) => ({
    name: layer.name,
    tensor: [layer.getOutputAt(0)].flat()[0]!,
  }));
  const outputs = whole.outputs.map((tensor) => ({ name: tensor.sourceLayer.name, tensor }));
  const output =
    ends.output === undefined
      ? chosenEnd("output", outputs.map(end), undefined)
      : chosenEnd("output", layers.map(end), ends.output);
  const [from, to] = [
    inputs.find(({ name }) => name === input.name)!.tensor,
    (ends.output === undefined ? outputs : layers).find(({ name }) => name === output.name)!.tensor,
  ];
  const part = model({ inputs: from, outputs: to });
  return { input, output, predict: (x) => part.predict(x) as Tensor, steps: layerSteps(part) };
}

function graphBetween(loaded: LoadedGraph, json: io.ModelJSON, ends: Ends): Between {
  const { node = [] } = json.modelTopology as { node?: readonly { name: string; op: string }[] };
  // A placeholder with a default needs nobody to feed it.
  const fixed = new Set(node.filter(({ op }) => op === "PlaceholderWithDefault").map(({ name }) => name));
  const fed = loaded.inputs.filter(({ name }) => !fixed.has(name.replace(/:0$/, "")));
  const input = chosenEnd(
    "input",
    ends.input === undefined && fed.length > 0 ? fed : loaded.inputs,
    ends.input,
  );
  const inner = node.filter(({ op }) => op !== "Const").map(({ name }): End => ({ name }));
  const known = loaded.outputs.find(({ name }) => name === ends.output || name === `${ends.output}:0`);
  const output = ends.output === undefined ? chosenEnd("output", loaded.outputs, undefined) : known;
  if (output === undefined && !inner.some(({ name }) => name === ends.output)) {
    chosenEnd("output", loaded.outputs, ends.output);
  }
  const end = output ?? { name: ends.output! };
  return {
    input,
    output: end,
    predict: (x) => [loaded.execute({ [input.name]: x }, end.name)].flat()[0]!,
    steps: {
      list: () => nodesBetween(json, input.name, end.name),
      outputs: async (x, names) => [loaded.execute({ [input.name]: x }, [...names])].flat(),
    },
  };
}

/** What a model computes one after the other. */
export interface Step {
  readonly name: string;
  /** The class of the layer, or the operation of the node. */
  readonly op: string;
}

/** Layers or nodes in the order in which they are computed, and the outputs of some, all in one pass. */
export interface Steps {
  readonly list: () => readonly Step[];
  readonly outputs: (x: Tensor, names: readonly string[]) => Promise<Tensor[]>;
}

function layerSteps(part: LayersModel): Steps {
  const layers = new Map(
    part.layers.flatMap((layer) =>
      layer.getClassName() === "InputLayer" ? [] : [[layer.name, layer] as const],
    ),
  );
  return {
    list: () =>
      [...layers].map(([name, layer]) => {
        const op = layer.getClassName();
        const { activation } = layer.getConfig();
        return { name, op: op === "Activation" && typeof activation === "string" ? activation : op };
      }),
    outputs: async (x, names) => {
      const { model } = await import("@tensorflow/tfjs-layers");
      const outputs = names.map((name) => [layers.get(name)!.getOutputAt(0)].flat()[0]!);
      return [model({ inputs: part.inputs, outputs }).predict(x)].flat();
    },
  };
}

interface LoadedGraph extends Loaded {
  execute(x: Tensor | Record<string, Tensor>, outputs: string | string[]): Tensor | Tensor[];
}

/** The nodes that the input reaches and the output needs. */
function nodesBetween(json: io.ModelJSON, input: string, output: string): Step[] {
  const { node = [] } = json.modelTopology as {
    node?: readonly { name: string; input?: readonly string[] }[];
  };
  const plain = (name: string) => name.replace(/^\^|:\d+$/g, "");
  const reads = new Map(node.map(({ name, input: from = [] }) => [name, from.map(plain)] as const));
  const needed = new Set<string>();
  const waiting = [plain(output)];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    waiting.push(...(reads.get(name) ?? []));
  }
  const reached = new Set([plain(input)]);
  return modelRows(json).rows.flatMap(({ name, op }) => {
    if (!reads.get(name)?.some((from) => reached.has(from))) return [];
    reached.add(name);
    return needed.has(name) ? [{ name, op }] : [];
  });
}

async function firstWithNaN({ list, outputs }: Steps, x: Tensor4D): Promise<string | null> {
  const names = list().map(({ name }) => name);
  const all = await outputs(x, names);
  try {
    for (const [place, output] of all.entries()) {
      if ((await output.data()).some((value) => Number.isNaN(value))) return names[place]!;
    }
    return null;
  } finally {
    for (const output of all) output.dispose();
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
