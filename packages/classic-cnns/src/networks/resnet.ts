import type { Layer } from "@gradlab/receptive-field";
import { batchNorm, conv, dense, globalAverage, maxPool, relu } from "./layers.js";
import { type NetworkShape, stageWidths } from "./network-options.js";

export interface ResnetKind {
  /** Blocks of the four stages. */
  readonly blocks: readonly number[];
  /** `"basic"`: two 3x3 convolutions; `"bottleneck"`: 1x1, 3x3, and 1x1 to four times the channels. */
  readonly block: "basic" | "bottleneck";
  /** Groups of the 3x3 convolutions of bottlenecks, and channels of each for every 64 of the stage. */
  readonly groups?: number;
  readonly groupWidth?: number;
}

/**
 * A residual network with torchvision's names of modules. Unlike the paper, but like torchvision, bottlenecks have
 * their stride on the 3x3 convolution.
 *
 * @see He, Zhang, Ren, Sun 2016, "Deep Residual Learning for Image Recognition", Table 1, https://arxiv.org/abs/1512.03385
 * @see Xie, Girshick, Dollár, Tu, He 2017, "Aggregated Residual Transformations for Deep Neural Networks", Table 1, https://arxiv.org/abs/1611.05431
 */
export function resnet(shape: NetworkShape, kind: ResnetKind): Layer[] {
  const widths = stageWidths(shape, [64, 128, 256, 512]);
  const expansion = kind.block === "basic" ? 1 : 4;
  const layers: Layer[] = [
    conv("conv1", widths[0]!, 7, { stride: 2, padding: 3, bias: false }),
    batchNorm("bn1"),
    relu("relu"),
    maxPool("maxpool", 3, { padding: 1 }),
  ];
  let channels = widths[0]!;
  for (const [stage, count] of kind.blocks.entries()) {
    const out = widths[stage]! * expansion;
    for (let i = 0; i < count; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const name = `layer${stage + 1}.${i}`;
      const from = layers.at(-1)!.name;
      layers.push(...branch(name, widths[stage]!, stride, kind));
      const end = layers.at(-1)!.name;
      const projects = stride > 1 || channels !== out;
      if (projects) {
        layers.push(
          conv(`${name}.downsample.0`, out, 1, { stride, bias: false, inputs: [from] }),
          batchNorm(`${name}.downsample.1`),
        );
      }
      layers.push(
        { name: `${name}.add`, op: "add", inputs: [end, projects ? `${name}.downsample.1` : from] },
        relu(`${name}.relu${kind.block === "basic" ? 2 : 3}`),
      );
      channels = out;
    }
  }
  return [...layers, ...globalAverage("avgpool"), dense("fc", shape.classes)];
}

/** What a block adds to its input. */
function branch(
  name: string,
  width: number,
  stride: number,
  { block, groups = 1, groupWidth = 64 }: ResnetKind,
): Layer[] {
  if (block === "basic") {
    return [
      conv(`${name}.conv1`, width, 3, { stride, padding: 1, bias: false }),
      batchNorm(`${name}.bn1`),
      relu(`${name}.relu1`),
      conv(`${name}.conv2`, width, 3, { padding: 1, bias: false }),
      batchNorm(`${name}.bn2`),
    ];
  }
  const inner = Math.max(1, Math.floor((width * groupWidth) / 64)) * groups;
  return [
    conv(`${name}.conv1`, inner, 1, { bias: false }),
    batchNorm(`${name}.bn1`),
    relu(`${name}.relu1`),
    conv(`${name}.conv2`, inner, 3, { stride, padding: 1, groups, bias: false }),
    batchNorm(`${name}.bn2`),
    relu(`${name}.relu2`),
    conv(`${name}.conv3`, width * 4, 1, { bias: false }),
    batchNorm(`${name}.bn3`),
  ];
}
