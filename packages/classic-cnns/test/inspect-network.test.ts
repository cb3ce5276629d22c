import { disposeParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { tensor1d, tensor2d, tensor4d } from "@tensorflow/tfjs-core";
import { beforeEach, describe, expect, test } from "vitest";
import { histogram, initNetwork, inspectNetwork, type NetworkState, network } from "../src/index.js";
import { closedFormImages } from "./closed-form-weights.js";
import { backends, expectNoLeak, stateless, useBackend } from "./tensors.js";

test("a histogram by hand: edges, zeros, what is not finite, numbers that are all equal", () => {
  const values = [0, 1, 2, 3, 4, Number.NaN, Number.POSITIVE_INFINITY, 0];
  expect(histogram(values, 4)).toEqual({
    count: 8,
    nonFinite: 2,
    zeros: 2,
    min: 0,
    max: 4,
    mean: 10 / 6,
    std: Math.sqrt(30 / 6 - (10 / 6) ** 2),
    bins: [2, 1, 1, 2], // 4 is in the last bin, not behind it
  });
  expect(histogram([7, 7], 3)).toMatchObject({ min: 7, max: 7, std: 0, bins: [2, 0, 0] });
  expect(histogram([Number.NaN], 2)).toMatchObject({ nonFinite: 1, min: null, mean: null, bins: [0, 0] });
  expect(() => histogram([1], 0)).toThrow("histogram: bins: expected an integer in [1, 4096], got 0");
});

// Two images of 1 x 2 pixels; one convolution of 1x1 to three channels, of which one is positive in one place only and
// one nowhere; a dense layer.
const graph: LayerGraph = {
  input: { shape: [1, 2], channels: 1 },
  layers: [
    { name: "conv", op: "conv", kernel: 1, filters: 3, bias: true },
    { name: "relu", op: "pointwise", fn: "relu" },
    { name: "flatten", op: "flatten" },
    { name: "fc", op: "dense", units: 2, bias: false },
  ],
};
const stateByHand = (): NetworkState => ({
  params: {
    conv: { kernel: tensor4d([1, -1, -1], [1, 1, 1, 3]), bias: tensor1d([0, 0, -5]) },
    fc: { kernel: tensor2d([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0], [6, 2]) },
  },
  statistics: {},
});

describe.each(backends)("on %s", (backend) => {
  beforeEach(() => useBackend(backend));

  test("activations, dead channels, maps, loss and gradients of a network by hand", async () => {
    await expectNoLeak(async () => {
      const weights = stateByHand();
      const x = tensor4d([1, 2, 3, -4], [2, 1, 2, 1]);
      const labels = tensor1d([0, 1], "int32");
      const found = await inspectNetwork(graph, weights, x, {
        labels,
        bins: 2,
        mapLayers: ["conv", "fc"],
        mapImages: [1],
        mapChannels: 2,
      });
      expect(found.images).toBe(2);
      expect(found.activations.map(({ layer, shape }) => [layer, shape])).toEqual([
        ["conv", [3, 1, 2]],
        ["relu", [3, 1, 2]],
        ["flatten", [6]],
        ["fc", [2]],
      ]);
      expect(found.activations[1]).toMatchObject({ op: "pointwise", fn: "relu", dead: [2] });
      expect(found.activations[0]!.dead).toBeUndefined();
      // conv: 1 2 3 -4, -1 -2 -3 4, -6 -7 -8 -1
      expect(found.activations[0]!.histogram).toMatchObject({ count: 12, min: -8, max: 4, bins: [5, 7] });
      // Logits: relu of the channels 0 and 1, summed over positions: [3, 0] and [3, 4].
      const [a, b] = [Math.log(1 + Math.exp(-3)), Math.log(1 + Math.exp(-1))];
      expect(found.loss).toBeCloseTo((a + b) / 2, 5);
      expect(found.maps).toEqual([
        { layer: "conv", image: 1, shape: [2, 1, 2], values: Float32Array.of(3, -4, -3, 4) },
        { layer: "fc", image: 1, shape: [2, 1, 1], values: Float32Array.of(3, 4) },
      ]);
      expect(found.weights.map(({ path }) => path)).toEqual(["conv.bias", "conv.kernel", "fc.kernel"]);
      expect(found.weights[0]!.histogram).toMatchObject({ min: -5, max: 0, zeros: 2 });
      expect(found.gradients.map(({ path, shape }) => [path, shape])).toEqual([
        ["conv.bias", [3]],
        ["conv.kernel", [1, 1, 1, 3]],
        ["fc.kernel", [6, 2]],
      ]);
      // By the bias of the dead channel exactly 0; by that of channel 0: p0 - 1 for each of two places, and p0 for one.
      const p = 1 / (1 + Math.exp(-3));
      const q = 1 / (1 + Math.exp(1));
      const bias = found.gradients[0]!.histogram;
      expect([bias.zeros, bias.min, bias.max].map((value) => Math.round(value! * 1e5))).toEqual(
        [1, Math.min(0, (2 * (p - 1) + q) / 2, -q / 2), Math.max(0, (2 * (p - 1) + q) / 2, -q / 2)].map(
          (value) => Math.round(value * 1e5),
        ),
      );
      const unlabelled = await inspectNetwork(graph, weights, x);
      expect([unlabelled.loss, unlabelled.gradients, unlabelled.maps]).toEqual([null, [], []]);
      expect(unlabelled.activations.map(({ dead }) => dead)).toEqual(
        found.activations.map(({ dead }) => dead),
      );
      for (const tensor of [x, labels]) tensor.dispose();
      disposeParams(weights);
    });
  });

  test("of ReLU and ReLU6 dead units are told, of no other layer, and 6 is as alive as any other number", async () => {
    const rectifiers: LayerGraph = {
      input: { shape: [1, 2], channels: 4 },
      layers: ["relu", "relu6", "sigmoid"].map((fn) => ({
        name: fn,
        op: "pointwise",
        fn,
        inputs: ["input"],
      })),
    };
    await expectNoLeak(async () => {
      // Channels: positive once, never (a zero too), beyond 6, never.
      const x = tensor4d([1, 0, 9, -1, -1, -2, 7, -3], [1, 1, 2, 4]);
      const { activations } = await inspectNetwork(rectifiers, stateless, x);
      expect(activations.map(({ layer, dead }) => [layer, dead])).toEqual([
        ["relu", [1, 3]],
        ["relu6", [1, 3]],
        ["sigmoid", undefined],
      ]);
      x.dispose();
    });
  });

  test("a whole network, in training and for inference", async () => {
    await expectNoLeak(async () => {
      const resnet = network("resnet18", { inputSize: 33, width: 0.0625, classes: 3 });
      const weights = initNetwork(resnet);
      const x = closedFormImages(2, 33, 33, 3);
      const labels = tensor1d([0, 2], "int32");
      const training = await inspectNetwork(resnet, weights, x, { labels, mode: "training" });
      const inference = await inspectNetwork(resnet, weights, x, { labels });
      const normalized = (found: typeof training) =>
        found.activations.find(({ layer }) => layer === "layer1.0.bn1")!.histogram.std!;
      // Batch norm by the batch gives each channel variance 1; the running statistics of the start leave it as it is.
      expect(normalized(training)).toBeCloseTo(1, 2);
      expect(Math.abs(normalized(inference) - 1)).toBeGreaterThan(0.05);
      expect(training.gradients.length).toBe(training.weights.length);
      expect(training.activations).toHaveLength(resnet.layers.length);
      for (const tensor of [x, labels]) tensor.dispose();
      disposeParams(weights);
    });
  });
});

test("what is not there is refused", async () => {
  await useBackend("cpu");
  await expectNoLeak(async () => {
    const weights = stateByHand();
    const x = tensor4d([1, 2], [1, 1, 2, 1]);
    const labels = tensor1d([0, 1], "int32");
    const refuse = (options: object, message: string) =>
      expect(inspectNetwork(graph, weights, x, options)).rejects.toThrow(message);
    await refuse({ bins: 0 }, "inspectNetwork: bins: expected an integer in [1, 4096], got 0");
    await refuse(
      { mapLayers: ["pool"] },
      'inspectNetwork: mapLayers: expected layers of the graph, got "pool"',
    );
    await refuse({ mapImages: [1] }, "inspectNetwork: mapImages: expected integers in [0, 1), got 1");
    await refuse({ mapChannels: 0 }, "inspectNetwork: mapChannels: expected an integer, at least 1, got 0");
    await refuse(
      { mode: "eval" },
      'inspectNetwork: mode: expected one of "inference", "training", got "eval"',
    );
    await refuse({ labels }, "inspectNetwork: labels: expected [1], got [2]");
    const floats = tensor1d([0]);
    await refuse({ labels: floats }, "inspectNetwork: labels: expected int32, got float32");
    for (const tensor of [x, labels, floats]) tensor.dispose();
    disposeParams(weights);
    // Refused in the middle of a gradient, it would leave behind what tfjs-core keeps for it.
    const resnet = network("resnet18", { inputSize: 32, width: 0.0625, classes: 3 });
    const state18 = initNetwork(resnet);
    const one = closedFormImages(1, 32, 32, 3);
    const label = tensor1d([0], "int32");
    await expect(inspectNetwork(resnet, state18, one, { labels: label, mode: "training" })).rejects.toThrow(
      "expected more than one value per channel in a batch, got 1",
    );
    for (const tensor of [one, label]) tensor.dispose();
    disposeParams(state18);
  });
});
