import { add, matMul, reshape, type Tensor, type Tensor2D, tidy } from "@tensorflow/tfjs-core";
import { type Bounds, type Classifier, expectBounds } from "../classifier.js";
import { typeMismatch } from "../expect-argument.js";

/** What is used of a layer of tfjs-layers. */
export interface LayerLike {
  readonly name: string;
  readonly input: unknown;
  readonly output: unknown;
  getClassName(): string;
  getConfig(): Readonly<Record<string, unknown>>;
  getWeights(): Tensor[];
}

/** What is used of a `LayersModel`. */
export interface LayersModelLike {
  readonly inputs: readonly unknown[];
  readonly outputs: readonly { readonly shape: readonly (number | null)[] }[];
  readonly layers: readonly LayerLike[];
  apply(x: Tensor, options: { training: boolean }): unknown;
}

export interface LayersClassifierOptions {
  /** What images lie between, `[0, 1]` unless given. */
  readonly bounds?: Bounds;
  /** `tf.model` of tfjs-layers: it cuts the softmax off. */
  readonly model: (ends: { inputs: never; outputs: never }) => unknown;
}

/**
 * A `LayersModel` of tfjs for attacks: without the softmax at its end, and never in training mode.
 *
 * The softmax is cut off where it is a layer of its own (`Softmax`, or `Activation`), with or without a `Reshape` or
 * `Flatten` after it, or the activation of a dense layer, which is then computed here without it. A model whose last layer
 * is linear is taken as it is.
 *
 * @param whole Borrowed, as long as the classifier is used. Not changed.
 * @throws {TypeError | RangeError} when the end of the model is neither: it says what to do.
 */
export function layersClassifier(
  whole: LayersModelLike,
  { bounds = [0, 1], model }: LayersClassifierOptions,
): Classifier {
  const caller = "layersClassifier";
  if (typeof whole?.apply !== "function" || !Array.isArray(whole.layers)) {
    throw typeMismatch(`${caller}: whole`, "a LayersModel of tfjs", whole);
  }
  if (typeof model !== "function") throw typeMismatch(`${caller}: model`, "tf.model of tfjs-layers", model);
  expectBounds(`${caller}: bounds`, bounds);
  const shape = whole.outputs[0]?.shape ?? [];
  const classes = shape.at(-1);
  if (
    whole.inputs.length !== 1 ||
    whole.outputs.length !== 1 ||
    shape.length !== 2 ||
    typeof classes !== "number"
  ) {
    throw new RangeError(
      `${caller}: whole: expected one input and one output [batch, classes], got ${whole.inputs.length} and ${whole.outputs.length} with [${shape.join(", ")}]`,
    );
  }
  // Layers stand in the order in which they were made, which need not end with the output.
  const end = whole.layers.find((layer) => layer.output === whole.outputs[0]) ?? whole.layers.at(-1)!;
  const last = beforeReshapes(whole.layers, end, classes);
  const upTo = (output: unknown) =>
    model({ inputs: whole.inputs[0] as never, outputs: output as never }) as LayersModelLike;
  const passed = (part: LayersModelLike, x: Tensor) => part.apply(x, { training: false }) as Tensor;
  const activation = activationOf(last);
  const kind = last.getClassName();
  const classifier = (scores: (x: Tensor) => Tensor): Classifier => ({
    bounds,
    classes,
    logits: (x) => tidy(() => reshape(scores(x), [x.shape[0]!, classes])),
  });
  if (kind === "Softmax" || (kind === "Activation" && activation === "softmax")) {
    const part = upTo(last.input);
    return classifier((x) => passed(part, x));
  }
  if (kind === "Dense" && activation === "softmax") {
    const part = upTo(last.input);
    return classifier((x) => {
      const [kernel, bias] = last.getWeights();
      const products = matMul(passed(part, x) as Tensor2D, kernel as Tensor2D);
      return bias === undefined ? products : add(products, bias);
    });
  }
  if (kind === "Dense" && (activation === null || activation === "linear")) {
    return classifier((x) => passed(whole, x));
  }
  throw new RangeError(
    `${caller}: whole: expected a softmax or linear scores at the end, got ${kind} ${JSON.stringify(last.name)}${activation === null ? "" : ` with ${activation}`}: give the attack {logits, bounds, classes} of your own, with what comes before the last activation`,
  );
}

/** The layer that gives the classes, whose numbers come out at the end in another shape or as they are. */
function beforeReshapes(layers: readonly LayerLike[], end: LayerLike, classes: number): LayerLike {
  let layer = end;
  while (layer.getClassName() === "Reshape" || layer.getClassName() === "Flatten") {
    const before = layers.find(({ output }) => output === layer.input);
    // Several positions with classes of their own are no classes of the image.
    if ((before?.output as { shape?: readonly (number | null)[] })?.shape?.at(-1) !== classes) return end;
    layer = before!;
  }
  return layer;
}

function activationOf(layer: LayerLike): string | null {
  const { activation } = layer.getConfig();
  return typeof activation === "string" ? activation : null;
}
