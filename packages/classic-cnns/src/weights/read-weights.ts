import { checkpointState, unflattenParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { asBytes, float32Values, type RawTensor, readSafetensors } from "@gradlab/safetensors";
import { looksLikeTorch, otherFile, type ReadTorchOptions, readTorch } from "@gradlab/torch-files";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import { planNetwork } from "../layer-facts.js";
import type { NetworkState } from "../network-state.js";
import { expectTensors } from "./expect-tensors.js";
import { type TorchWeights, torchState } from "./from-torch-state.js";
import { CHECKPOINT_KEY, FORMAT_VERSION, METADATA_KEY } from "./weights-format.js";
import { withFacts } from "./with-facts.js";

/** The weights of a file: a state, and what the file says of it. */
export interface WeightsFile extends TorchWeights {
  /**
   * What the file is: `"weights"` of `writeWeights`, a `"checkpoint"` of a training, `"safetensors"` with PyTorch's
   * names and layout, or a file of `torch.save` in today's form (`"torch"`) or the one before 1.6 (`"torch-legacy"`).
   */
  readonly format: "weights" | "checkpoint" | "safetensors" | "torch" | "torch-legacy";
  /** The free strings of a safetensors file, those that mark a format left out. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Entries that were left out, and why: they are no tensors, of a dtype that is not used, or lack the prefix. */
  readonly skipped: ReadonlyMap<string, string>;
}

export interface ReadWeightsOptions extends ReadTorchOptions {
  /** Of PyTorch's names: taken away from those that begin so (`"backbone."`); other tensors are left out. */
  readonly stripPrefix?: string;
}

/**
 * The weights of a network from the bytes of a file, whatever its kind: the first bytes and the metadata tell. The
 * tensors of PyTorch are renamed and moved as `fromTorchState` says.
 *
 * @param graph The network that the weights are for.
 * @param bytes The whole file; not kept.
 * @param options `stripPrefix`, and those of `readTorch` for a file of `torch.save`.
 * @returns float32 tensors; the caller disposes them.
 * @throws {TorchFileError | SafetensorsError} when the file is not valid.
 * @throws {RangeError} when it is of no known kind, or its tensors are not those of the graph; it lists them.
 */
export function readWeights(
  graph: LayerGraph,
  bytes: Uint8Array | ArrayBufferLike,
  { stripPrefix, ...options }: ReadWeightsOptions = {},
): WeightsFile {
  const file = asBytes("readWeights", bytes);
  if (looksLikeTorch(file)) {
    const { tensors, format, ignored } = readTorch(file, options);
    const kind = format === "zip" ? "torch" : "torch-legacy";
    return torchWeights(graph, tensors, stripPrefix, kind, new Map(), ignored);
  }
  for (const [name, value] of Object.entries({ key: options.key, ema: options.ema || undefined })) {
    if (value === undefined) continue;
    throw new RangeError(`readWeights: ${name}: expected a file of torch.save beside it, got another`);
  }
  if (!looksLikeSafetensors(file)) {
    const got = otherFile(file);
    const expected = "safetensors, a checkpoint or a file of torch.save";
    throw new RangeError(`readWeights: bytes: expected ${expected}, got ${got}`);
  }
  const { tensors, raw, metadata } = readSafetensors(file);
  const strings = new Map(metadata);
  for (const key of [METADATA_KEY, CHECKPOINT_KEY]) strings.delete(key);
  if (metadata.has(CHECKPOINT_KEY)) {
    return ownFile(fromCheckpoint(graph, file), "checkpoint", strings);
  }
  const version = metadata.get(METADATA_KEY);
  if (version === undefined) {
    const unused = new Map([...raw].map(([name, { dtype }]) => [name, dtype]));
    return torchWeights(graph, tensors, stripPrefix, "safetensors", strings, unused);
  }
  if (version !== FORMAT_VERSION) {
    const got = JSON.stringify(version.slice(0, 40));
    throw new RangeError(`readWeights: metadata "${METADATA_KEY}": expected "${FORMAT_VERSION}", got ${got}`);
  }
  return ownFile(takeRecords(graph, tensors), "weights", strings);
}

const ownFile = (
  state: NetworkState,
  format: WeightsFile["format"],
  metadata: WeightsFile["metadata"],
): WeightsFile => withFacts(state, { format, metadata, ignored: [], skipped: new Map() });

function torchWeights(
  graph: LayerGraph,
  tensors: ReadonlyMap<string, RawTensor>,
  prefix: string | undefined,
  format: WeightsFile["format"],
  metadata: WeightsFile["metadata"],
  left: ReadonlyMap<string, string>,
): WeightsFile {
  const skipped = new Map(left);
  const kept = prefix === undefined ? tensors : withPrefix(tensors, prefix, skipped);
  try {
    const state = torchState("readWeights", graph, kept);
    return withFacts(state, { format, metadata, ignored: state.ignored, skipped });
  } catch (error) {
    // What was left out may be what is missing.
    if (!(error instanceof RangeError) || skipped.size === 0) throw error;
    const some = [...skipped].slice(0, 4).map(([name, what]) => `${JSON.stringify(name)} (${what})`);
    const more = skipped.size > some.length ? ", …" : "";
    throw new RangeError(`${error.message}; left out: ${some.join(", ")}${more}`);
  }
}

/** The tensors whose names begin so, without it. */
function withPrefix(
  tensors: ReadonlyMap<string, RawTensor>,
  prefix: string,
  skipped: Map<string, string>,
): Map<string, RawTensor> {
  const kept = new Map<string, RawTensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(prefix)) kept.set(name.slice(prefix.length), tensor);
    else skipped.set(name, "another prefix");
  }
  if (kept.size > 0) return kept;
  const names = [...tensors.keys()].slice(0, 4).map((name) => JSON.stringify(name));
  const got = `${names.join(", ")}${tensors.size > 4 ? ", …" : ""}`;
  throw new RangeError(
    `readWeights: stripPrefix: expected names that begin with ${JSON.stringify(prefix)}, got ${got}`,
  );
}

