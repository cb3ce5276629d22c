import type { Layer } from "@gradlab/receptive-field";
import { conv, dense, dropout, flatten, globalAverage, maxPool, relu } from "./layers.js";
import { type NetworkShape, stageWidths } from "./network-options.js";

/**
 * AlexNet as torchvision has it: without groups and normalization, dropout before the dense layers.
 *
 * @see Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks", https://arxiv.org/abs/1404.5997
 */
export function alexnet(shape: NetworkShape): Layer[] {
  const widths = stageWidths(shape, [64, 192, 384, 256, 256], [4096, 4096]);
  const [c1, c2, c3, c4, c5, f6, f7] = widths as [number, number, number, number, number, number, number];
  return [
    conv("conv1", c1, 11, { stride: 4, padding: 2 }),
    relu("relu1"),
    maxPool("pool1", 3),
    conv("conv2", c2, 5, { padding: 2 }),
    relu("relu2"),
    maxPool("pool2", 3),
    conv("conv3", c3, 3, { padding: 1 }),
    relu("relu3"),
    conv("conv4", c4, 3, { padding: 1 }),
    relu("relu4"),
    conv("conv5", c5, 3, { padding: 1 }),
    relu("relu5"),
    maxPool("pool5", 3),
    { name: "avgpool", op: "adaptive-pool", mode: "avg", outputSize: 6 },
    flatten,
    dropout("drop6", 0.5),
    dense("fc6", f6),
    relu("relu6"),
    dropout("drop7", 0.5),
    dense("fc7", f7),
    relu("relu7"),
    dense("fc8", shape.classes),
  ];
}

const lrn = (name: string): Layer => ({
  name,
  op: "pointwise",
  fn: "lrn",
  size: 5,
  alpha: 1e-4,
  beta: 0.75,
  k: 2,
});

/**
 * The original AlexNet: two groups in conv2, conv4 and conv5, local response normalization, dropout after the dense
 * layers, which are written as the convolutions that they are. On a larger input the scores of all places are averaged.
 *
 * @see Krizhevsky, Sutskever, Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks", §3
 */
export function alexnet227(shape: NetworkShape): Layer[] {
  const widths = stageWidths(shape, [96, 256, 384, 384, 256], [4096, 4096]);
  const [c1, c2, c3, c4, c5, f6, f7] = widths as [number, number, number, number, number, number, number];
  return [
    conv("conv1", c1, 11, { stride: 4 }),
    relu("relu1"),
    lrn("norm1"),
    maxPool("pool1", 3),
    conv("conv2", c2, 5, { padding: 2, groups: 2 }),
    relu("relu2"),
    lrn("norm2"),
    maxPool("pool2", 3),
    conv("conv3", c3, 3, { padding: 1 }),
    relu("relu3"),
    conv("conv4", c4, 3, { padding: 1, groups: 2 }),
    relu("relu4"),
    conv("conv5", c5, 3, { padding: 1, groups: 2 }),
    relu("relu5"),
    maxPool("pool5", 3),
    conv("fc6-conv", f6, 6),
    relu("relu6"),
    dropout("drop6", 0.5),
    conv("fc7-conv", f7, 1),
    relu("relu7"),
    dropout("drop7", 0.5),
    conv("fc8-conv", shape.classes, 1),
    ...globalAverage("avgpool"),
  ];
}
