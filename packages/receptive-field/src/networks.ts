import type { Layer, LayerGraph } from "./layer-graph.js";
import {
  alexnetV2,
  inceptionV2,
  inceptionV3,
  mobilenetV1,
  resnetV1At50,
  resnetV1At101,
  vggA,
} from "./slim-networks.js";

/**
 * The original AlexNet on a 227 x 227 input, its fully connected layers as the
 * convolutions that they are. Convolution and pooling only: what changes the
 * receptive field.
 *
 * @see Krizhevsky, Sutskever, Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks", §3.5
 */
const alexnet227: LayerGraph = {
  input: { shape: [227, 227], channels: 3 },
  layers: [
    { name: "conv1", op: "conv", kernel: 11, stride: 4, filters: 96 },
    { name: "pool1", op: "pool", mode: "max", kernel: 3, stride: 2 },
    { name: "conv2", op: "conv", kernel: 5, padding: 2, filters: 256, groups: 2 },
    { name: "pool2", op: "pool", mode: "max", kernel: 3, stride: 2 },
    { name: "conv3", op: "conv", kernel: 3, padding: 1, filters: 384 },
    { name: "conv4", op: "conv", kernel: 3, padding: 1, filters: 384, groups: 2 },
    { name: "conv5", op: "conv", kernel: 3, padding: 1, filters: 256, groups: 2 },
    { name: "pool5", op: "pool", mode: "max", kernel: 3, stride: 2 },
    { name: "fc6-conv", op: "conv", kernel: 6, filters: 4096 },
    { name: "fc7-conv", op: "conv", kernel: 1, filters: 4096 },
  ],
};

/**
 * VGG-16 (configuration D) up to its last pooling, its fully connected layers
 * as convolutions.
 *
 * @see Simonyan, Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition", Table 1, https://arxiv.org/abs/1409.1556
 */
const vgg16: LayerGraph = {
  input: { shape: [224, 224], channels: 3 },
  layers: [
    ...[64, 128, 256, 512, 512].flatMap((filters, block): Layer[] => [
      ...Array.from({ length: block < 2 ? 2 : 3 }, (_, i): Layer => {
        return { name: `conv${block + 1}-${i + 1}`, op: "conv", kernel: 3, padding: 1, filters };
      }),
      { name: `pool${block + 1}`, op: "pool", mode: "max", kernel: 2, stride: 2 },
    ]),
    { name: "fc6-conv", op: "conv", kernel: 7, filters: 4096 },
    { name: "fc7-conv", op: "conv", kernel: 1, filters: 4096 },
  ],
};

/** Example networks by name. Those from `alexnet-v2` on are TensorFlow-Slim's, with its names of end-points. */
export const exampleNetworks = {
  "alexnet-227": alexnet227,
  vgg16,
  "alexnet-v2": alexnetV2,
  "vgg-a": vggA,
  "resnet-v1-50": resnetV1At50,
  "resnet-v1-101": resnetV1At101,
  "inception-v2": inceptionV2,
  "inception-v3": inceptionV3,
  "mobilenet-v1": mobilenetV1,
} as const satisfies Readonly<Record<string, LayerGraph>>;
