import { dirname, join } from "node:path";
import {
  checkLayerGraph,
  exampleNetworks,
  type LayerGraph,
  modelToLayerGraph,
  parseNetwork,
  weightShardPaths,
} from "@gradlab/receptive-field";
import { blame, Failure, messageOf } from "./failure.js";
import { readInput } from "./files.js";

export interface NetworkFlags {
  readonly net?: string;
  readonly model?: string;
  readonly spec?: string;
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
  if (net !== undefined) {
    const graph = new Map<string, LayerGraph>(Object.entries(exampleNetworks)).get(net);
    if (graph === undefined) {
      const known = Object.keys(exampleNetworks).join(", ");
      throw new Failure("usage", `--net: expected one of ${known}, got ${JSON.stringify(net)}`);
    }
    return { label: net, graph };
  }
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
  return blame("runtime", file, () => modelToLayerGraph(json, weights && { weights }));
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
