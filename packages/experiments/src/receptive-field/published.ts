import { fieldGrowth } from "@gradlab/figures";
import { exampleNetworks, receptiveField } from "@gradlab/receptive-field";
import { check, growthOf } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

type NetworkName = keyof typeof exampleNetworks;

/** Size, jump and effective padding of the last feature map at 224 pixels, as published. */
const known: readonly [label: string, net: NetworkName, layer: string, values: [number, number, number]][] = [
  ["alexnet_v2", "alexnet-v2", "pool5", [195, 32, 64]],
  ["vgg_a", "vgg-a", "pool5", [150, 32, 59]],
  ["vgg_16", "vgg16", "pool5", [212, 32, 90]],
  ["mobilenet_v1", "mobilenet-v1", "Conv2d_13_pointwise", [315, 32, 126]],
  ["resnet_v1_50", "resnet-v1-50", "block4", [483, 32, 239]],
  ["resnet_v1_101", "resnet-v1-101", "block4", [1027, 32, 511]],
  ["inception_v2", "inception-v2", "Mixed_5c", [699, 32, 318]],
  ["inception_v3", "inception-v3", "Mixed_7c", [1311, 32, 618]],
];

/** The published table of receptive fields, and how they grow with depth. */
export const published = defineExperiment({
  id: "receptive-field/published",
  title: "Receptive fields grow with depth",
  about:
    "Size, jump and effective padding of the last feature map of eight networks at 224 pixels, against the values of " +
    "Araujo, Norris and Sim (Distill, 2019). The deeper ones see more than the whole picture.",
  async *run() {
    const tables = known.map(([label, net, layer]) => {
      const { layers } = receptiveField(exampleNetworks[net], { inputSize: 224 });
      const end = layers.findIndex(({ name }) => name === layer);
      const last = layers[end];
      const got = [last?.size, last?.jump, last?.padding].map((axes) => axes?.[0] ?? null);
      return { got, growth: growthOf(label, layers.slice(0, end + 1)) };
    });
    return { tables };
  },
  checks: ({ tables }) =>
    known.map(([label, , layer, values], i) =>
      check(`${label} ${layer}: size, jump, padding`, values, tables[i]!.got),
    ),
  figures: ({ tables }, { document }) => [
    {
      svg: fieldGrowth(
        tables.map(({ growth }) => growth),
        { document, depthLabel: "layers that widen the field" },
      ),
      caption: "Each point is a layer that widens the field. A step to a larger jump bends the line upwards.",
    },
  ],
});
