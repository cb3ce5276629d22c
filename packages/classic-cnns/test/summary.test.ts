import { expect, test } from "vitest";
import { type NetworkName, network, summary } from "../src/index.js";

const totals = (name: NetworkName, options = {}) => {
  const { params, macs } = summary(network(name, options));
  return [params, macs];
};

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
  expect(totals(name)).toEqual([params, macs]);
});
