import type { LayerGraph } from "@gradlab/receptive-field";
import { exampleNetworks, receptiveField } from "@gradlab/receptive-field";
import { describe, expect, test } from "vitest";
import { type NetworkName, type NetworkOptions, network, networkNames, summary } from "../src/index.js";

const table = (name: NetworkName, options: NetworkOptions = {}) => summary(network(name, options));

/** Output shapes of some layers, by name. */
function shapesOf(name: NetworkName, layers: readonly string[], options: NetworkOptions = {}) {
  const rows = new Map(table(name, options).layers.map((row) => [row.name, row.outputShape]));
  return layers.map((layer) => rows.get(layer)?.join("x"));
}

// Parameters and multiply-accumulates of torchvision's networks at 224 x 224 with 1000 classes.
test.each<[NetworkName, number, number]>([
  ["alexnet", 61_100_840, 714_188_480],
  ["vgg11", 132_863_336, 7_609_090_048],
  ["vgg13", 133_047_848, 11_308_466_176],
  ["vgg16", 138_357_544, 15_470_264_320],
  ["vgg19", 143_667_240, 19_632_062_464],
  ["vgg11-bn", 132_868_840, 7_609_090_048],
  ["vgg13-bn", 133_053_736, 11_308_466_176],
  ["vgg16-bn", 138_365_992, 15_470_264_320],
  ["vgg19-bn", 143_678_248, 19_632_062_464],
  ["resnet18", 11_689_512, 1_814_073_344],
  ["resnet34", 21_797_672, 3_663_761_408],
  ["resnet50", 25_557_032, 4_089_184_256],
  ["resnet101", 44_549_160, 7_801_405_440],
  ["resnet152", 60_192_808, 11_513_626_624],
  ["resnext50", 25_028_904, 4_230_479_872],
  ["googlenet", 6_624_904, 1_498_376_192],
  ["squeezenet1-0", 1_248_424, 818_924_576],
  ["squeezenet1-1", 1_235_496, 349_151_936],
  ["densenet121", 7_978_856, 2_834_161_664],
  ["mobilenet-v2", 3_504_872, 300_774_272],
])("%s has %d parameters and %d multiply-accumulates", (name, params, macs) => {
  const found = table(name);
  expect([found.params, found.macs]).toEqual([params, macs]);
  const sum = (key: "params" | "weights" | "macs") => found.layers.reduce((all, row) => all + row[key], 0);
  expect([sum("params"), sum("weights"), sum("macs")]).toEqual([params, found.weights, macs]);
});

test("the original AlexNet has 60,965,224 parameters and sees what its spatial skeleton sees", () => {
  const graph = network("alexnet-227");
  expect(summary(graph).params).toBe(60_965_224);
  // Every layer of the published chain is there under its name, with its units and its receptive field.
  const rows = new Map(receptiveField(graph).layers.map((row) => [row.name, row]));
  for (const expected of receptiveField(exampleNetworks["alexnet-227"]).layers) {
    expect(rows.get(expected.name)).toEqual(expected);
  }
});

// What these networks are in the papers: a stride on another layer, kernels of another size.
test("ResNet-50 with its strides on the 1x1 convolutions has 3,857,973,248 multiply-accumulates", () => {
  const graph = network("resnet50");
  const strided = graph.layers.map((layer) => {
    const [, stage, conv] = /^layer([234])\.0\.conv([12])$/.exec(layer.name) ?? [];
    return stage === undefined ? layer : { ...layer, stride: conv === "1" ? 2 : 1 };
  });
  const paper = summary({ ...graph, layers: strided as LayerGraph["layers"] });
  expect([paper.params, paper.macs]).toEqual([25_557_032, 3_857_973_248]);
  expect(paper.layers.find(({ name }) => name === "layer4.2.relu3")!.receptiveField).toEqual([483, 483]);
});

test("GoogLeNet with 5x5 convolutions has 7,005,832 parameters and 1,582,671,872 multiply-accumulates", () => {
  const graph = network("googlenet");
  const layers = graph.layers.map((layer) =>
    layer.name.endsWith("branch3.1.conv") ? { ...layer, kernel: 5, padding: 2 } : layer,
  );
  const paper = summary({ ...graph, layers: layers as LayerGraph["layers"] });
  expect([paper.params, paper.macs]).toEqual([7_005_832, 1_582_671_872]);
  expect(paper.layers.find(({ name }) => name === "inception5b.concat")!.receptiveField).toEqual([699, 699]);
});

