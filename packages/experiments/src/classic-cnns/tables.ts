import type { NetworkName, Summary } from "@gradlab/classic-cnns";
import { fieldGrowth, labelledPoints } from "@gradlab/figures";
import { type Layer, type LayerGraph, receptiveField } from "@gradlab/receptive-field";
import { type Check, check, growthOf, type StudyEvent, type Value } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

/** Parameters and multiply-accumulates of torchvision's networks at 224 × 224 with 1000 classes. */
const torchvision: readonly [net: NetworkName, family: string, params: number, macs: number][] = [
  ["alexnet", "AlexNet", 61_100_840, 714_188_480],
  ["vgg11", "VGG", 132_863_336, 7_609_090_048],
  ["vgg13", "VGG", 133_047_848, 11_308_466_176],
  ["vgg16", "VGG", 138_357_544, 15_470_264_320],
  ["vgg19", "VGG", 143_667_240, 19_632_062_464],
  ["vgg11-bn", "VGG with batch norm", 132_868_840, 7_609_090_048],
  ["vgg13-bn", "VGG with batch norm", 133_053_736, 11_308_466_176],
  ["vgg16-bn", "VGG with batch norm", 138_365_992, 15_470_264_320],
  ["vgg19-bn", "VGG with batch norm", 143_678_248, 19_632_062_464],
  ["googlenet", "GoogLeNet", 6_624_904, 1_498_376_192],
  ["resnet18", "ResNet", 11_689_512, 1_814_073_344],
  ["resnet34", "ResNet", 21_797_672, 3_663_761_408],
  ["resnet50", "ResNet", 25_557_032, 4_089_184_256],
  ["resnet101", "ResNet", 44_549_160, 7_801_405_440],
  ["resnet152", "ResNet", 60_192_808, 11_513_626_624],
  ["resnext50", "ResNeXt", 25_028_904, 4_230_479_872],
  ["densenet121", "DenseNet", 7_978_856, 2_834_161_664],
  ["squeezenet1-0", "SqueezeNet", 1_248_424, 818_924_576],
  ["squeezenet1-1", "SqueezeNet", 1_235_496, 349_151_936],
  ["mobilenet-v2", "MobileNet", 3_504_872, 300_774_272],
];

const growing: readonly NetworkName[] = ["lenet", "alexnet", "vgg16", "googlenet", "resnet18", "resnet50", "mobilenet-v2"]; // biome-ignore format: names

