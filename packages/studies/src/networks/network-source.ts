import type { NetworkOptions } from "@gradlab/classic-cnns/networks";
import { checkLayerGraph, exampleNetworks, type LayerGraph, parseNetwork } from "@gradlab/receptive-field";
import { toLayerGraph, weightShardPaths } from "@gradlab/tfjs-models";
import type { InputFiles } from "../declaration/option.js";
import { blame, messageOf, StudyError, type StudyErrorKind } from "../declaration/study-error.js";

/** Options that cut a classic network to size. */
export interface ShapeOptions {
  readonly input?: readonly number[];
  readonly channels?: number;
  readonly classes?: number;
  readonly width?: readonly number[];
}

export interface NetworkSource {
  readonly label: string;
  readonly graph: LayerGraph;
}

interface NetworkChoice {
  readonly net?: string;
  readonly spec?: string;
  /** Of a model of tfjs: one of several inputs, and where its graph ends. */
  readonly inputNode?: string;
  readonly output?: string;
}

/** The network that the options `net` and `spec` or a file `model` name; one of them. */
export async function loadNetwork(
  { net, spec, inputNode, output }: NetworkChoice,
  model: InputFiles | undefined,
): Promise<NetworkSource> {
  const given = [net, model, spec].filter((source) => source !== undefined);
  if (given.length !== 1) {
    const got = given.length === 0 ? "none" : given.length;
    throw new StudyError("usage", `expected one of {net}, {model} and {spec}, got ${got}`);
  }
  for (const [option, value] of Object.entries({ inputNode, output })) {
    if (value === undefined || model !== undefined) continue;
    throw new StudyError("usage", `{${option}}: expected beside {model}, got it without`);
  }
  if (net !== undefined) return { label: net, graph: await namedNetwork(net) };
  if (model !== undefined) {
    const ends = {
      ...(inputNode !== undefined && { input: inputNode }),
      ...(output !== undefined && { output }),
    };
    return { label: model.label, graph: await readModel(model, ends) };
  }
  return { label: "spec", graph: parseSpec(spec!) };
}

/** The layers of a line of text, on an input of unknown size. */
export function parseSpec(spec: string): LayerGraph {
  return blame("usage", "{spec}", () => {
    const parsed = parseNetwork(spec);
    checkLayerGraph(parsed);
    return parsed;
  });
}

/** A classic network, or another of `receptive-field`. */
async function namedNetwork(net: string): Promise<LayerGraph> {
  const { network, networkNames } = await import("@gradlab/classic-cnns/networks");
  if (isOneOf(networkNames, net)) return network(net);
  const graph = new Map<string, LayerGraph>(Object.entries(exampleNetworks)).get(net);
  if (graph !== undefined) return graph;
  throw unknownNetwork([...new Set([...networkNames, ...Object.keys(exampleNetworks)])], net);
}

const isOneOf = <T extends string>(names: readonly T[], name: string): name is T =>
  (names as readonly string[]).includes(name);

function unknownNetwork(known: readonly string[], net: string): StudyError {
  return new StudyError("usage", `{net}: expected one of ${known.join(", ")}, got ${JSON.stringify(net)}`);
}

/** A network that can be computed: a classic one cut to size, or one that somebody wrote layer by layer. */
export interface SizedNetwork {
  readonly name: string;
  readonly options: NetworkOptions;
  readonly graph: LayerGraph;
  /** Its graph says all of it, its name and options do not. */
  readonly isWritten?: true;
}

/** The classic network of a name, cut to size. */
export async function classicNetwork(
  net: string,
  shape: ShapeOptions,
  options: NetworkOptions = networkOptions(shape),
): Promise<SizedNetwork> {
  const { network, networkNames } = await import("@gradlab/classic-cnns/networks");
  if (!isOneOf(networkNames, net)) throw unknownNetwork(networkNames, net);
  return { name: net, options, graph: blame("usage", `{net} ${net}`, () => network(net, options)) };
}

