import { type Classifier, withPreprocessing } from "@gradlab/attacks";
import { networkClassifier } from "@gradlab/classic-cnns";
import { readWeights } from "@gradlab/classic-cnns/weights";
import { disposeParams } from "@gradlab/core";
import { imageNetMoments } from "@gradlab/datasets";
import type { InputFiles } from "../../declaration/option.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { checkpointNetwork, isCheckpoint } from "../../networks/checkpoint.js";
import { classicNetwork, refuseBesideCheckpoint, type ShapeOptions } from "../../networks/network-source.js";

/** A network that can be attacked: it takes pixels from 0 to 1. */
export interface AttackedNetwork {
  readonly name: string;
  readonly classifier: Classifier;
  /** Height, width and channels of an image. */
  readonly input: readonly [height: number, width: number, channels: number];
  /** Names of the classes, where they are known. */
  readonly labels: readonly string[] | null;
  readonly dispose: () => void;
}

export interface AttackedOptions extends ShapeOptions {
  readonly net?: string;
  readonly preprocess?: "unit" | "symmetric" | "imagenet";
}

/** A classic network with the weights of a file: of a checkpoint, which says what it is of, or of the one named. */
export async function attackedNetwork(
  weights: InputFiles,
  chosen: AttackedOptions,
): Promise<AttackedNetwork> {
  const { label } = weights;
  const bytes = await weights.read(weights.names[0]!);
  const isOwn = isCheckpoint(bytes) && chosen.net === undefined;
  if (isOwn) refuseBesideCheckpoint(chosen, label);
  if (!isOwn && chosen.net === undefined) {
    throw new StudyError("usage", `{net}: expected the network that ${label} has weights for, got none`);
  }
  const { name, graph, labels } = isOwn
    ? await checkpointNetwork(label, bytes)
    : { ...(await classicNetwork(chosen.net!, chosen)), labels: null };
  const { params, statistics, format } = blame("input", label, () => readWeights(graph, bytes));
  const state = { params, statistics };
  try {
    const [height, width] = graph.input.shape as [number, number];
    const channels = graph.input.channels!;
    const isTorch = format !== "weights" && format !== "checkpoint";
    const preprocess = chosen.preprocess ?? (isTorch && channels === 3 ? "imagenet" : "unit");
    return {
      name: isOwn ? `${name} of ${label}` : name,
      classifier: preprocessed(networkClassifier(graph, state), preprocess, channels),
      input: [height, width, channels],
      labels,
      dispose: () => disposeParams(state),
    };
  } catch (error) {
    disposeParams(state);
    throw error;
  }
}

function preprocessed(
  classifier: Classifier,
  preprocess: NonNullable<AttackedOptions["preprocess"]>,
  channels: number,
): Classifier {
  if (preprocess === "unit") return classifier;
  if (preprocess === "symmetric") return withPreprocessing(classifier, { mean: 0.5, std: 0.5 });
  if (channels !== 3) {
    throw new StudyError("usage", `{preprocess} imagenet: expected 3 channels, got ${channels}`);
  }
  return withPreprocessing(classifier, imageNetMoments);
}