// The same networks as in the book "Dive into Deep Learning": one channel, 10 classes.
test.each<[NetworkName, NetworkOptions, number | null, number]>([
  ["lenet", {}, 61_706, 416_520],
  ["nin", { channels: 1, classes: 10 }, 1_992_166, 762_297_352],
  ["vgg11", { channels: 1, classes: 10 }, 128_806_154, 7_547_232_256],
  ["vgg11", { channels: 1, classes: 10, width: 0.25 }, 43_093_322, 512_155_648],
  // Its convolutions have biases that batch norm makes superfluous, its projections no batch norm.
  ["resnet18", { channels: 1, classes: 10, inputSize: 96 }, null, 318_657_536],
])("%s with %o has %s parameters and %d multiply-accumulates", (name, options, params, macs) => {
  const found = table(name, options);
  if (params !== null) expect(found.params).toBe(params);
  expect(found.macs).toBe(macs);
});

describe("counting policies", () => {
  test.each<[NetworkName, number]>([
    ["alexnet", 494_184],
    ["vgg11", 7_435_240],
    ["vgg13", 12_252_136],
    ["vgg16", 13_556_712],
    ["vgg19", 14_861_288],
    ["resnet18", 1000],
    ["resnet50", 1000],
    ["resnet152", 1000],
  ])("%s adds %d biases", (name, biases) => {
    const graph = network(name);
    const { macs } = summary(graph);
    expect(summary(graph, { policy: "with-bias" }).macs).toBe(macs + biases);
    expect(summary(graph, { policy: "flops" }).macs).toBe(2 * macs + biases);
  });

  test("torchinfo counts 714,682,664 for AlexNet and 15,483,821,032 for VGG-16", () => {
    expect(summary(network("alexnet"), { policy: "torchinfo" }).macs).toBe(714_682_664);
    expect(summary(network("vgg16"), { policy: "torchinfo" }).macs).toBe(15_483_821_032);
    // Batch norm by its parameters: those of all norms once more.
    const r18 = summary(network("resnet18"));
    const norms = r18.params - r18.weights - 1000;
    expect(summary(network("resnet18"), { policy: "torchinfo" }).macs).toBe(r18.macs + 1000 + norms);
  });

  test.each<[NetworkName, number]>([
    ["resnet18", 2_483_712],
    ["resnet34", 3_738_112],
    ["resnet50", 11_113_984],
    ["resnet101", 16_231_936],
    ["resnet152", 22_554_112],
  ])("the batch norms of %s scale and shift %d elements", (name, elements) => {
    const graph = network(name);
    const flags = { multiplyAdd: 1, bias: false, norm: "elements", pool: false, activation: false } as const;
    expect(summary(graph, { policy: flags }).macs - summary(graph).macs).toBe(2 * elements);
  });

  test("everything counts windows, activations and sums, each in its layer", () => {
    const graph: LayerGraph = {
      input: { shape: [5, 4], channels: 2 },
      layers: [
        { name: "conv", op: "conv", kernel: [3, 1], filters: 3, bias: true }, // 3x3x4
        { name: "bn", op: "pointwise", fn: "batch-norm" },
        { name: "relu", op: "pointwise", fn: "relu" },
        { name: "add", op: "add", inputs: ["relu", "bn", "conv"] },
        { name: "drop", op: "pointwise", fn: "dropout" },
        { name: "pool", op: "pool", mode: "avg", kernel: 2, stride: 1 }, // 3x2x3
        { name: "fit", op: "adaptive-pool", mode: "max", outputSize: [1, 2] }, // windows of 2 rows and 2 + 2 columns
        { name: "all", op: "global-pool", mode: "avg" },
        { name: "flatten", op: "flatten" },
        { name: "fc", op: "dense", units: 7 },
      ],
    };
    expect(summary(graph, { policy: "everything" }).layers.map(({ macs }) => macs)).toEqual([
      36 * (2 * 6 + 1), 2 * 36, 36, 2 * 36, 0, 18 * 4, 3 * 8, 6, 0, 7 * (2 * 3 + 1),
    ]); // biome-ignore format: one per layer
  });

  test("an unknown policy is refused", () => {
    // @ts-expect-error most fields are missing
    expect(() => summary(network("lenet"), { policy: { multiplyAdd: 1 } })).toThrow(
      "summary: policy.bias: expected true or false, got undefined",
    );
    // @ts-expect-error no such name
    expect(() => summary(network("lenet"), { policy: "toString" })).toThrow(
      'summary: policy: expected one of macs, with-bias, flops, torchinfo, everything, got "toString"',
    );
  });
});