/** A checkpoint says itself how its network is cut to size. */
export function refuseBesideCheckpoint(shape: ShapeOptions, file: string): void {
  for (const option of ["input", "channels", "classes", "width"] as const) {
    if (shape[option] !== undefined) {
      throw new StudyError(
        "usage",
        `{${option}}: expected beside {net}, got it beside the checkpoint ${file}`,
      );
    }
  }
}

/** What the options say to `network`. */
export function networkOptions({ input, channels, classes, width }: ShapeOptions): NetworkOptions {
  return {
    ...(input !== undefined && { inputSize: input.length === 1 ? input[0]! : (input as [number, number]) }),
    ...(channels !== undefined && { channels }),
    ...(classes !== undefined && { classes }),
    ...(width !== undefined && { width: width.length === 1 ? width[0]! : width }),
  };
}

/** A file that describes a network, with the constants of its graph where it has some. */
export interface ModelFile {
  readonly json: unknown;
  readonly weights?: Uint8Array;
}

async function readModel(
  file: InputFiles,
  ends: { readonly input?: string; readonly output?: string },
): Promise<LayerGraph> {
  const { json, weights } = await readModelFile(file);
  return blameModel("input", file.label, () => toLayerGraph(json, { ...ends, ...(weights && { weights }) }));
}

/** `blame` for a step of tfjs-models, whose options are called otherwise here; a wrong one is wrong usage. */
export function blameModel<T>(kind: StudyErrorKind, place: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    const text = messageOf(error)
      .replace(/^\w+: /, "")
      .replace(" (options.weights)", "")
      .replace("options.weights", "weights")
      .replace("options.channels", "{channels}")
      .replace("options.size", "{input}")
      .replaceAll("options.input", "{inputNode}")
      .replaceAll("options.output", "{output}");
    const isWrongName = /^\{(inputNode|output)\}/.test(text);
    throw new StudyError(isWrongName ? "usage" : kind, isWrongName ? text : `${place}: ${text}`, {
      cause: error,
    });
  }
}

/** The parsed JSON of a LayerGraph or of a model of tfjs. */
export async function readModelFile(file: InputFiles): Promise<ModelFile> {
  const [name] = file.names;
  const bytes = await file.read(name!);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new StudyError(
      "input",
      `${file.label}: expected JSON (a LayerGraph or a tfjs model.json), got something else (${messageOf(error)})`,
      { cause: error },
    );
  }
  const weights = await weightsBeside(file, json);
  return { json, ...(weights && { weights }) };
}

/** Whether JSON holds a LayerGraph, which has its layers at the top. */
export function isLayerGraph(json: unknown): boolean {
  const top = json as { input?: unknown; layers?: unknown; modelTopology?: unknown } | null;
  return (
    Array.isArray(top?.layers) &&
    typeof top.input === "object" &&
    top.input !== null &&
    top.modelTopology === undefined
  );
}

/**
 * The weight shards beside a GraphModel, which hold the constants of its graph
 * (paddings, sizes); undefined where there are none to be read: only a model
 * whose graph needs them is the worse for it, and the converter says so.
 */
async function weightsBeside(file: InputFiles, json: unknown): Promise<Uint8Array | undefined> {
  if (!isGraphModel(json)) return undefined;
  try {
    return joined(await Promise.all(weightShardPaths(json).map((path) => file.read(path))));
  } catch {
    return undefined;
  }
}

/** Bytes in a row. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function isGraphModel(json: unknown): boolean {
  const topology = (json as { modelTopology?: { node?: unknown } } | null)?.modelTopology;
  return typeof topology === "object" && topology !== null && Array.isArray(topology.node);
}

/** `N` or `H,W`. */
export function bothAxes(sizes: readonly number[]): readonly [height: number, width: number] {
  const [height, width = height, ...more] = sizes;
  if (more.length > 0) throw new StudyError("usage", `{input}: expected N or H,W, got ${sizes.length} sizes`);
  return [height!, width!];
}
