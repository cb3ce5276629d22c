import type { InitScheme } from "@gradlab/classic-cnns";
import type { OptimizerConfig } from "@gradlab/core";
import { type Augmentation, compose, randomCrop, randomFlip, randomTransform } from "@gradlab/datasets";
import { type OptionsOf, seedOption } from "../../declaration/option.js";
import { specOption } from "../../networks/own-network-options.js";

const optimizers = [
  "sgd",
  "momentum",
  "adam",
  "adamw",
  "rmsprop",
  "adagrad",
  "adadelta",
  "adamax",
] as const satisfies readonly OptimizerConfig["name"][];

/** Learning rates that most networks here learn with. */
export const usualRates: Readonly<Record<OptimizerConfig["name"], number>> = {
  sgd: 0.1,
  momentum: 0.02,
  adam: 0.001,
  adamw: 0.001,
  rmsprop: 0.001,
  adagrad: 0.02,
  adadelta: 1,
  adamax: 0.002,
};

/** What adamw takes from every weight, unless it is told otherwise. */
export const usualDecay = 0.01;

export const schemes = {
  xavier: "xavier-uniform",
  "xavier-uniform": "xavier-uniform",
  "xavier-normal": "xavier-normal",
  he: "he-normal",
  "he-uniform": "he-uniform",
  "he-normal": "he-normal",
  torch: "torch",
} as const satisfies Readonly<Record<string, InitScheme>>;

/**
 * `crop` moves an image by up to 4 pixels, `flip` mirrors half of them, `flip-crop` (usual for CIFAR-10) does both,
 * `affine` turns by up to 10 degrees, moves and scales by up to a tenth.
 */
export const augmentations = {
  none: undefined,
  crop: randomCrop({ padding: 4 }),
  flip: randomFlip(),
  "flip-crop": compose(randomFlip(), randomCrop({ padding: 4 })),
  affine: randomTransform({ degrees: 10, translate: 0.1, scale: [0.9, 1.1] }),
} as const satisfies Readonly<Record<string, Augmentation | undefined>>;

export const trainCnnOptions = {
  net: {
    kind: "text",
    placeholder: "<name>",
    help: "a classic network: lenet-relu, vgg11, resnet18, …",
  },
  spec: specOption,
  model: { kind: "file", help: "or a network of your own as JSON, a LayerGraph" },
  data: {
    kind: "folder",
    none: "shapes",
    help: "a folder with IDX files (MNIST, Fashion-MNIST), the binary CIFAR-10, or a folder of pictures for each class; or shapes: generated images",
  },
  count: {
    kind: "integer",
    least: 1,
    unit: "images",
    help: "how many images to generate for training (default: 2000)",
  },
  input: {
    kind: "integers",
    least: 1,
    unit: "pixels",
    placeholder: "<size>",
    help: "input size N or H,W (default: that of the images); images are resized",
  },
  channels: { kind: "integer", least: 1, help: "channels of generated images: 1 or 3" },
  width: {
    kind: "numbers",
    above: 0,
    help: "a factor for the channels of --net, or the channels themselves",
  },
  epochs: { kind: "integer", least: 1, default: 10, help: "passes over the training images" },
  batch: { kind: "integer", least: 1, default: 50, unit: "images", help: "images in a step" },
  optimizer: { kind: "choice", choices: optimizers, default: "adam", help: "how to step" },
  lr: { kind: "number", above: 0, help: "learning rate (default: a usual one of the optimizer)" },
  weightDecay: {
    kind: "number",
    least: 0,
    placeholder: "<share>",
    help: "of adamw: every weight loses this share of itself times the rate in each step (default: 0.01)",
  },
  init: {
    kind: "choice",
    choices: Object.keys(schemes) as (keyof typeof schemes)[],
    default: "xavier",
    help: "how kernels are drawn",
  },
  augment: {
    kind: "choice",
    choices: Object.keys(augmentations) as (keyof typeof augmentations)[],
    default: "none",
    help: "change the images at random in every epoch",
  },
  validation: {
    kind: "number",
    least: 0,
    below: 1,
    placeholder: "<share>",
    help: "hold this share of the training images out and watch them (default: the test images are watched; 0.1 with --patience)",
  },
  patience: {
    kind: "integer",
    least: 1,
    unit: "epochs",
    help: "stop after so many epochs without a smaller loss on the held out images",
  },
  checkpoint: {
    kind: "folder",
    kept: true,
    help: "write last.safetensors and best.safetensors there after every epoch",
  },
  resume: { kind: "flag", help: "go on from last.safetensors of --checkpoint" },
  seed: seedOption,
} as const;

export type TrainCnnOptions = OptionsOf<typeof trainCnnOptions>;
