import { graphModelNodes } from "./graph-model/graph-model.js";
import { isGraphModel } from "./is-graph-model.js";
import { conversionError, isRecord, snakeCase } from "./json-fields.js";
import { layerCalls } from "./keras/layer-calls.js";
import { topologyOf } from "./keras/layers-model.js";

/** What the numbers are that a model gives its classes. */
export type ScoreKind = "softmax" | "logits" | "sigmoid";

/**
 * What the scores of a classifier are, found from the end of its graph: behind layers that only change the shape, a
 * softmax, a sigmoid, or a layer without activation (logits; so are the scores of a log-softmax, which a softmax turns
 * into the same probabilities). Null where the end says nothing.
 *
 * @param json A parsed `model.json` of tfjs.
 * @param output The layer or node that gives the scores; default: the first output.
 * @throws {TypeError | RangeError} when the topology is impossible or has no such output.
 */
export function scoreKind(json: unknown, output?: string): ScoreKind | null {
  return isGraphModel(json) ? graphScores(json, output) : layersScores(json, output);
}

const passing: ReadonlySet<string> = new Set([
  "Reshape", "Flatten", "Permute", "Dropout", "ActivityRegularization", "InputLayer",
]); // biome-ignore format: a table

const linear: ReadonlySet<string> = new Set(["Dense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv2D"]);

function layersScores(json: unknown, output: string | undefined): ScoreKind | null {
  const { calls, outputs } = layerCalls(topologyOf(json), "scoreKind");
  const named = calls.findIndex(({ name }) => name === output);
  if (output !== undefined && named === -1) {
    throw conversionError("scoreKind: output", "the name of a layer", output);
  }
  let call = calls[output === undefined ? outputs[0]! : named];
  while (call !== undefined) {
    const { className, config, inputs } = call;
    const activation = activationName(config.get("activation"));
    if (className === "Softmax") return "softmax";
    if (activation !== null && activation !== "linear") return kindOfActivation(activation);
    if (linear.has(className)) return "logits";
    // The mean of logits is one; of anything else nobody knows.
    if (/^Global(Average|Avg)/.test(className)) {
      return layersScoresAt(calls, inputs[0]) === "logits" ? "logits" : null;
    }
    if (className !== "Activation" && !passing.has(className)) return null;
    call = inputs.length === 1 ? calls[inputs[0]!] : undefined;
  }
  return null;
}

/** Of a layer before a mean: whether it has no activation. */
function layersScoresAt(
  calls: ReturnType<typeof layerCalls>["calls"],
  index: number | undefined,
): ScoreKind | null {
  const call = index === undefined ? undefined : calls[index];
  const activation = activationName(call?.config.get("activation"));
  return call !== undefined && linear.has(call.className) && (activation ?? "linear") === "linear"
    ? "logits"
    : null;
}

function activationName(value: unknown): string | null {
  if (typeof value === "string") return snakeCase(value);
  if (!isRecord(value)) return null;
  const inner = value.config;
  if (typeof inner === "string") return snakeCase(inner);
  return typeof value.class_name === "string" ? snakeCase(value.class_name) : null;
}

function kindOfActivation(activation: string): ScoreKind | null {
  if (activation === "softmax") return "softmax";
  if (activation === "log_softmax") return "logits";
  return activation === "sigmoid" || activation === "hard_sigmoid" ? "sigmoid" : null;
}

const passingOps: ReadonlySet<string> = new Set([
  "Identity", "Reshape", "Squeeze", "ExpandDims", "Cast", "StopGradient", "Snapshot",
]); // biome-ignore format: a table

const linearOps = /^((_Fused)?(MatMul|Conv2D)|BiasAdd|BiasAddV1|LogSoftmax)$/;

function graphScores(json: unknown, output: string | undefined): ScoreKind | null {
  const { order, ends } = graphModelNodes(json, output === undefined ? {} : { output });
  const nodes = new Map(order.map((node) => [node.name, node]));
  let node = nodes.get(ends[0]!);
  while (node !== undefined) {
    const { op, inputs, attributes } = node;
    if (op === "Softmax") return "softmax";
    if (op === "Sigmoid") return "sigmoid";
    if (op.startsWith("_Fused")) {
      const has = (word: string) => attributes.lists("fused_ops", word);
      return has("Sigmoid")
        ? "sigmoid"
        : ["Relu", "Relu6", "Elu", "LeakyRelu", "Prelu"].some(has)
          ? null
          : "logits";
    }
    if (linearOps.test(op)) return "logits";
    // A bias added to a product.
    const [first] = inputs;
    const adds = op === "AddV2" || op === "Add";
    const product =
      adds && inputs.map((input) => nodes.get(input.node)).find((one) => /MatMul|Conv2D/.test(one?.op ?? ""));
    if (product) return "logits";
    node = passingOps.has(op) && first !== undefined ? nodes.get(first.node) : undefined;
  }
  return null;
}
