import type { Layer } from "@gradlab/receptive-field";
import { batchNorm, conv, dense, dropout, globalAverage, maxPool, relu } from "./layers.js";
import { type NetworkShape, scaled, widthFactor } from "./network-options.js";

/** Channels of the branches: 1x1; 1x1 before 3x3, 3x3; 1x1 before "5x5", "5x5"; 1x1 after pooling. */
type Branches = readonly [number, number, number, number, number, number];

const inceptions: readonly (readonly [name: string, channels: Branches] | Layer)[] = [
  ["inception3a", [64, 96, 128, 16, 32, 32]],
  ["inception3b", [128, 128, 192, 32, 96, 64]],
  maxPool("maxpool3", 3, { ceilMode: true }),
  ["inception4a", [192, 96, 208, 16, 48, 64]],
  ["inception4b", [160, 112, 224, 24, 64, 64]],
  ["inception4c", [128, 128, 256, 24, 64, 64]],
  ["inception4d", [112, 144, 288, 32, 64, 64]],
  ["inception4e", [256, 160, 320, 32, 128, 128]],
  maxPool("maxpool4", 2, { ceilMode: true }),
  ["inception5a", [256, 160, 320, 32, 128, 128]],
  ["inception5b", [384, 192, 384, 48, 128, 128]],
];

/**
 * GoogLeNet as torchvision has it, without the auxiliary classifiers.
 *
 * Unlike the paper, but like torchvision, every convolution is followed by batch norm, and those of the "5x5" branch
 * are 3x3.
 *
 * @see Szegedy et al. 2015, "Going deeper with convolutions", Table 1, https://arxiv.org/abs/1409.4842
 */
export function googlenet(shape: NetworkShape): Layer[] {
  const factor = widthFactor(shape);
  const unit = (name: string, filters: number, kernel: number, stride = 1, inputs?: string[]): Layer[] => [
    conv(`${name}.conv`, scaled(filters, factor), kernel, {
      stride,
      padding: (kernel - 1) / 2,
      bias: false,
      ...(inputs && { inputs }),
    }),
    batchNorm(`${name}.bn`, 1e-3),
    relu(`${name}.relu`),
  ];
  const inception = (name: string, from: string, [b1, r2, b2, r3, b3, b4]: Branches): Layer[] => [
    ...unit(`${name}.branch1`, b1, 1, 1, [from]),
    ...unit(`${name}.branch2.0`, r2, 1, 1, [from]),
    ...unit(`${name}.branch2.1`, b2, 3),
    ...unit(`${name}.branch3.0`, r3, 1, 1, [from]),
    ...unit(`${name}.branch3.1`, b3, 3),
    maxPool(`${name}.branch4.0`, 3, { stride: 1, padding: 1, ceilMode: true, inputs: [from] }),
    ...unit(`${name}.branch4.1`, b4, 1),
    {
      name: `${name}.concat`,
      op: "concat",
      inputs: ["branch1", "branch2.1", "branch3.1", "branch4.1"].map((part) => `${name}.${part}.relu`),
    },
  ];
  const layers: Layer[] = [
    ...unit("conv1", 64, 7, 2),
    maxPool("maxpool1", 3, { ceilMode: true }),
    ...unit("conv2", 64, 1),
    ...unit("conv3", 192, 3),
    maxPool("maxpool2", 3, { ceilMode: true }),
  ];
  for (const part of inceptions) {
    if ("op" in part) layers.push(part);
    else layers.push(...inception(part[0], layers.at(-1)!.name, part[1]));
  }
  return [...layers, ...globalAverage("avgpool"), dropout("dropout", 0.2), dense("fc", shape.classes)];
}
