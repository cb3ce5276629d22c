import { type Classifier, withPreprocessing } from "@gradlab/attacks";
import { reshape, type Tensor4D, tidy, zeros } from "@tensorflow/tfjs-core";
import type { InputFiles } from "../../declaration/option.js";
import { StudyError } from "../../declaration/study-error.js";
import { loadTfjsModel, readTfjsModel, type TfjsModel } from "../../networks/tfjs-model.js";
import type { AttackedNetwork, AttackedOptions } from "./attacked-network.js";

/** A model of tfjs without the softmax at its end: the layer or node before it gives the scores. */
export async function attackedModel(
  file: InputFiles,
  { output, preprocess = "symmetric" }: AttackedOptions & { readonly output?: string },
): Promise<AttackedNetwork> {
  const asIs = await readTfjsModel(file, output === undefined ? {} : { output });
  const before = asIs.scores === "softmax" ? beforeSoftmax(asIs.json.modelTopology, output) : null;
  if (asIs.scores === "softmax" && before === null) {
    throw new StudyError(
      "usage",
      `{output}: expected the layer or node before the softmax of ${file.label}, which is not one of its own: attacks need the logits`,
    );
  }
  if (asIs.scores === "sigmoid") {
    throw new StudyError("usage", `{output}: expected the layer or node before the sigmoid of ${file.label}`);
  }
  const checked = before === null ? asIs : await readTfjsModel(file, { output: before });
  const model = await loadTfjsModel(checked);
  const [, height, width, channels] = model.input;
  const isSized = Boolean(height && width && channels);
  // A graph does not say how many numbers it gives.
  const classes = model.classes ?? (isSized ? countScores(model, [1, height!, width!, channels!]) : null);
  if (!height || !width || !channels || !classes) {
    model.dispose();
    throw new StudyError(
      "input",
      `${file.label}: expected an input [batch, height, width, channels] and scores of known sizes, got ${JSON.stringify(model.input)} and ${String(classes)}`,
    );
  }
  const own: Classifier = {
    bounds: [-1, 1],
    classes,
    // Scores may have further dimensions of 1.
    logits: (x) => tidy(() => reshape(model.predict(x as Tensor4D), [x.shape[0]!, classes])),
  };
  const unit = { ...own, bounds: [0, 1] as const };
  return {
    name: file.label,
    classifier:
      preprocess === "unit"
        ? unit
        : withPreprocessing(
            own,
            preprocess === "symmetric"
              ? { mean: 0.5, std: 0.5 }
              : { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
          ),
    input: [height, width, channels],
    labels: null,
    dispose: model.dispose,
  };
}

function countScores({ predict }: TfjsModel, shape: [number, number, number, number]): number {
  return tidy(() => predict(zeros(shape)).size);
}

interface Topology {
  readonly node?: readonly {
    readonly name: string;
    readonly op: string;
    readonly input?: readonly string[];
  }[];
  readonly model_config?: Topology;
  readonly config?: { readonly layers?: readonly Layer[] } | readonly Layer[];
}

interface Layer {
  readonly class_name: string;
  readonly config: { readonly name: string; readonly activation?: unknown };
  readonly inbound_nodes?: readonly (readonly (readonly unknown[])[])[];
}

const passing = new Set(["Reshape", "Flatten", "Identity", "Squeeze"]);

/** What goes into the softmax at the end; null where it is part of another layer. */
function beforeSoftmax(topology: unknown, output: string | undefined): string | null {
  const { node, model_config: inner, config: own } = topology as Topology;
  if (node !== undefined) {
    const known = new Map(node.map((each) => [each.name, each]));
    const input = (name: string | undefined) => name?.replace(/:\d+$/, "");
    let last = output === undefined ? node.at(-1) : known.get(output);
    while (last !== undefined && passing.has(last.op)) last = known.get(input(last.input?.[0]) ?? "");
    return last?.op === "Softmax" ? (input(last.input?.[0]) ?? null) : null;
  }
  const config = inner?.config ?? own;
  const layers = (Array.isArray(config) ? config : (config as { layers?: Layer[] })?.layers) as
    | Layer[]
    | undefined;
  if (layers === undefined) return null;
  const place =
    output === undefined ? layers.length - 1 : layers.findIndex((each) => each.config.name === output);
  // The layer that a functional model names, or the one before in a sequential one.
  const inputOf = (at: number) => {
    const named = layers[at]!.inbound_nodes?.[0]?.[0]?.[0];
    return typeof named === "string" ? layers.findIndex((each) => each.config.name === named) : at - 1;
  };
  let at = place;
  while (at > 0 && passing.has(layers[at]!.class_name)) at = inputOf(at);
  const last = layers[at];
  const isSoftmax =
    last?.class_name === "Softmax" ||
    (last?.class_name === "Activation" && last.config.activation === "softmax");
  return isSoftmax ? (layers[inputOf(at)]?.config.name ?? null) : null;
}
