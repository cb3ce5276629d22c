import type { NetworkOptions } from "@gradlab/classic-cnns/networks";
import type { LayerGraph } from "@gradlab/receptive-field";
import { readSafetensorsHeader, type SafetensorsHeader, safetensorsHeaderLength } from "@gradlab/safetensors";
import type { InputFiles } from "../declaration/option.js";
import { blame, blamed } from "../declaration/study-error.js";
import { classicNetwork, type SizedNetwork } from "./network-source.js";
import { ownName } from "./written-network.js";

/** One pass over the training images. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Updates so far. */
  readonly step: number;
  /** Mean over the steps of the epoch, each before its update. */
  readonly loss: number;
  /** Mean cross-entropy of the images that are only looked at; null where there are none. */
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
}

/**
 * What a checkpoint says of itself: how the network is built, and all that the next step depends on. No times: the
 * same training writes the same bytes.
 */
export interface CheckpointNote {
  readonly net: string;
  readonly options: NetworkOptions;
  /** Of a network that was written layer by layer: all of it. */
  readonly graph?: LayerGraph;
  /** Names of the classes. */
  readonly labels: readonly string[];
  readonly data: string;
  /** Of the images and labels themselves. */
  readonly digest: string;
  readonly seed: number;
  readonly batch: number;
  readonly init: string;
  readonly augment: string;
  readonly validation: number;
  readonly history: readonly EpochRecord[];
  /** Sum of the losses of the steps of an epoch that is not finished. */
  readonly unfinished: { readonly loss: number; readonly steps: number };
}

/** The names of the two checkpoints in their folder. */
export const lastCheckpoint = "last.safetensors";
export const bestCheckpoint = "best.safetensors";

/** Whether bytes are those of a checkpoint, of whatever training. */
export function isCheckpoint(bytes: Uint8Array): boolean {
  // The header of a safetensors file is JSON behind the eight bytes of its length.
  if (bytes[8] !== 0x7b) return false;
  try {
    return readSafetensorsHeader(bytes).metadata.has(metadataKey);
  } catch {
    return false;
  }
}

/** Whether a file is a checkpoint of `train-cnn`, by its first bytes. */
export async function isOfTrainCnn(file: InputFiles): Promise<boolean> {
  const [name] = file.names;
  const prefix = await file.start(name!, 9);
  if (prefix[8] !== 0x7b) return false;
  try {
    checkpointNote(await file.start(name!, safetensorsHeaderLength(prefix)));
    return true;
  } catch {
    return false;
  }
}

/** A network as a checkpoint of `train-cnn` describes it. */
export interface CheckpointNetwork extends SizedNetwork {
  /** Names of the classes. */
  readonly labels: readonly string[];
}

/** The network that the header of a checkpoint describes; its tensors stay in the file. */
export async function readCheckpointNetwork(file: InputFiles): Promise<CheckpointNetwork> {
  const [name] = file.names;
  const prefix = await file.start(name!, 8);
  const length = blame("input", file.label, () => safetensorsHeaderLength(prefix));
  return checkpointNetwork(file.label, await file.start(name!, length));
}

/** The same from bytes that begin with the header; `label` begins the messages. */
export async function checkpointNetwork(label: string, bytes: Uint8Array): Promise<CheckpointNetwork> {
  const { net, options, labels, graph } = blame("input", label, () => checkpointNote(bytes));
  try {
    if (net === ownName && graph !== undefined) {
      const { ownNetwork } = await import("@gradlab/classic-cnns/networks");
      const classes = labels.length;
      return { name: net, options, graph: ownNetwork(graph, { classes }), isWritten: true, labels };
    }
    return { ...(await classicNetwork(net, {}, options)), labels };
  } catch (error) {
    // The file is at fault, not the options.
    throw blamed("input", label, error instanceof Error ? new Error(error.message) : error);
  }
}

/** What a checkpoint says of its training, by bytes that begin with its header. */
export function checkpointNote(bytes: Uint8Array): CheckpointNote {
  return noteIn(readSafetensorsHeader(bytes));
}

/** Where `saveCheckpoint` keeps what is no tensor. */
const metadataKey = "gradlab.training";

function noteIn({ metadata }: SafetensorsHeader): CheckpointNote {
  const text = metadata.get(metadataKey);
  if (text === undefined) {
    throw new RangeError("expected a checkpoint of gradlab train-cnn, got tensors alone");
  }
  const note = (JSON.parse(text) as { extra?: { "train-cnn"?: Partial<CheckpointNote> } } | null)?.extra?.[
    "train-cnn"
  ];
  const { net, options, labels, history, unfinished } = note ?? {};
  const isWhole =
    typeof net === "string" &&
    typeof options === "object" &&
    Array.isArray(labels) &&
    labels.every((label) => typeof label === "string") &&
    Array.isArray(history) &&
    typeof unfinished === "object";
  if (!isWhole)
    throw new RangeError("expected a checkpoint of gradlab train-cnn, got one of another training");
  return note as CheckpointNote;
}
