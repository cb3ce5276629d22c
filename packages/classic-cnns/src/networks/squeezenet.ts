import type { Layer } from "@gradlab/receptive-field";
import { conv, dropout, globalAverage, maxPool, relu } from "./layers.js";
import { type NetworkShape, scaled, widthFactor } from "./network-options.js";

/** Squeezed and expanded channels of the fire modules; `"pool"` between them. */
type Features = readonly (readonly [squeeze: number, expand: number] | "pool")[];

const features: Readonly<Record<"1-0" | "1-1", { stem: readonly [number, number]; rest: Features }>> = {
  "1-0": {
    stem: [96, 7],
    rest: ["pool", [16, 64], [16, 64], [32, 128], "pool", [32, 128], [48, 192], [48, 192], [64, 256], "pool", [64, 256]], // biome-ignore format: a table
  },
  "1-1": {
    stem: [64, 3],
    rest: ["pool", [16, 64], [16, 64], "pool", [32, 128], [32, 128], "pool", [48, 192], [48, 192], [64, 256], [64, 256]], // biome-ignore format: a table
  },
};

/**
 * SqueezeNet with torchvision's names of modules: 1.0 of the paper, or 1.1 with its pools earlier.
 *
 * @see Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", Table 1, https://arxiv.org/abs/1602.07360
 */
export function squeezenet(shape: NetworkShape, version: keyof typeof features): Layer[] {
  const factor = widthFactor(shape);
  const { stem, rest } = features[version];
  const layers: Layer[] = [
    conv("features.0", scaled(stem[0], factor), stem[1], { stride: 2 }),
    relu("features.1"),
  ];
  for (const [i, part] of rest.entries()) {
    const name = `features.${i + 2}`;
    if (part === "pool") layers.push(maxPool(name, 3, { ceilMode: true }));
    else layers.push(...fire(name, scaled(part[0], factor), scaled(part[1], factor)));
  }
  return [
    ...layers,
    dropout("classifier.0", 0.5),
    conv("classifier.1", shape.classes, 1),
    relu("classifier.2"),
    ...globalAverage("classifier.3"),
  ];
}

function fire(name: string, squeeze: number, expand: number): Layer[] {
  const squeezed = `${name}.squeeze_activation`;
  return [
    conv(`${name}.squeeze`, squeeze, 1),
    relu(squeezed),
    conv(`${name}.expand1x1`, expand, 1),
    relu(`${name}.expand1x1_activation`),
    conv(`${name}.expand3x3`, expand, 3, { padding: 1, inputs: [squeezed] }),
    relu(`${name}.expand3x3_activation`),
    {
      name: `${name}.concat`,
      op: "concat",
      inputs: [`${name}.expand1x1_activation`, `${name}.expand3x3_activation`],
    },
  ];
}
