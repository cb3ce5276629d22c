import { expect, test } from "vitest";
import { exampleNetworks, receptiveField } from "../src/index.js";

const alexnet = exampleNetworks["alexnet-227"]!;

test("AlexNet on 227 pixels has the published sizes, jumps, fields and starts", () => {
  const { layers } = receptiveField(alexnet, { inputSize: 227, origin: "one" });
  const column = (key: "n" | "jump" | "size" | "start") =>
    layers.map((row) => {
      expect(row[key][0]).toBe(row[key][1]);
      return row[key][0];
    });
  expect(layers.map(({ name }) => name)).toEqual([
    "conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6-conv", "fc7-conv",
  ]); // biome-ignore format: a row
  expect(column("n")).toEqual([55, 27, 27, 13, 13, 13, 13, 6, 1, 1]);
  expect(column("jump")).toEqual([4, 8, 8, 16, 16, 16, 16, 32, 32, 32]);
  expect(column("size")).toEqual([11, 19, 51, 67, 99, 131, 163, 195, 355, 355]);
  expect(column("start")).toEqual([6, 10, 10, 18, 18, 18, 18, 34, 114, 114]);
});

test("unit (1, 1) of AlexNet's first layers has the published edges and centre", () => {
  const field = receptiveField(alexnet, { origin: "one" });
  const edges = ["conv1", "pool1", "conv2", "pool2"].map((layer) => {
    const [y, x] = field.unit(layer, [1, 1]).axes;
    expect(y).toEqual(x);
    return [y!.edges![0], y!.center, y!.edges![1]];
  });
  expect(edges).toEqual([
    [4.5, 10, 15.5],
    [8.5, 18, 27.5],
    [-7.5, 18, 43.5],
    [0.5, 34, 67.5],
  ]);
});

test("around pixel 114 of AlexNet's input the first layers see 11, 19 and 51 pixels", () => {
  const field = receptiveField(alexnet, { origin: "one" });
  const seen = (["conv1", "pool1", "conv2"] as const).map((name) => {
    const row = field.layers.find((layer) => layer.name === name)!;
    const unit = (114 - row.start[0]!) / row.jump[0]!;
    const [low, high] = field.unit(name, [unit, unit]).axes[0]!.edges!;
    return [low + 0.5, high - 0.5];
  });
  expect(seen).toEqual([
    [109, 119],
    [105, 123],
    [89, 139],
  ]);
});
