import { applyNetwork, layerFacts, type NetworkState } from "@gradlab/classic-cnns";
import { readWeights } from "@gradlab/classic-cnns/weights";
import { disposeParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { keep, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import type { InputFiles } from "../../declaration/option.js";
import type { StudyEvent } from "../../declaration/study.js";
import { blame, blamed, messageOf, StudyError } from "../../declaration/study-error.js";
import { checkpointNetwork, isCheckpoint } from "../../networks/checkpoint.js";
import { classicNetwork, refuseBesideCheckpoint } from "../../networks/network-source.js";
import { refuseTorchChoice, torchChoice } from "../../networks/torch-choice.js";
import { readWritten, writtenNetwork } from "../../networks/written-network.js";
import type { Classifier } from "./classifier.js";
import type { ClassifyOptions } from "./classify-options.js";
import { layerMaps } from "./layer-maps.js";

/** A classic network with the weights of a file: of a checkpoint, which says what it is of, or of the one that is named. */
export async function* ownNetwork(
  weights: InputFiles,
  chosen: ClassifyOptions,
): AsyncGenerator<StudyEvent, Classifier> {
  const { label } = weights;
  const bytes = await weights.read(weights.names[0]!);
  if (isCheckpoint(bytes) && chosen.net === undefined && chosen.spec === undefined) {
    refuseBesideCheckpoint(chosen, label);
    refuseTorchChoice(chosen, `the checkpoint ${label}`);
    const { name, graph, labels } = await checkpointNetwork(label, bytes);
    const { params, statistics } = blame("input", label, () => readWeights(graph, bytes));
    return classifierOf(
      `${name} of ${label}`,
      graph,
      { params, statistics },
      {
        labels,
        preprocess: chosen.preprocess ?? "unit",
      },
    );
  }
  const written = await readWritten(chosen.spec, undefined);
  if (chosen.net === undefined && written === undefined) {
    throw new StudyError("usage", `{net}: expected the network that ${label} has weights for, got none`);
  }
  const { name, graph } = written
    ? await writtenNetwork(written, chosen)
    : await classicNetwork(chosen.net!, chosen);
  const { format, ignored, skipped, params, statistics } = inOptions(label, () =>
    readWeights(graph, bytes, torchChoice(chosen)),
  );
  if (skipped.size > 0) yield { kind: "warning", text: `${label}: left out ${someOf(skipped)}` };
  if (ignored.length > 0) {
    const text = `${label}: ${ignored.length} tensors are of no use here: ${ignored[0]}, …`;
    yield { kind: "warning", text };
  }
  const isTorch = format !== "weights" && format !== "checkpoint";
  if (isTorch && name === "googlenet" && chosen.preprocess === undefined) {
    const text = "torchvision's pretrained GoogLeNet expects {preprocess} googlenet; this is imagenet";
    yield { kind: "warning", text };
  }
  const preprocess = isTorch && graph.input.channels === 3 ? "imagenet" : "unit";
  return classifierOf(
    name,
    graph,
    { params, statistics },
    {
      labels: null,
      preprocess: chosen.preprocess ?? preprocess,
    },
  );
}

/** Errors that speak of options of a function, in options of the study. */
function inOptions<T>(label: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const text = messageOf(error)
      .replace("the option key opens another", "{key} opens another, gradlab summary lists all tensors")
      .replace("the option classes makes it one of", "{classes}");
    const [, option, fault] = /^read(?:Torch|Weights): (key|ema|stripPrefix): (.*)$/s.exec(text) ?? [];
    if (option !== undefined) {
      throw new StudyError("usage", `{${option}}: ${fault}, in ${label}`, { cause: error });
    }
    throw blamed("input", label, new Error(text, { cause: error }));
  }
}

function someOf(skipped: ReadonlyMap<string, string>): string {
  const some = [...skipped].slice(0, 4).map(([name, what]) => `${JSON.stringify(name)} (${what})`);
  return `${some.join(", ")}${skipped.size > 4 ? `, … (${skipped.size} in all)` : ""}`;
}

function classifierOf(
  name: string,
  graph: LayerGraph,
  state: NetworkState,
  how: Pick<Classifier, "labels" | "preprocess">,
): Classifier {
  const [height, width] = graph.input.shape as [number, number];
  return {
    name,
    input: [height, width, graph.input.channels!],
    classes: layerFacts(graph).at(-1)!.outputShape[0]!,
    ...how,
    scores: (x) => applyNetwork(graph, state, x),
    kind: "logits",
    firstNaN: (x) => firstWithNaN(graph, state, x),
    look: (x) => layerMaps(graph, state, x),
    dispose: () => disposeParams(state),
  };
}

/** The first layer that gives NaN for an image; null where none does. */
async function firstWithNaN(graph: LayerGraph, state: NetworkState, x: Tensor4D): Promise<string | null> {
  const values: [string, Tensor][] = [];
  const y = applyNetwork(graph, state, x, {
    onLayer: (name, value) => values.push([name, keep(value.clone())]),
  });
  try {
    for (const [name, value] of values) {
      if ((await value.data()).some((number) => Number.isNaN(number))) return name;
    }
    return null;
  } finally {
    y.dispose();
    for (const [, value] of values) value.dispose();
  }
}
