import type { Layer, LayerGraph, PerAxis } from "./layer-graph.js";

/*
 * Networks as TensorFlow-Slim defines them, up to their last feature map:
 * those for which receptive fields were published, end-point by end-point
 * (Araujo, Norris, Sim 2019). Layers that do not change the receptive field
 * are left out. Names of end-points are Slim's.
 */

type Window = {
  readonly kernel: PerAxis<number>;
  readonly stride?: number;
  readonly padding?: "same" | number;
};

const conv = (name: string, window: Window, from?: string): Layer => ({
  name,
  op: "conv",
  ...window,
  ...(from !== undefined && { inputs: [from] }),
});

const pool = (name: string, window: Window, from?: string): Layer => ({
  name,
  op: "pool",
  mode: "max",
  ...window,
  ...(from !== undefined && { inputs: [from] }),
});

const network = (layers: readonly Layer[], size = 224): LayerGraph => ({
  input: { shape: [size, size], channels: 3 },
  layers,
});

/** @see https://arxiv.org/abs/1404.5997 */
export const alexnetV2 = network([
  conv("conv1", { kernel: 11, stride: 4 }),
  pool("pool1", { kernel: 3, stride: 2 }),
  conv("conv2", { kernel: 5, padding: "same" }),
  pool("pool2", { kernel: 3, stride: 2 }),
  conv("conv3", { kernel: 3, padding: "same" }),
  conv("conv4", { kernel: 3, padding: "same" }),
  conv("conv5", { kernel: 3, padding: "same" }),
  pool("pool5", { kernel: 3, stride: 2 }),
]);

/** VGG with 11 weight layers. @see https://arxiv.org/abs/1409.1556 */
export const vggA = network(
  [1, 1, 2, 2, 2].flatMap((depth, block) => [
    ...Array.from({ length: depth }, (_, i) =>
      conv(`conv${block + 1}_${i + 1}`, { kernel: 3, padding: "same" }),
    ),
    pool(`pool${block + 1}`, { kernel: 2, stride: 2 }),
  ]),
);

/** A 1x1 – 3x3 – 1x1 residual unit; Slim puts the stride on the 3x3 and pads it explicitly. */
function bottleneck(name: string, from: string, stride: number, project: boolean): Layer[] {
  const shortcut = project
    ? conv(`${name}/shortcut`, { kernel: 1, stride }, from)
    : pool(`${name}/shortcut`, { kernel: 1, stride }, from);
  return [
    shortcut,
    conv(`${name}/conv1`, { kernel: 1 }, from),
    conv(`${name}/conv2`, { kernel: 3, stride, padding: 1 }),
    conv(`${name}/conv3`, { kernel: 1 }),
    { name, op: "add", inputs: [`${name}/shortcut`, `${name}/conv3`] },
  ];
}

/** ResNet v1 with the stride in the last unit of a block, as Slim has it. @see https://arxiv.org/abs/1512.03385 */
function resnetV1(units: readonly number[]): LayerGraph {
  const layers: Layer[] = [
    conv("conv1", { kernel: 7, stride: 2, padding: 3 }),
    pool("pool1", { kernel: 3, stride: 2, padding: "same" }),
  ];
  units.forEach((count, block) => {
    for (let unit = 1; unit <= count; unit++) {
      const from = layers.at(-1)!.name;
      const isLast = unit === count;
      const stride = isLast && block < units.length - 1 ? 2 : 1;
      const name = isLast ? `block${block + 1}` : `block${block + 1}/unit_${unit}`;
      layers.push(...bottleneck(name, from, stride, unit === 1));
    }
  });
  return network(layers);
}

export const resnetV1At50 = resnetV1([3, 4, 6, 3]);
export const resnetV1At101 = resnetV1([3, 4, 23, 3]);

/** Parallel chains of windows from one layer, joined by concatenation. */
function mixed(name: string, from: string, branches: readonly (readonly Layer[])[]): Layer[] {
  const layers = branches.flatMap((branch, i) =>
    branch.map((layer, j): Layer => {
      const rename = (part: string) => `${name}/branch_${i}/${part}`;
      return { ...layer, name: rename(layer.name), inputs: [j === 0 ? from : rename(branch[j - 1]!.name)] };
    }),
  );
  const ends = branches.map((branch, i) => `${name}/branch_${i}/${branch.at(-1)!.name}`);
  return [...layers, { name, op: "concat", inputs: ends }];
}

