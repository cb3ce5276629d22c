import type { Layer } from "@gradlab/receptive-field";
import { conv, dropout, globalAverage, maxPool, relu } from "./layers.js";
import { type NetworkShape, stageWidths } from "./network-options.js";

/**
 * Network in network, the version for ImageNet: a convolution and two of 1x1 in each block, dropout before the last
 * one, which has a channel per class and is averaged.
 *
 * @see Lin, Chen, Yan 2014, "Network In Network", https://arxiv.org/abs/1312.4400
 */
export function nin(shape: NetworkShape): Layer[] {
  const [c1, c2, c3] = stageWidths(shape, [96, 256, 384]) as [number, number, number];
  return [
    ...block(1, c1, 11, { stride: 4 }),
    maxPool("pool1", 3),
    ...block(2, c2, 5, { padding: 2 }),
    maxPool("pool2", 3),
    ...block(3, c3, 3, { padding: 1 }),
    maxPool("pool3", 3),
    dropout("drop4", 0.5),
    ...block(4, shape.classes, 3, { padding: 1 }),
    ...globalAverage("avgpool"),
  ];
}

function block(
  stage: number,
  filters: number,
  kernel: number,
  options: { stride?: number; padding?: number },
): Layer[] {
  return [
    conv(`conv${stage}-1`, filters, kernel, options),
    relu(`relu${stage}-1`),
    conv(`conv${stage}-2`, filters, 1),
    relu(`relu${stage}-2`),
    conv(`conv${stage}-3`, filters, 1),
    relu(`relu${stage}-3`),
  ];
}