describe("shapes", () => {
  test("small-cnn, layer by layer", () => {
    const { layers, params, weights, macs } = table("small-cnn");
    const rows = ["conv1", "conv2", "conv3", "fc1", "fc2"].map((name) => {
      const at = layers.findIndex((row) => row.name === name);
      const before = at === 0 ? "3x32x32" : layers[at - 1]!.outputShape.join("x");
      const row = layers[at]!;
      return [before, row.outputShape.join("x"), row.weights, row.macs];
    });
    expect(rows).toEqual([
      ["3x32x32", "16x32x32", 1200, 1_228_800],
      ["16x15x15", "16x17x17", 2304, 665_856],
      ["16x8x8", "32x6x6", 25_088, 903_168],
      ["288", "32", 9216, 9216],
      ["32", "10", 320, 320],
    ]);
    expect([weights, params, macs]).toEqual([38_128, 38_170, 2_807_360]);
  });

  test("lenet on 1x28x28", () => {
    const layers = ["conv1", "pool1", "conv2", "pool2", "flatten", "fc1", "fc2", "fc3"];
    expect(shapesOf("lenet", layers)).toEqual([
      "6x28x28", "6x14x14", "16x10x10", "16x5x5", "400", "120", "84", "10",
    ]); // biome-ignore format: one line
    expect(shapesOf("lenet-relu", layers)).toEqual(shapesOf("lenet", layers));
  });

  test("vgg11 on 1x224x224", () => {
    const layers = ["pool1", "pool2", "pool3", "pool4", "pool5", "flatten", "fc6", "fc7", "fc8"];
    expect(shapesOf("vgg11", layers, { channels: 1, classes: 10 })).toEqual([
      "64x112x112", "128x56x56", "256x28x28", "512x14x14", "512x7x7", "25088", "4096", "4096", "10",
    ]); // biome-ignore format: one line
  });

  test("resnet18 on 1x96x96", () => {
    const layers = ["maxpool", ...[1, 2, 3, 4].map((stage) => `layer${stage}.1.relu2`), "fc"];
    expect(shapesOf("resnet18", layers, { channels: 1, classes: 10, inputSize: 96 })).toEqual([
      "64x24x24", "64x24x24", "128x12x12", "256x6x6", "512x3x3", "10",
    ]); // biome-ignore format: one line
  });

  test("another input size is taken over the graph's own", () => {
    const graph = network("resnet18", { classes: 10 });
    const small = summary(graph, { inputSize: [64, 96] });
    expect(small).toEqual(table("resnet18", { classes: 10, inputSize: [64, 96] }));
    expect(summary(graph, { inputSize: 64 }).macs).toBeLessThan(small.macs);
  });

  // The last feature map: receptive field and jump.
  test.each<[NetworkName, string, number]>([
    ["alexnet", "pool5", 195],
    ["vgg11", "pool5", 150],
    ["vgg13", "pool5", 156],
    ["vgg16", "pool5", 212],
    ["vgg19", "pool5", 268],
    ["resnet18", "layer4.1.relu2", 435],
    ["resnet34", "layer4.2.relu2", 899],
    ["resnet50", "layer4.2.relu3", 427],
    ["resnet101", "layer4.2.relu3", 971],
    ["resnet152", "layer4.2.relu3", 1451],
    ["mobilenet-v2", "features.18.2", 491],
    ["densenet121", "features.norm5", 2071],
    ["googlenet", "inception5b.concat", 379],
  ])("%s: a unit of %s sees %d pixels, 32 from the next", (name, layer, size) => {
    const row = table(name).layers.find((one) => one.name === layer)!;
    expect([row.receptiveField, row.jump]).toEqual([
      [size, size],
      [32, 32],
    ]);
  });
});

test("LeNet's second pool sees 16 pixels, 4 from the next", () => {
  const rows = new Map(table("lenet").layers.map((row) => [row.name, [row.receptiveField, row.jump]]));
  expect(rows.get("pool2")).toEqual([[16, 16], [4, 4]]); // biome-ignore format: pairs
  expect(rows.get("conv2")).toEqual([[14, 14], [2, 2]]); // biome-ignore format: pairs
});

