import { join } from "node:path";
import type { NetworkName, NetworkOptions, NetworkState } from "@gradlab/classic-cnns";
import { type JsonValue, loadCheckpoint, saveCheckpoint, type Training } from "@gradlab/core";
import { readSafetensorsHeader } from "@gradlab/safetensors";
import { Failure, messageOf } from "../failure.js";
import { readInput, writeOutput } from "../files.js";

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
  return parseCheckpoint(file, await readInput(file));
}

/** Whether bytes are those of a checkpoint, of whatever training. */
export function isCheckpoint(bytes: Uint8Array): boolean {
  // The header of a safetensors file is JSON behind the eight bytes of its length.
  return bytes[8] === 0x7b && readHeader(bytes)?.metadata.has("gradlab.training") === true;
}

function readHeader(bytes: Uint8Array) {
  try {
    return readSafetensorsHeader(bytes);
  } catch {
    return null;
  }
}

/** `file` begins the messages. */
export function parseCheckpoint(
  file: string,
  bytes: Uint8Array,
): { training: Training<NetworkState>; note: CheckpointNote } {
  try {
    const training = loadCheckpoint(bytes) as unknown as Training<NetworkState>;
    return { training, note: noteOf(training.extra) };
  } catch (error) {
    const message = messageOf(error).replace(/^\w+: /, "");
    throw new Failure("runtime", `${file}: ${message}`, { cause: error });
  }
}

function noteOf(extra: JsonValue): CheckpointNote {
  const note =
    typeof extra === "object" && extra !== null ? (extra as Record<string, unknown>)["train-cnn"] : null;
  if (typeof note !== "object" || note === null) {
    throw new RangeError("expected a checkpoint of gradlab train-cnn, got one of another training");
  }
  return note as CheckpointNote;
}
