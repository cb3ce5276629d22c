import { join } from "node:path";
import type { NetworkName, NetworkOptions, NetworkState } from "@gradlab/classic-cnns";
import { type JsonValue, loadCheckpoint, saveCheckpoint, type Training } from "@gradlab/core";
import { readSafetensorsHeader, type SafetensorsHeader, safetensorsHeaderLength } from "@gradlab/safetensors";
import { type ClassicNetwork, classicNetwork } from "@gradlab/studies";
import { blame, Failure, messageOf } from "../failure.js";
import { isFolder, readInput, readStart, writeOutput } from "../files.js";

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
  readonly net: NetworkName;
  readonly options: NetworkOptions;
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

export const lastCheckpoint = (folder: string) => join(folder, "last.safetensors");
export const bestCheckpoint = (folder: string) => join(folder, "best.safetensors");

export async function writeCheckpoint(
  file: string,
  training: Training<NetworkState>,
  note: CheckpointNote,
): Promise<void> {
  training.extra = { "train-cnn": note as unknown as JsonValue };
  await writeOutput(file, await saveCheckpoint(training));
}

/** The training in a file, and what the file says of it. */
export async function readCheckpoint(
  file: string,
): Promise<{ training: Training<NetworkState>; note: CheckpointNote }> {
  const bytes = await readInput(file);
  return blame("runtime", file, () => {
    const note = noteIn(readSafetensorsHeader(bytes));
    return { training: loadCheckpoint(bytes) as unknown as Training<NetworkState>, note };
  });
}

/** The file that a path means: in a folder of `--checkpoint` the best one. */
export async function checkpointFile(path: string): Promise<string> {
  return (await isFolder(path)) ? bestCheckpoint(path) : path;
}

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

/** A network as a checkpoint of `train-cnn` describes it. */
export interface CheckpointNetwork extends ClassicNetwork {
  /** Names of the classes. */
  readonly labels: readonly string[];
}

/** The network that the header of a checkpoint describes; its tensors stay in the file. */
export async function readCheckpointNetwork(file: string): Promise<CheckpointNetwork> {
  const prefix = await readStart(file, 8);
  const length = blame("runtime", file, () => safetensorsHeaderLength(prefix));
  return checkpointNetwork(file, await readStart(file, length));
}

/** The same from bytes that begin with the header; `file` begins the messages. */
export async function checkpointNetwork(file: string, bytes: Uint8Array): Promise<CheckpointNetwork> {
  const { net, options, labels } = blame("runtime", file, () => noteIn(readSafetensorsHeader(bytes)));
  try {
    return { ...(await classicNetwork(net, {}, options)), labels };
  } catch (error) {
    // The file is at fault, not the command line.
    throw new Failure("runtime", `${file}: ${messageOf(error)}`, { cause: error });
  }
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
