import type { Layer } from "@gradlab/receptive-field";
import { batchNorm, conv, dense, dropout, flatten, maxPool, relu } from "./layers.js";
import { type NetworkShape, stageWidths } from "./network-options.js";

/** Convolutions of the five stages: configurations A, B, D and E. */
const convolutions = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;

/**
 * VGG, `depth` being the number of its layers with weights; with `normalized`, batch norm after each convolution.
 *
 * @see Simonyan, Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition", Table 1, https://arxiv.org/abs/1409.1556
 */
export function vgg(shape: NetworkShape, depth: keyof typeof convolutions, normalized: boolean): Layer[] {
  const widths = stageWidths(shape, [64, 128, 256, 512, 512], [4096, 4096]);
  const stages = convolutions[depth].flatMap((count, stage): Layer[] => [
    ...Array.from({ length: count }, (_, i): Layer[] => {
      const at = `${stage + 1}-${i + 1}`;
      return [
        conv(`conv${at}`, widths[stage]!, 3, { padding: 1 }),
        ...(normalized ? [batchNorm(`bn${at}`)] : []),
        relu(`relu${at}`),
      ];
    }).flat(),
    maxPool(`pool${stage + 1}`, 2),
  ]);
  return [
    ...stages,
    { name: "avgpool", op: "adaptive-pool", mode: "avg", outputSize: 7 },
    flatten,
    dense("fc6", widths[5]!),
    relu("relu6"),
    dropout("drop6", 0.5),
    dense("fc7", widths[6]!),
    relu("relu7"),
    dropout("drop7", 0.5),
    dense("fc8", shape.classes),
  ];
}
