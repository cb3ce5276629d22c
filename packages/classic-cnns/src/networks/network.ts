import type { Layer, LayerGraph } from "@gradlab/receptive-field";
import { planNetwork } from "../layer-facts.js";
import { alexnet, alexnet227 } from "./alexnet.js";
import { densenet } from "./densenet.js";
import { googlenet } from "./googlenet.js";
import { lenet } from "./lenet.js";
import { mobilenetV2 } from "./mobilenet-v2.js";
import { type NetworkOptions, type NetworkShape, networkShape } from "./network-options.js";
import { nin } from "./nin.js";
import { resnet } from "./resnet.js";
import { smallCnn } from "./small-cnn.js";
import { squeezenet } from "./squeezenet.js";
import { vgg } from "./vgg.js";

interface Definition {
  readonly layers: (shape: NetworkShape) => Layer[];
  /** Defaults: pixels along both axes, channels, classes; torchvision's unless given. */
  readonly defaults?: readonly [inputSize: number, channels: number, classes: number];
}

const definitions = {
  lenet: { layers: (shape) => lenet(shape, "sigmoid"), defaults: [28, 1, 10] },
  "lenet-relu": { layers: (shape) => lenet(shape, "relu"), defaults: [28, 1, 10] },
  alexnet: { layers: alexnet },
  "alexnet-227": { layers: alexnet227, defaults: [227, 3, 1000] },
  vgg11: { layers: (shape) => vgg(shape, 11, false) },
  vgg13: { layers: (shape) => vgg(shape, 13, false) },
  vgg16: { layers: (shape) => vgg(shape, 16, false) },
  vgg19: { layers: (shape) => vgg(shape, 19, false) },
  "vgg11-bn": { layers: (shape) => vgg(shape, 11, true) },
  "vgg13-bn": { layers: (shape) => vgg(shape, 13, true) },
  "vgg16-bn": { layers: (shape) => vgg(shape, 16, true) },
  "vgg19-bn": { layers: (shape) => vgg(shape, 19, true) },
  nin: { layers: nin },
  googlenet: { layers: googlenet },
  resnet18: { layers: (shape) => resnet(shape, { blocks: [2, 2, 2, 2], block: "basic" }) },
  resnet34: { layers: (shape) => resnet(shape, { blocks: [3, 4, 6, 3], block: "basic" }) },
  resnet50: { layers: (shape) => resnet(shape, { blocks: [3, 4, 6, 3], block: "bottleneck" }) },
  resnet101: { layers: (shape) => resnet(shape, { blocks: [3, 4, 23, 3], block: "bottleneck" }) },
  resnet152: { layers: (shape) => resnet(shape, { blocks: [3, 8, 36, 3], block: "bottleneck" }) },
  resnext50: {
    layers: (shape) =>
      resnet(shape, { blocks: [3, 4, 6, 3], block: "bottleneck", groups: 32, groupWidth: 4 }),
  },
  densenet121: { layers: (shape) => densenet(shape, [6, 12, 24, 16]) },
  "squeezenet1-0": { layers: (shape) => squeezenet(shape, "1-0") },
  "squeezenet1-1": { layers: (shape) => squeezenet(shape, "1-1") },
  "mobilenet-v2": { layers: mobilenetV2 },
  "small-cnn": { layers: smallCnn, defaults: [32, 3, 10] },
} as const satisfies Readonly<Record<string, Definition>>;

export type NetworkName = keyof typeof definitions;

/** The names that `network` takes. */
export const networkNames = Object.keys(definitions) as readonly NetworkName[];

/**
 * A classic network as plain data, cut to size: the one definition that its table, its initial weights and its
 * computation come from. Its result is `[batch, classes]` logits.
 *
 * Names of layers: `conv1 relu1 pool1 … fc6` in chains (`conv1-1 … pool5 fc6 fc7 fc8` in VGG); torchvision's module
 * paths in the branching ones (`layer1.0.conv1`, `features.0.0`, `fc`), with `….add`, `….concat` and `….relu2` where
 * torchvision has a function in the place of a module.
 *
 * `width` as a list: `lenet` and `lenet-relu` 2 channels, `alexnet` and `alexnet-227` 5, VGG 5 (one per stage),
 * `small-cnn` 3, each optionally followed by the units of the hidden dense layers (2, 2, 2, 1); `nin` 3, residual
 * networks 4 (one per stage). The others take a factor only.
 *
 * @param options Defaults: those of torchvision (224 x 224 pixels, 3 channels, 1000 classes); `lenet` and `lenet-relu`
 *   28, 1, 10; `alexnet-227` 227, 3, 1000; `small-cnn` 32, 3, 10.
 * @throws {TypeError | RangeError} when an option is out of range; when the input is too small, the message names the
 *   layer where nothing is left.
 */
export function network(name: NetworkName, options: NetworkOptions = {}): LayerGraph {
  if (!Object.hasOwn(definitions, name)) {
    throw new RangeError(
      `network: name: expected one of ${networkNames.join(", ")}, got ${JSON.stringify(name)}`,
    );
  }
  const definition: Definition = definitions[name];
  const [inputSize, channels, classes] = definition.defaults ?? [224, 3, 1000];
  const shape = networkShape(name, options, { inputSize, channels, classes });
  const graph: LayerGraph = {
    input: { shape: shape.size, channels: shape.channels },
    layers: definition.layers(shape),
  };
  planNetwork("network", graph); // refuses what would leave a layer empty, or its groups uneven
  return graph;
}