// Published rows of the same chains: layer, receptive field, jump.
test.each<[NetworkName, string]>([
  [
    "vgg11",
    "conv1-1 3/1, pool1 4/2, conv2-1 8/2, pool2 10/4, conv3-1 18/4, conv3-2 26/4, pool3 30/8, conv4-1 46/8, conv4-2 62/8, pool4 70/16, conv5-1 102/16, conv5-2 134/16, pool5 150/32",
  ],
  [
    "vgg16",
    "conv1-1 3/1, pool1 6/2, conv2-1 10/2, pool2 16/4, conv3-1 24/4, conv3-2 32/4, pool3 44/8, conv4-1 60/8, conv4-2 76/8, pool4 100/16, conv5-1 132/16, conv5-2 164/16, pool5 212/32",
  ],
  ["alexnet", "conv1 11/4, pool1 19/8, conv2 51/8, conv3 99/16, conv4 131/16, conv5 163/16, pool5 195/32"],
])("%s: what its layers see", (name, expected) => {
  const wanted = expected.split(", ").map((row) => row.split(" ")[0]);
  const rows = table(name).layers.filter((row) => wanted.includes(row.name));
  expect(rows.map((row) => `${row.name} ${row.receptiveField[0]}/${row.jump[0]}`).join(", ")).toBe(expected);
});

