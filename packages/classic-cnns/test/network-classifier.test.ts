import { disposeParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { dispose, grad, max, memory, ones, type Rank, type Tensor4D, tidy } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { applyNetwork, initNetwork, network, networkClassifier } from "../src/index.js";
import { stateless, useBackend } from "./tensors.js";

const graph = network("resnet18", { inputSize: 32, channels: 1, classes: 7, width: 0.0625 });

test("a classifier has the logits of the network in inference, their gradient, and owns nothing", async () => {
  await useBackend("wasm");
  const state = initNetwork(graph);
  const x = ones<Rank.R4>([2, 32, 32, 1]);
  const before = memory().numTensors;
  const classifier = networkClassifier(graph, state, { bounds: [-1, 1] });
  expect(classifier).toMatchObject({ bounds: [-1, 1], classes: 7 });
  const got = classifier.logits(x);
  const expected = applyNetwork(graph, state, x);
  expect(got.shape).toEqual([2, 7]);
  expect(await got.data()).toEqual(await expected.data());
  const slope = grad((image) => max(classifier.logits(image as Tensor4D)))(x);
  expect((await slope.data()).some((value) => value !== 0)).toBe(true);
  dispose([got, expected, slope]);
  expect(memory().numTensors).toBe(before);
  disposeParams(state);
  x.dispose();
});

test("the graph is looked at once for each size of images, and other sizes are computed as they are", async () => {
  await useBackend("cpu");
  let looks = 0;
  const counted: LayerGraph = {
    input: graph.input,
    get layers() {
      looks++;
      return graph.layers;
    },
  };
  const state = initNetwork(graph);
  const classifier = networkClassifier(counted, state);
  const logits = (size: number) => tidy(() => classifier.logits(ones<Rank.R4>([1, size, size, 1])).shape);
  const first = [logits(32), looks] as const;
  expect([logits(32), looks]).toEqual(first);
  logits(40);
  const second = looks;
  expect(second).toBeGreaterThan(first[1]);
  for (const size of [32, 40, 32]) expect(logits(size)).toEqual([1, 7]);
  expect(looks).toBe(second);
  const grey = ones<Rank.R4>([1, 32, 32, 2]);
  expect(() => classifier.logits(grey)).toThrow(
    "networkClassifier.logits: x: expected [batch, height, width, 1], got [1, 32, 32, 2]",
  );
  grey.dispose();
  disposeParams(state);
});

test("a network without logits and bounds without room are refused", () => {
  const map = { ...graph, layers: graph.layers.slice(0, 4) };
  expect(() => networkClassifier(map, stateless)).toThrow(
    "networkClassifier: graph: expected logits at its end, got a map of [4, 8, 8] (channels, height, width)",
  );
  expect(() => networkClassifier(graph, stateless, { bounds: [1, 1] })).toThrow(
    "networkClassifier: bounds: expected [lowest, highest], got [1,1]",
  );
});
