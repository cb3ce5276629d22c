import type { Layer } from "@gradlab/receptive-field";
import { activation, batchNorm, conv, dense, dropout, globalAverage } from "./layers.js";
import { type NetworkShape, widthFactor } from "./network-options.js";

/** Expansion, channels, repetitions and stride of the inverted residuals. */
const stages: readonly (readonly [expansion: number, channels: number, repeats: number, stride: number])[] = [
  [1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1],
]; // biome-ignore format: a table

/** The nearest multiple of 8, at least 8, and not below 90 % of what was asked for. */
function divisible(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

/**
 * MobileNet v2 with torchvision's names of modules. As there, channels times `width` are rounded to multiples of 8,
 * and the last convolution does not become narrower.
 *
 * @see Sandler, Howard, Zhu, Zhmoginov, Chen 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", Table 2, https://arxiv.org/abs/1801.04381
 */
export function mobilenetV2(shape: NetworkShape): Layer[] {
  const factor = widthFactor(shape);
  let channels = divisible(32 * factor);
  const layers = unit("features.0", channels, 3, { stride: 2 });
  let index = 1;
  for (const [expansion, filters, repeats, firstStride] of stages) {
    const out = divisible(filters * factor);
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? firstStride : 1;
      const name = `features.${index++}`;
      const from = layers.at(-1)!.name;
      const hidden = channels * expansion;
      const expands = expansion > 1;
      if (expands) layers.push(...unit(`${name}.conv.0`, hidden, 1));
      layers.push(
        ...unit(`${name}.conv.${expands ? 1 : 0}`, hidden, 3, { stride, groups: hidden }),
        conv(`${name}.conv.${expands ? 2 : 1}`, out, 1, { bias: false }),
        batchNorm(`${name}.conv.${expands ? 3 : 2}`),
      );
      if (stride === 1 && channels === out) {
        layers.push({ name: `${name}.add`, op: "add", inputs: [from, layers.at(-1)!.name] });
      }
      channels = out;
    }
  }
  return [
    ...layers,
    ...unit(`features.${index}`, divisible(1280 * Math.max(1, factor)), 1),
    ...globalAverage("avgpool"),
    dropout("classifier.0", 0.2),
    dense("classifier.1", shape.classes),
  ];
}

/** A convolution, its batch norm and ReLU6, as modules 0, 1 and 2. */
function unit(
  name: string,
  filters: number,
  kernel: number,
  options: { stride?: number; groups?: number } = {},
): Layer[] {
  return [
    conv(`${name}.0`, filters, kernel, { padding: (kernel - 1) / 2, bias: false, ...options }),
    batchNorm(`${name}.1`),
    activation(`${name}.2`, "relu6"),
  ];
}
