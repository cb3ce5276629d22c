import type { AxisPadding, Layer, LayerGraph, Padding, PerAxis } from "./layer-graph.js";
import { checkLayerGraph } from "./resolve-graph.js";
import { functionWords, isNameless, namePattern, poolModeOf, windowOpOf } from "./text-notation.js";

/**
 * The line of text that `parseNetwork` reads this network from: the way back of it. Every layer has its name; fields
 * that have their default are left out, and so are the size and the channels of the input, which the notation lacks.
 *
 * @throws {TypeError | RangeError} when the graph is impossible, or has what the notation lacks; the message names the
 *   layer and the field.
 */
export function networkText(graph: LayerGraph): string {
  checkLayerGraph(graph, "networkText");
  const axes = graph.input.shape.length;
  const layers = graph.layers.map(layerText);
  return `${axes === 2 ? "" : `${axes}d: `}${layers.join(", ")}`;
}

type Refuse = (field: string, expected: string, got: unknown) => never;

const fnWords = new Map([...functionWords].map(([word, fn]) => [fn, word]));

function layerText(layer: Layer): string {
  const { name, op, inputs } = layer;
  const refuse: Refuse = (field, expected, got) => {
    throw new RangeError(
      `networkText: layer "${name}": ${field}: expected ${expected}, got ${JSON.stringify(got)}`,
    );
  };
  if (!namePattern.test(name)) refuse("name", "letters, digits, _ . and -, a letter first", name);
  if (op === "add" || op === "concat") {
    if (inputs === undefined || inputs.length < 2) refuse("inputs", "at least two names", inputs);
    return `${name} = ${inputs!.join(op === "add" ? " + " : " | ")}`;
  }
  const source = inputs === undefined ? [] : ["from", ...inputs];
  return [name, ...ownWords(layer, refuse), ...source].join(" ");
}

/** The words of a layer between its name and its source. */
function ownWords(layer: Layer, refuse: Refuse): string[] {
  switch (layer.op) {
    case "conv":
    case "pool":
    case "transposed-conv":
      return windowWords(layer, refuse);
    case "pointwise":
      return functionText(layer, refuse);
    case "flatten":
      return ["flatten"];
    case "dense":
      return ["dense", ...(layer.units === undefined ? [] : [`${layer.units}`]), ...biasWord(layer)];
    case "global-pool":
      return ["global", modeOf(layer, refuse)];
    case "adaptive-pool":
      return ["adaptive", sizeText(layer.outputSize), modeOf(layer, refuse)];
    case "pad":
      if ((layer.mode ?? "constant") !== "constant") refuse("mode", "constant", layer.mode);
      return ["pad", paddingText(layer.padding)];
    case "resize": {
      const { scale, size, coordinates, method = "nearest" } = layer;
      if (scale === undefined || size !== undefined) refuse("size", "a scale instead", size);
      if (coordinates !== undefined) refuse("coordinates", "none", coordinates);
      return ["up", sizeText(scale!), ...(method === "bilinear" ? [method] : [])];
    }
    default:
      return refuse("op", "one that the notation has", layer.op);
  }
}

type WindowLayer = Extract<Layer, { readonly op: "conv" | "pool" | "transposed-conv" }>;

function windowWords(layer: WindowLayer, refuse: Refuse): string[] {
  const { name, op, kernel, stride = op === "pool" ? kernel : 1, dilation = 1, padding = 0 } = layer;
  // Before a window such a word would be taken for a layer without a name.
  if (isNameless(name)) refuse("name", "another than a word of the notation", name);
  const words = [`${sizeText(kernel)}${stride === 1 ? "" : `/${sizeText(stride)}`}`];
  if (padding === "same" || padding === "valid") words.push(padding);
  else if (padding !== 0) words.push(`p${paddingText(padding)}`);
  if (dilation !== 1) words.push(`d${sizeText(dilation)}`);
  if (op === "pool") {
    const mode = modeOf(layer, refuse);
    if (windowOpOf(name) !== "pool" || poolModeOf(name) !== mode) words.push(mode);
  } else {
    if (windowOpOf(name) !== op) words.push(op === "conv" ? "conv" : "transposed");
    const { filters, groups = 1 } = layer;
    if (filters !== undefined) words.push(`f${filters}`);
    if (groups !== 1) words.push(`g${groups}`);
    words.push(...biasWord(layer));
  }
  if (op === "transposed-conv") {
    const { outputPadding = 0 } = layer;
    if ([outputPadding].flat().some((one) => one !== 0)) refuse("outputPadding", "0", outputPadding);
  } else if (layer.ceilMode) words.push("ceil");
  return words;
}

function functionText(layer: Extract<Layer, { readonly op: "pointwise" }>, refuse: Refuse): string[] {
  const { fn } = layer;
  const word = fnWords.get(fn ?? "") ?? refuse("fn", `one of ${[...fnWords.keys()].join(", ")}`, fn);
  if (word === "dropout") return [word, `${layer.rate ?? 0.5}`];
  if (word === "bn") {
    const { epsilon = 1e-5, momentum = 0.1 } = layer;
    if (momentum !== 0.1) refuse("momentum", "0.1", momentum);
    return epsilon === 1e-5 ? [word] : [word, `${epsilon}`];
  }
  if (word !== "lrn") return [word];
  const { size = 5, alpha = 1e-4, beta = 0.75, k = 2 } = layer;
  const usual = { size: 5, alpha: 1e-4, beta: 0.75, k: 2 };
  for (const [field, value] of Object.entries({ size, alpha, beta, k })) {
    const expected = usual[field as keyof typeof usual];
    if (value !== expected) refuse(field, `${expected}`, value);
  }
  return [word];
}

const biasWord = ({ bias = true }: { readonly bias?: boolean }) => (bias ? [] : ["nobias"]);

function modeOf({ mode }: { readonly mode?: "max" | "avg" }, refuse: Refuse): "max" | "avg" {
  return mode ?? refuse("mode", "max or avg", mode);
}

const sizeText = (value: PerAxis<number>): string => [value].flat().join("x");

function paddingText(padding: Exclude<Padding, string>): string {
  if (typeof padding === "number") return `${padding}`;
  return padding.map((entry: AxisPadding) => [entry].flat().join(":")).join("x");
}