const reduce = conv("1x1", { kernel: 1 });

/** @see https://arxiv.org/abs/1502.03167 */
export const inceptionV2: LayerGraph = (() => {
  const layers: Layer[] = [
    conv("Conv2d_1a_7x7", { kernel: 7, stride: 2, padding: "same" }),
    pool("MaxPool_2a_3x3", { kernel: 3, stride: 2, padding: "same" }),
    conv("Conv2d_2b_1x1", { kernel: 1 }),
    conv("Conv2d_2c_3x3", { kernel: 3, padding: "same" }),
    pool("MaxPool_3a_3x3", { kernel: 3, stride: 2, padding: "same" }),
  ];
  const same3 = (name: string, stride = 1) => conv(name, { kernel: 3, stride, padding: "same" });
  for (const name of ["3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b", "5c"]) {
    const from = layers.at(-1)!.name;
    const branches = name.endsWith("a")
      ? [
          [reduce, same3("3x3", 2)],
          [reduce, same3("3x3a"), same3("3x3b", 2)],
          [pool("pool", { kernel: 3, stride: 2, padding: "same" })],
        ]
      : [
          [reduce],
          [reduce, same3("3x3")],
          [reduce, same3("3x3a"), same3("3x3b")],
          [pool("pool", { kernel: 3, stride: 1, padding: "same" }), reduce],
        ];
    layers.push(...mixed(`Mixed_${name}`, from, branches));
  }
  return network(layers);
})();

/** With 1x7 and 7x1 windows in parallel, so that fields are crosses before they are squares. @see https://arxiv.org/abs/1512.00567 */
export const inceptionV3: LayerGraph = (() => {
  const layers: Layer[] = [
    conv("Conv2d_1a_3x3", { kernel: 3, stride: 2 }),
    conv("Conv2d_2a_3x3", { kernel: 3 }),
    conv("Conv2d_2b_3x3", { kernel: 3, padding: "same" }),
    pool("MaxPool_3a_3x3", { kernel: 3, stride: 2 }),
    conv("Conv2d_3b_1x1", { kernel: 1 }),
    conv("Conv2d_4a_3x3", { kernel: 3 }),
    pool("MaxPool_5a_3x3", { kernel: 3, stride: 2 }),
  ];
  const same = (name: string, ...kernel: number[]) => conv(name, { kernel, padding: "same" });
  const average: Layer[] = [pool("pool", { kernel: 3, stride: 1, padding: "same" }), reduce];
  const halve = conv("halve", { kernel: 3, stride: 2 });
  const halfPool = [pool("pool", { kernel: 3, stride: 2 })];
  const blocks: Record<string, Layer[][]> = {
    "5": [[reduce], [reduce, same("5x5", 5, 5)], [reduce, same("3x3a", 3, 3), same("3x3b", 3, 3)], average],
    "6a": [[halve], [reduce, same("3x3", 3, 3), halve], halfPool],
    "6": [
      [reduce],
      [reduce, same("1x7", 1, 7), same("7x1", 7, 1)],
      [reduce, same("7x1a", 7, 1), same("1x7a", 1, 7), same("7x1b", 7, 1), same("1x7b", 1, 7)],
      average,
    ],
    "7a": [[reduce, halve], [reduce, same("1x7", 1, 7), same("7x1", 7, 1), halve], halfPool],
    "7": [
      [reduce],
      [reduce, same("1x3", 1, 3)],
      [reduce, same("3x1", 3, 1)],
      [reduce, same("3x3", 3, 3), same("1x3", 1, 3)],
      [reduce, same("3x3", 3, 3), same("3x1", 3, 1)],
      average,
    ],
  };
  for (const name of ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]) {
    layers.push(...mixed(`Mixed_${name}`, layers.at(-1)!.name, blocks[name] ?? blocks[name[0]!]!));
  }
  return network(layers, 299);
})();

/** Depthwise and pointwise convolutions in turn. @see https://arxiv.org/abs/1704.04861 */
export const mobilenetV1 = network([
  conv("Conv2d_0", { kernel: 3, stride: 2, padding: "same" }),
  ...[1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1].flatMap((stride, i) => [
    conv(`Conv2d_${i + 1}_depthwise`, { kernel: 3, stride, padding: "same" }),
    conv(`Conv2d_${i + 1}_pointwise`, { kernel: 1 }),
  ]),
]);
