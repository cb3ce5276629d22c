import { type OptionsOf, seedOption } from "../../declaration/option.js";
import { StudyError } from "../../declaration/study-error.js";
import { bestCheckpoint } from "../../networks/checkpoint.js";
import { ownNetworkOptions } from "../../networks/own-network-options.js";

export const attackNames = [
  "fgsm",
  "bim",
  "pgd",
  "mi-fgsm",
  "apgd-ce",
  "apgd-dlr",
  "apgd-t",
  "fab",
  "square",
  "autoattack",
  "cw",
  "ead",
  "ddn",
  "deepfool",
  "pixel-optimization",
  "jsma",
  "sparsefool",
  "one-pixel",
  "spsa",
  "boundary",
  "hopskipjump",
] as const;

const normNames = ["linf", "l2", "l1"] as const;

/** How far an attack may go unless `eps` says so: what the literature uses for colour images. */
export const usualEpsilon: Readonly<Record<(typeof normNames)[number], number>> = {
  linf: 8 / 255,
  l2: 0.5,
  l1: 12,
};

/** The network that is attacked, and the images. */
export const networkOptions = {
  net: {
    kind: "text",
    placeholder: "<name>",
    help: "a classic network; a checkpoint of train-cnn names its own",
  },
  weights: {
    kind: "file",
    inFolder: bestCheckpoint,
    help: "its weights: .pth of PyTorch or .safetensors; or a checkpoint of train-cnn, or its folder",
  },
  model: {
    kind: "file",
    help: "instead: a model.json of tfjs with its weights beside it; a softmax at its end is left out",
  },
  output: {
    kind: "text",
    placeholder: "<name>",
    help: "the layer or node of --model that gives the logits, where it is not found",
  },
  data: {
    kind: "folder",
    none: "shapes",
    help: "images with their classes: IDX files, CIFAR-10, or a folder of pictures for each class; or shapes: generated images",
  },
  ...ownNetworkOptions,
  preprocess: {
    kind: "choice",
    choices: ["unit", "symmetric", "imagenet"],
    help: "what the network takes: 0 to 1, -1 to 1 (default of --model), or ImageNet's mean and deviation",
  },
} as const;

export const attackOptions = {
  image: {
    kind: "pictures",
    positional: true,
    optional: true,
    help: "pictures in place of --data; what the network sees in them is their label",
  },
  ...networkOptions,
  count: { kind: "integer", least: 1, default: 20, unit: "images", help: "how many images of --data" },
  attack: { kind: "choice", choices: attackNames, default: "pgd", help: "how to attack" },
  norm: {
    kind: "choice",
    choices: normNames,
    help: "how distances are measured (default: linf, or the one that the attack knows)",
  },
  eps: {
    kind: "number",
    least: 0,
    help: "how far an image may be changed, where pixels are 0 to 1 (default: 8/255, 0.5 or 12 by the norm; any distance for attacks that look for the nearest image)",
  },
  steps: {
    kind: "integer",
    least: 1,
    help: "steps of the attack, queries of square, or generations of one-pixel (default: as its paper has them)",
  },
  restarts: { kind: "integer", least: 0, default: 0, help: "starts after the first one" },
  targeted: { kind: "flag", help: "arrive at a class: --target, or the next one of each label" },
  target: { kind: "text", placeholder: "<class>", help: "with --targeted: a class by its name or number" },
  batch: {
    kind: "integer",
    least: 1,
    default: 64,
    unit: "images",
    help: "images at once; changes no result",
  },
  seed: seedOption,
} as const;

export type AttackOptions = OptionsOf<typeof attackOptions>;

/** One of the two ways to name a network. */
export function expectNetworkFile({
  weights,
  model,
}: {
  readonly weights?: string;
  readonly model?: string;
}): void {
  if (Boolean(weights) !== Boolean(model)) return;
  const got = weights ? "both" : "neither";
  throw new StudyError("usage", `expected one of {weights} and {model}, got ${got}`);
}
