import type { Layer } from "@gradlab/receptive-field";
import { conv, dense, flatten, maxPool, relu } from "./layers.js";
import { type NetworkShape, stageWidths } from "./network-options.js";

/**
 * Three convolutions (without bias) with pooling and two dense layers, small enough to follow every number; a ReLU
 * after each, after the last one too.
 */
export function smallCnn(shape: NetworkShape): Layer[] {
  const [c1, c2, c3, f1] = stageWidths(shape, [16, 16, 32], [32]) as [number, number, number, number];
  return [
    conv("conv1", c1, 5, { padding: 2, bias: false }),
    relu("relu1"),
    maxPool("pool1", 4),
    conv("conv2", c2, 3, { padding: 2, bias: false }),
    relu("relu2"),
    maxPool("pool2", 3),
    conv("conv3", c3, 7, { padding: 2, bias: false }),
    relu("relu3"),
    maxPool("pool3", 2),
    flatten,
    dense("fc1", f1),
    relu("relu4"),
    dense("fc2", shape.classes),
    relu("relu5"),
  ];
}
