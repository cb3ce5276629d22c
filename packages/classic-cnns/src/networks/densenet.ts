import type { Layer } from "@gradlab/receptive-field";
import { averagePool, batchNorm, conv, dense, globalAverage, maxPool, relu } from "./layers.js";
import { type NetworkShape, scaled, widthFactor } from "./network-options.js";

/**
 * DenseNet-BC with torchvision's names of modules: every layer reads all layers of its block.
 *
 * @see Huang, Liu, van der Maaten, Weinberger 2017, "Densely Connected Convolutional Networks", Table 1, https://arxiv.org/abs/1608.06993
 */
export function densenet(shape: NetworkShape, blocks: readonly number[]): Layer[] {
  const factor = widthFactor(shape);
  const growth = scaled(32, factor);
  let channels = scaled(64, factor);
  const layers: Layer[] = [
    conv("features.conv0", channels, 7, { stride: 2, padding: 3, bias: false }),
    batchNorm("features.norm0"),
    relu("features.relu0"),
    maxPool("features.pool0", 3, { padding: 1 }),
  ];
  for (const [index, count] of blocks.entries()) {
    const block = `features.denseblock${index + 1}`;
    for (let i = 1; i <= count; i++) {
      const name = `${block}.denselayer${i}`;
      const from = layers.at(-1)!.name;
      layers.push(
        batchNorm(`${name}.norm1`),
        relu(`${name}.relu1`),
        conv(`${name}.conv1`, 4 * growth, 1, { bias: false }),
        batchNorm(`${name}.norm2`),
        relu(`${name}.relu2`),
        conv(`${name}.conv2`, growth, 3, { padding: 1, bias: false }),
        { name: `${name}.concat`, op: "concat", inputs: [from, `${name}.conv2`] },
      );
      channels += growth;
    }
    if (index === blocks.length - 1) break;
    const transition = `features.transition${index + 1}`;
    channels = Math.max(1, Math.floor(channels / 2));
    layers.push(
      batchNorm(`${transition}.norm`),
      relu(`${transition}.relu`),
      conv(`${transition}.conv`, channels, 1, { bias: false }),
      averagePool(`${transition}.pool`, 2),
    );
  }
  return [
    ...layers,
    batchNorm("features.norm5"),
    relu("relu"),
    ...globalAverage("avgpool"),
    dense("classifier", shape.classes),
  ];
}
