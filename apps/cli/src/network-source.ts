import { dirname, join } from "node:path";
import type { NetworkName, NetworkOptions } from "@gradlab/classic-cnns";
import { checkLayerGraph, exampleNetworks, type LayerGraph, parseNetwork } from "@gradlab/receptive-field";
import { toLayerGraph, weightShardPaths } from "@gradlab/tfjs-models";
import { blame, Failure, messageOf } from "./failure.js";
import { readInput } from "./files.js";

export interface NetworkFlags {
  readonly net?: string;
  readonly model?: string;
  readonly spec?: string;
}

/** Flags that cut a classic network to size. */
export interface ShapeFlags {
  readonly input?: readonly number[];
  readonly channels?: number;
  readonly classes?: number;
  readonly width?: readonly number[];
}

export interface NetworkSource {
  readonly label: string;
  readonly graph: LayerGraph;
}

/** The network that `--net`, `--model` or `--spec` names. */
export async function loadNetwork({ net, model, spec }: NetworkFlags): Promise<NetworkSource> {
  const given = [net, model, spec].filter((flag) => flag !== undefined);
  if (given.length !== 1) {
    throw new Failure(
      "usage",
      `expected one of --net, --model and --spec, got ${given.length === 0 ? "none" : given.length}`,
    );
  }
  if (net !== undefined) return { label: net, graph: await namedNetwork(net) };
  if (spec !== undefined) {
    const graph = blame("usage", "--spec", () => {
      const parsed = parseNetwork(spec);
      checkLayerGraph(parsed);
      return parsed;
    });
    return { label: "spec", graph };
  }
  return { label: model!, graph: await readModel(model!) };
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

function unknownNetwork(known: readonly string[], net: string): Failure {
  return new Failure("usage", `--net: expected one of ${known.join(", ")}, got ${JSON.stringify(net)}`);
}

/** A classic network cut to size. */
export interface ClassicNetwork {
  readonly name: NetworkName;
  readonly options: NetworkOptions;
  readonly graph: LayerGraph;
}

/** The classic network that `--net` names, cut to size by the flags. */
export async function classicNetwork(
  net: string,
  flags: ShapeFlags,
  options: NetworkOptions = networkOptions(flags),
): Promise<ClassicNetwork> {
  const { network, networkNames } = await import("@gradlab/classic-cnns/networks");
  if (!isOneOf(networkNames, net)) throw unknownNetwork(networkNames, net);
  return { name: net, options, graph: blame("usage", `--net ${net}`, () => network(net, options)) };
}

/** A checkpoint says itself how its network is cut to size. */
export function refuseBesideCheckpoint(flags: ShapeFlags, file: string): void {
  for (const flag of ["input", "channels", "classes", "width"] as const) {
    if (flags[flag] !== undefined) {
      throw new Failure("usage", `--${flag}: expected beside --net, got it beside the checkpoint ${file}`);
    }
  }
}

/** What the flags say to `network`. */
function networkOptions({ input, channels, classes, width }: ShapeFlags): NetworkOptions {
  return {
    ...(input !== undefined && { inputSize: input.length === 1 ? input[0]! : (input as [number, number]) }),
    ...(channels !== undefined && { channels }),
    ...(classes !== undefined && { classes }),
    ...(width !== undefined && { width: width.length === 1 ? width[0]! : width }),
  };
}

async function readModel(file: string): Promise<LayerGraph> {
  const bytes = await readInput(file);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Failure(
      "runtime",
      `${file}: expected JSON (a LayerGraph or a tfjs model.json), got something else (${messageOf(error)})`,
      {
        cause: error,
      },
    );
  }
  const weights = await weightsBeside(file, json);
  return blame("runtime", file, () => toLayerGraph(json, weights && { weights }));
}

/**
 * The weight shards beside a GraphModel, which hold the constants of its graph
 * (paddings, sizes); undefined where there are none to be read: only a model
 * whose graph needs them is the worse for it, and the converter says so.
 */
async function weightsBeside(file: string, json: unknown): Promise<Uint8Array | undefined> {
  if (!isGraphModel(json)) return undefined;
  try {
    const shards = weightShardPaths(json).map((path) => readInput(join(dirname(file), path)));
    return Buffer.concat(await Promise.all(shards));
  } catch {
    return undefined;
  }
}

function isGraphModel(json: unknown): boolean {
  const topology = (json as { modelTopology?: { node?: unknown } } | null)?.modelTopology;
  return typeof topology === "object" && topology !== null && Array.isArray(topology.node);
}

/** `N` or `H,W`. */
export function bothAxes(sizes: readonly number[]): readonly [height: number, width: number] {
  const [height, width = height, ...more] = sizes;
  if (more.length > 0) throw new Failure("usage", `--input: expected N or H,W, got ${sizes.length} sizes`);
  return [height!, width!];
}
