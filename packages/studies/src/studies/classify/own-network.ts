import { applyNetwork, type NetworkState } from "@gradlab/classic-cnns";
import { readWeights } from "@gradlab/classic-cnns/weights";
import { disposeParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { InputFiles } from "../../declaration/option.js";
import type { StudyEvent } from "../../declaration/study.js";
import { blame, StudyError } from "../../declaration/study-error.js";
import { checkpointNetwork, isCheckpoint } from "../../networks/checkpoint.js";
import { classicNetwork, refuseBesideCheckpoint } from "../../networks/network-source.js";
import type { Classifier } from "./classifier.js";
import type { ClassifyOptions } from "./classify-options.js";

/** A classic network with the weights of a file: of a checkpoint, which says what it is of, or of the one that is named. */
export async function* ownNetwork(
  weights: InputFiles,
  chosen: ClassifyOptions,
): AsyncGenerator<StudyEvent, Classifier> {
  const { label } = weights;
  const bytes = await weights.read(weights.names[0]!);
  if (isCheckpoint(bytes) && chosen.net === undefined) {
    refuseBesideCheckpoint(chosen, label);
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
  if (chosen.net === undefined) {
    throw new StudyError("usage", `{net}: expected the network that ${label} has weights for, got none`);
  }
  const { name, graph } = await classicNetwork(chosen.net, chosen);
  const { format, ignored, params, statistics } = blame("input", label, () => readWeights(graph, bytes));
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

function classifierOf(
  name: string,
  graph: LayerGraph,
  state: NetworkState,
  how: Pick<Classifier, "labels" | "preprocess">,
): Classifier {
  const [height, width] = graph.input.shape as [number, number];
  const last = graph.layers.findLast(({ op }) => op === "dense" || op === "conv");
  return {
    name,
    input: [height, width, graph.input.channels!],
    classes: last?.op === "dense" ? last.units! : last?.op === "conv" ? last.filters! : 0,
    ...how,
    scores: (x) => applyNetwork(graph, state, x),
    kind: "logits",
    firstNaN: async () => null,
    dispose: () => disposeParams(state),
  };
}