/** What the classic networks are made of, in numbers. */
export const tables = defineExperiment({
  id: "classic-cnns/tables",
  title: "Shapes, parameters and operations of the classic networks",
  about:
    "A network that is small enough to be followed by hand; the shapes of three classic ones; and parameters and " +
    "multiply-accumulates (of convolutions and dense layers, biases left out) of the networks of torchvision for one " +
    "image of 224 × 224 pixels, against the counts that torchvision gives with its weights. Where two published counts " +
    "of one network differ, they count different things, or different networks: ResNet-50 has 3.8 G or 4.1 G " +
    "operations by where a block has its stride.",
  async *run(): AsyncGenerator<StudyEvent, Tables> {
    const { network, summary } = await import("@gradlab/classic-cnns");
    const counts = ({ params, macs }: Summary) => [params, macs];
    const small = summary(network("small-cnn"));
    const computing = small.layers.filter(({ weights }) => weights > 0);
    const before = (name: string) => {
      const at = small.layers.findIndex((row) => row.name === name);
      return at === 0 ? [3, 32, 32] : small.layers[at - 1]!.outputShape;
    };
    /** The shapes of some layers. */
    const shapes = (graph: LayerGraph, names: readonly string[]): Value => {
      const rows = new Map(summary(graph).layers.map((row) => [row.name, row.outputShape]));
      return names.map((name) => rows.get(name) ?? null);
    };
    const grey = (net: NetworkName, inputSize: number) =>
      network(net, { inputSize, channels: 1, classes: 10 });
    const found = torchvision.map(([net]) => summary(network(net)));
    const resnet50 = network("resnet50");
    const withPolicy = (net: NetworkName) => summary(network(net), { policy: "torchinfo" }).macs;
    const checks: Check[] = [
      check("small-cnn: inputs of its layers", [[3, 32, 32], [16, 15, 15], [16, 8, 8], [288], [32]], computing.map(({ name }) => before(name))),
      check("small-cnn: outputs", [[16, 32, 32], [16, 17, 17], [32, 6, 6], [32], [10]], computing.map(({ outputShape }) => outputShape)),
      check("small-cnn: weights", [1200, 2304, 25_088, 9216, 320], computing.map(({ weights }) => weights)),
      check("small-cnn: multiply-accumulates", [1_228_800, 665_856, 903_168, 9216, 320], computing.map(({ macs }) => macs)),
      check("small-cnn: all weights, with biases", [38_128, 38_170], [small.weights, small.params]),
      check(
        "lenet, 1 × 28 × 28",
        [[6, 28, 28], [6, 14, 14], [16, 10, 10], [16, 5, 5], [400], [120], [84], [10]],
        shapes(network("lenet"), ["conv1", "pool1", "conv2", "pool2", "flatten", "fc1", "fc2", "fc3"]),
      ),
      check(
        "vgg11, 1 × 224 × 224",
        [[64, 112, 112], [128, 56, 56], [256, 28, 28], [512, 14, 14], [512, 7, 7], [25_088], [4096], [4096], [10]],
        shapes(grey("vgg11", 224), ["pool1", "pool2", "pool3", "pool4", "pool5", "flatten", "fc6", "fc7", "fc8"]),
      ),
      check(
        "resnet18, 1 × 96 × 96",
        [[64, 24, 24], [64, 24, 24], [128, 12, 12], [256, 6, 6], [512, 3, 3], [10]],
        shapes(grey("resnet18", 96), ["maxpool", "layer1.1.relu2", "layer2.1.relu2", "layer3.1.relu2", "layer4.1.relu2", "fc"]),
      ),
      ...torchvision.map(([net, , params, macs], i) => check(`${net}: parameters, operations`, [params, macs], counts(found[i]!))),
      check("AlexNet of 2012, two halves: parameters", 60_965_224, summary(network("alexnet-227")).params),
      check("alexnet and vgg16 as torchinfo counts, with biases", [714_682_664, 15_483_821_032], [withPolicy("alexnet"), withPolicy("vgg16")]),
      check("ResNet-50 as in its paper, stride in the first 1 × 1", [25_557_032, 3_857_973_248], counts(summary(strideFirst(resnet50)))),
      check("GoogLeNet as in its paper, 5 × 5 where torchvision has 3 × 3", [7_005_832, 1_582_671_872], counts(summary(trueFives(network("googlenet"))))),
    ]; // biome-ignore format: a table
    return {
      checks,
      counts: found.map(({ params, macs }) => ({ params, macs })),
      growth: growing.map((name) => growthOf(name, receptiveField(network(name)).layers)),
    };
  },
  checks: ({ checks }) => checks,
  figures: ({ counts, growth }, { document }) => [
    {
      svg: labelledPoints(
        torchvision.flatMap(([name, series], i) => {
          const { params, macs } = counts[i]!;
          return name.endsWith("-bn") ? [] : [{ name, series, x: params, y: macs }];
        }),
        { document, xLabel: "parameters", yLabel: "multiply-accumulates per image" },
      ),
      caption:
        "Parameters are what a network stores, operations what it does for one image of 224 × 224. VGG has most of its parameters in one dense layer and its operations in convolutions; AlexNet has the parameters without the operations; those that came after VGG do with a tenth of its parameters.",
    },
    {
      svg: fieldGrowth(growth, { document, depthLabel: "layers that widen the field" }),
      caption:
        "What a unit can see along the layers that widen its view, up to the pooling or dense layer that sees all of the last map. lenet is given 28 × 28 pixels, the others 224 × 224; what is wider than the picture is padding.",
    },
  ],
});

interface Tables {
  readonly checks: readonly Check[];
  /** Of torchvision's networks, in their order. */
  readonly counts: readonly Pick<Summary, "params" | "macs">[];
  readonly growth: readonly ReturnType<typeof growthOf>[];
}

/** Bottlenecks with the stride in their first convolution instead of the 3x3 one. */
function strideFirst(graph: LayerGraph): LayerGraph {
  const strideOf = new Map(graph.layers.map((layer) => [layer.name, "stride" in layer ? layer.stride : 1]));
  return {
    ...graph,
    layers: graph.layers.map((layer): Layer => {
      if (layer.op !== "conv") return layer;
      const [, block, place] = /^(layer\d\.\d+)\.conv([12])$/.exec(layer.name) ?? [];
      if (block === undefined) return layer;
      return { ...layer, stride: place === "1" ? strideOf.get(`${block}.conv2`)! : 1 };
    }),
  };
}

/** Inceptions whose widest branch is what its name says. */
function trueFives(graph: LayerGraph): LayerGraph {
  const layers = graph.layers.map((layer): Layer => {
    const isWidest = layer.op === "conv" && layer.name.endsWith("branch3.1.conv");
    return isWidest ? { ...layer, kernel: 5, padding: 2 } : layer;
  });
  return { ...graph, layers };
}