/** A header of JSON behind the 8 bytes of its length; the length's upper half is zero in any file that is read. */
function looksLikeSafetensors(file: Uint8Array): boolean {
  return file[8] === 0x7b && file.subarray(4, 8).every((byte) => byte === 0);
}

/** The records of tensors `params.<path>` and `statistics.<path>`, which have the layout that they have here. */
function takeRecords(graph: LayerGraph, found: ReadonlyMap<string, RawTensor>): NetworkState {
  const entries = planNetwork("readWeights", graph).facts.flatMap(({ layer, parameters, statistics }) => [
    ...parameters.map(({ role, shape }) => ["params", `${layer.name}.${role}`, shape] as const),
    ...statistics.map(({ role, shape }) => ["statistics", `${layer.name}.${role}`, shape] as const),
  ]);
  const expected = new Map(entries.map(([record, path, shape]) => [`${record}.${path}`, shape]));
  expectTensors("readWeights: tensors", expected, found);
  const recordOf = (wanted: "params" | "statistics") =>
    unflattenParams(
      entries.flatMap(([record, path]) =>
        record === wanted ? [[path, tensorOf(found.get(`${record}.${path}`)!)] as const] : [],
      ),
    );
  return { params: recordOf("params"), statistics: recordOf("statistics") };
}

const tensorOf = (raw: RawTensor): Tensor => tensor(float32Values(raw)!.slice(), [...raw.shape], "float32");

/** The record that was trained: `{ params, statistics }`, or parameters alone. */
function fromCheckpoint(graph: LayerGraph, file: Uint8Array): NetworkState {
  const trained = [...checkpointState(file)];
  const isGrouped = trained.every(([path]) => /^(?:params|statistics)\./.test(path));
  const found = new Map(trained.map(([path, value]) => [isGrouped ? path : `params.${path}`, value]));
  return takeRecords(graph, found);
}
