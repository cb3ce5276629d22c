import { modelRows } from "@gradlab/tfjs-models";
import type { CheckedModel } from "../../networks/tfjs-model.js";
import type { ClassifyOptions } from "./classify-options.js";

/** A family of networks, known by names of its layers or weights, and what it takes. */
interface Family {
  readonly name: string;
  readonly isIt: (has: (pattern: RegExp) => boolean) => boolean;
  readonly takes: string;
}

const symmetric = "-1 to 1: {preprocess} symmetric";
const caffe = "0 to 255, blue first, less a mean: {range} 0,255 {bgr} {mean} 103.939,116.779,123.68";

const families: readonly Family[] = [
  {
    name: "a MobileNet",
    isIt: (has) => has(/mobilenet/i) || (has(/^conv1$/) && has(/^conv_dw_1$/) && has(/^conv_pw_1$/)),
    takes: symmetric,
  },
  {
    name: "a network of torchvision",
    isIt: (has) =>
      has(/(^|[/.])layer1[._/]0[._/]conv1\b/) ||
      has(/(^|[/.])features[./]0([./]|$)/) ||
      has(/denseblock1[._/]denselayer1/),
    takes: "ImageNet's mean and deviation: {preprocess} imagenet",
  },
  {
    name: "a DenseNet of Keras",
    isIt: (has) => has(/(^|\/)conv2_block1_0_bn\b/) && has(/(^|\/)conv5_block\d+_concat\b/),
    takes: "ImageNet's mean and deviation: {preprocess} imagenet",
  },
  {
    name: "a ResNet V2 of Keras",
    isIt: (has) => has(/(^|\/)conv2_block1_preact_bn\b/),
    takes: symmetric,
  },
  {
    name: "a ResNet of Keras",
    isIt: (has) => has(/(^|\/)conv2_block1_1_conv\b/) || has(/(^|\/)res2a_branch2a\b/),
    takes: caffe,
  },
  {
    name: "a VGG of Keras",
    isIt: (has) => has(/(^|\/)block1_conv1\b/) && has(/(^|\/)block5_conv3\b/),
    takes: caffe,
  },
  {
    name: "an Inception, Xception or NASNet of Keras",
    isIt: (has) =>
      has(/inception|xception|nasnet/i) ||
      has(/(^|\/)mixed10\b/) ||
      has(/(^|\/)block14_sepconv2\b/) ||
      has(/(^|\/)normal_concat_/),
    takes: symmetric,
  },
];

/** What a model seems to expect of its pixels, where the options say nothing; null where nothing tells. */
export function proposal(
  { file, json, bytes }: CheckedModel,
  { preprocess, range, mean, std }: Pick<ClassifyOptions, "preprocess" | "range" | "mean" | "std">,
): string | null {
  if ([preprocess, range, mean, std].some((value) => value !== undefined)) return null;
  const rows = rowsOf(json, bytes);
  const [first] = rows;
  if (first?.op === "Rescaling" || first?.op === "Normalization") {
    return `${file.label} begins with a ${first.op} layer ("${first.name}"), and most such models take 0 to 255: {range} 0,255`;
  }
  const weights = (json.weightsManifest ?? []).flatMap((group) => group.weights.map(({ name }) => name));
  const names = [...rows.map(({ name }) => name), ...weights];
  const family = families.find(({ isIt }) => isIt((pattern) => names.some((name) => pattern.test(name))));
  return family === undefined ? null : `${file.label} looks like ${family.name}, which takes ${family.takes}`;
}

/** None of a graph with loops, which nobody follows. */
function rowsOf(json: unknown, weights: Uint8Array): ReturnType<typeof modelRows>["rows"] {
  try {
    return modelRows(json, { weights }).rows;
  } catch {
    return [];
  }
}