describe("options", () => {
  test("every network takes other channels, classes, a factor, and sides that differ", () => {
    for (const name of networkNames) {
      const options = { inputSize: [240, 256], channels: 1, classes: 7, width: 0.5 } as const;
      const graph = network(name, options);
      const { layers, params } = summary(graph);
      expect(layers.at(-1)!.outputShape).toEqual([7]);
      expect(params).toBeLessThan(table(name, { ...options, width: 1 }).params);
      expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
    }
  });

  test("a list sets the channels of the stages, and the hidden dense units after them", () => {
    const layers = ["conv1-1", "pool5", "fc6", "fc7"];
    const stages = [16, 32, 64, 128, 128];
    expect(shapesOf("vgg11", layers, { inputSize: 64, width: stages })).toEqual([
      "16x64x64", "128x2x2", "4096", "4096",
    ]); // biome-ignore format: one line
    expect(shapesOf("vgg11", layers, { inputSize: 64, width: [...stages, 100, 50] })).toEqual([
      "16x64x64", "128x2x2", "100", "50",
    ]); // biome-ignore format: one line
    expect(shapesOf("resnet50", ["conv1", "layer4.2.conv3"], { width: [8, 16, 24, 32] })).toEqual([
      "8x112x112", "128x7x7",
    ]); // biome-ignore format: one line
  });

  test("a factor on MobileNet rounds to multiples of 8, and not below 90 %", () => {
    const shapes = (width: number) => shapesOf("mobilenet-v2", ["features.0.0", "features.18.0"], { width });
    expect(shapes(0.35)).toEqual(["16x112x112", "1280x7x7"]);
    expect(shapes(1.4)).toEqual(["48x112x112", "1792x7x7"]);
  });

  test("what is out of range is refused, and named", () => {
    // @ts-expect-error no such network
    expect(() => network("toString")).toThrow(/network: name: expected one of lenet, .*, got "toString"/);
    const refuse = (name: NetworkName, options: object, message: string | RegExp) =>
      expect(() => network(name, options)).toThrow(message);
    refuse("lenet", { classes: 0 }, "network: classes: expected an integer in [1, 1000000], got 0");
    refuse(
      "lenet",
      { classes: 1e9 },
      "network: classes: expected an integer in [1, 1000000], got 1000000000",
    );
    refuse("lenet", { channels: 1.5 }, "network: channels: expected an integer in [1, 4096], got 1.5");
    refuse("lenet", { channels: "3" }, 'network: channels: expected an integer in [1, 4096], got "3"');
    refuse(
      "lenet",
      { inputSize: [28] },
      "network: inputSize: expected one size or [height, width], got [28]",
    );
    refuse(
      "lenet",
      { inputSize: 99_999 },
      "network: inputSize: expected an integer in [1, 16384], got 99999",
    );
    refuse("lenet", { width: 0 }, "network: width: expected a number above 0, at most 64, got 0");
    refuse("lenet", { width: Number.NaN }, "network: width: expected a number above 0, at most 64, got NaN");
    refuse(
      "lenet",
      { width: [6] },
      "network: width: expected a factor or a list of 2 or 4 numbers for lenet, got [6]",
    );
    refuse(
      "resnet18",
      { width: [1, 2, 3] },
      "network: width: expected a factor or a list of 4 numbers for resnet18, got [1,2,3]",
    );
    refuse("googlenet", { width: [8] }, "network: width: expected a factor for googlenet, got [8]");
    refuse("vgg11", { width: [8, 8, 8, 8, -1] }, "network: width: expected an integer in [1, 65536], got -1");
    refuse(
      "alexnet-227",
      { width: [3, 4, 4, 4, 4] },
      'network: layer "conv2": groups: expected a divisor of 3 channels and 4 filters, got 2',
    );
  });

  test("an input that is too small names the layer where nothing is left", () => {
    expect(() => network("vgg11", { inputSize: 31 })).toThrow(
      'network: layer "pool5": its output would be empty along y',
    );
    expect(() => network("alexnet-227", { inputSize: [227, 226] })).toThrow(
      /network: layer "fc6-conv": its output would be empty along x/,
    );
    expect(() => network("alexnet", { inputSize: 62 })).toThrow('network: layer "pool5"');
    network("alexnet", { inputSize: 63 }); // the least, as torchvision says
    network("resnet50", { inputSize: 1 });
  });

  test("graphs that cannot be computed are refused by layer and field", () => {
    const graph = (layer: object): LayerGraph => ({
      input: { shape: [8, 8], channels: 4 },
      layers: [{ name: "a", op: "conv", kernel: 3, filters: 4 }, layer as LayerGraph["layers"][number]],
    });
    const refuse = (layer: object, message: string) =>
      expect(() => summary(graph(layer))).toThrow(`summary: ${message}`);
    refuse(
      { name: "b", op: "conv", kernel: 3 },
      'layer "b": filters: expected an integer, at least 1, got undefined',
    );
    refuse({ name: "b", op: "dense", units: 3 }, 'layer "b": inputs: expected a flattened input');
    refuse({ name: "b", op: "pointwise", fn: "gelu" }, 'layer "b": fn: expected one of relu, relu6,');
    refuse({ name: "b", op: "pad", padding: 1 }, 'layer "b": op: expected one of conv, pool,');
    refuse({ name: "b", op: "pool", mode: "max", kernel: 2, dilation: 2 }, 'layer "b": dilation: expected 1');
    refuse(
      { name: "b", op: "conv", kernel: 3, filters: 2, stride: 2, dilation: 2 },
      'layer "b": dilation: expected 1 beside stride 2, 2, got 2, 2',
    );
    refuse({ name: "b", op: "conv", kernelSize: 3 }, 'layer "b": kernelSize: expected the name kernel');
    refuse({ name: "b", op: "conv", kernel: [3, null] }, 'layer "b": kernel: expected a positive integer');
    refuse({ name: "b", op: "pool", kernel: 2 }, 'layer "b": mode: expected max or avg, got undefined');
    const pointwise = (fn: string, fields: object, message: string) =>
      refuse({ name: "b", op: "pointwise", fn, ...fields }, `layer "b": ${message}`);
    pointwise("dropout", { rate: 1 }, "rate: expected a number in [0, 1), got 1");
    pointwise("lrn", { size: 4 }, "size: expected a positive odd integer, got 4");
    pointwise("lrn", { beta: -1 }, "beta: expected a finite number, at least 0, got -1");
    pointwise("batch-norm", { epsilon: 0 }, "epsilon: expected a finite number above 0, got 0");
    pointwise("batch-norm", { momentum: "a" }, 'momentum: expected a number in [0, 1], got "a"');
    refuse(
      { name: "b", op: "add", inputs: ["a", "c"] },
      'layer "b": inputs: expected names of layers or "input", got "c"',
    );
    expect(() => summary(graph({ name: "b", op: "flatten" }), { inputSize: 7.5 })).toThrow(
      "summary: inputSize: expected [height, width], positive integers, got [7.5,7.5]",
    );
    expect(() => summary({ ...graph({ name: "b", op: "flatten" }), input: { shape: [8, 8] } })).toThrow(
      "summary: graph.input.channels: expected a positive integer, got undefined",
    );
  });
});
