import { expect, test } from "vitest";
import { exampleNetworks, type LayerGraph, receptiveField } from "../src/index.js";

/*
 * Receptive field, stride and effective padding per end-point, as published in
 * the table of Araujo, Norris, Sim 2019 (github.com/google-research/receptive_field,
 * RECEPTIVE_FIELD_TABLE.md). `a|b` is the padding at an input of 224 and of 321.
 * A wrong recurrence, a wrong TensorFlow "same" or a wrong union of branches shows here.
 */
const published: Record<string, { graph: LayerGraph; rows: string }> = {
  alexnet_v2: {
    graph: exampleNetworks["alexnet-v2"],
    rows: `conv1 11/4/0, pool1 19/8/0, conv2 51/8/16, conv3 99/16/32, conv4 131/16/48, conv5 163/16/64, pool5 195/32/64`,
  },
  vgg_a: {
    graph: exampleNetworks["vgg-a"],
    rows: `conv1_1 3/1/1, pool1 4/2/1, conv2_1 8/2/3, pool2 10/4/3, conv3_1 18/4/7, conv3_2 26/4/11, pool3 30/8/11,
      conv4_1 46/8/19, conv4_2 62/8/27, pool4 70/16/27, conv5_1 102/16/43, conv5_2 134/16/59, pool5 150/32/59`,
  },
  vgg_16: {
    graph: exampleNetworks.vgg16,
    rows: `conv1-1 3/1/1, pool1 6/2/2, conv2-1 10/2/4, pool2 16/4/6, conv3-1 24/4/10, conv3-2 32/4/14, pool3 44/8/18,
      conv4-1 60/8/26, conv4-2 76/8/34, pool4 100/16/42, conv5-1 132/16/58, conv5-2 164/16/74, pool5 212/32/90`,
  },
  resnet_v1_50: {
    graph: exampleNetworks["resnet-v1-50"],
    rows: `block1 35/8/15|17, block2 99/16/47|49, block3 291/32/143|145, block4 483/32/239|241`,
  },
  resnet_v1_101: {
    graph: exampleNetworks["resnet-v1-101"],
    rows: `block1 35/8/15|17, block2 99/16/47|49, block3 835/32/415|417, block4 1027/32/511|513`,
  },
  inception_v2: {
    graph: exampleNetworks["inception-v2"],
    rows: `Conv2d_1a_7x7 7/2/2|3, MaxPool_2a_3x3 11/4/2|5, Conv2d_2b_1x1 11/4/2|5, Conv2d_2c_3x3 19/4/6|9,
      MaxPool_3a_3x3 27/8/6|13, Mixed_3b 59/8/22|29, Mixed_3c 91/8/38|45, Mixed_4a 123/16/46|61,
      Mixed_4b 187/16/78|93, Mixed_4c 251/16/110|125, Mixed_4d 315/16/142|157, Mixed_4e 379/16/174|189,
      Mixed_5a 443/32/190|221, Mixed_5b 571/32/254|285, Mixed_5c 699/32/318|349`,
  },
};

for (const [name, { graph, rows }] of Object.entries(published)) {
  for (const [choice, inputSize] of [224, 321].entries()) {
    test(`${name} has the published fields, strides and paddings at ${inputSize}`, () => {
      const expected: Record<string, number[]> = {};
      for (const row of rows.split(",")) {
        const [layer, values] = row.trim().split(" ");
        const [size, jump, padding] = values!.split("/");
        const paddings = padding!.split("|");
        expected[layer!] = [Number(size), Number(jump), Number(paddings[choice] ?? paddings[0])];
      }
      // The fully convolutional head of vgg16 needs no change; 321 gives it several outputs.
      const { layers } = receptiveField(graph, { inputSize });
      const got = Object.fromEntries(
        layers
          .filter((row) => row.name in expected)
          .map((row) => {
            expect([row.size[0], row.jump[0], row.padding[0]]).toEqual([
              row.size[1],
              row.jump[1],
              row.padding[1],
            ]);
            return [row.name, [row.size[0], row.jump[0], row.padding[0]]];
          }),
      );
      expect(got).toEqual(expected);
    });
  }
}

test("the last feature maps of mobilenet_v1 and inception_v3 have the published values at 224", () => {
  const last = (graph: LayerGraph) => {
    const row = receptiveField(graph, { inputSize: 224 }).layers.at(-1)!;
    return [row.size, row.jump, row.padding].map((values) => values[0]);
  };
  expect(last(exampleNetworks["mobilenet-v1"])).toEqual([315, 32, 126]);
  expect(last(exampleNetworks["inception-v3"])).toEqual([1311, 32, 618]);
});
