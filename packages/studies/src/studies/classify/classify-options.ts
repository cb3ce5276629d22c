import { type OptionsOf, seedOption } from "../../declaration/option.js";
import { bestCheckpoint } from "../../networks/checkpoint.js";
import { ownNetworkOptions, specOption } from "../../networks/own-network-options.js";
import { torchOptions } from "../../networks/torch-choice.js";

/** How pixels become numbers. */
const preprocessings = ["imagenet", "googlenet", "unit", "symmetric"] as const;
export type Preprocessing = (typeof preprocessings)[number];

/** What the numbers are that a network gives its classes. */
const scoreKinds = ["softmax", "logits", "sigmoid", "none"] as const;
export type Scores = (typeof scoreKinds)[number];

export const classifyOptions = {
  image: { kind: "pictures", positional: true, help: "pictures: JPEG, PNG, WebP, …" },
  net: {
    kind: "text",
    placeholder: "<name>",
    help: "a classic network; a checkpoint of train-cnn names its own",
  },
  spec: specOption,
  weights: {
    kind: "file",
    inFolder: bestCheckpoint,
    help: "its weights: .pth of PyTorch or .safetensors; or a checkpoint of train-cnn, or its folder",
  },
  model: { kind: "file", help: "instead: a model.json of tfjs with its weights beside it" },
  ...ownNetworkOptions,
  ...torchOptions,
  preprocess: { kind: "choice", choices: preprocessings, help: "how pixels become numbers, see below" },
  fit: {
    kind: "choice",
    choices: ["crop", "stretch", "pad"],
    help: "how a picture fills the input: cut at the centre (default), out of shape, or black around it",
  },
  range: { kind: "numbers", placeholder: "<lo,hi>", help: "what black and white become: -1,1 or 0,255" },
  mean: {
    kind: "numbers",
    help: "subtracted after that, from every channel or from each: 0.5 or 0.485,0.456,0.406",
  },
  std: { kind: "numbers", help: "divided by after that, likewise" },
  invert: { kind: "flag", help: "white becomes black" },
  bgr: { kind: "flag", help: "blue is the first channel" },
  inputNode: {
    kind: "text",
    placeholder: "<name>",
    help: "the input of --model that takes the picture, where it has several",
  },
  output: {
    kind: "text",
    placeholder: "<name>",
    help: "the layer or node of --model that gives the scores, where it is not the only output",
  },
  scores: { kind: "choice", choices: scoreKinds, help: "what the scores of --model are, see below" },
  top: { kind: "integer", least: 1, default: 5, help: "how many classes to print" },
  maps: {
    kind: "flag",
    help: "also what every layer makes of the first picture; --out draws it",
  },
  seed: seedOption,
} as const;

export type ClassifyOptions = OptionsOf<typeof classifyOptions>;
