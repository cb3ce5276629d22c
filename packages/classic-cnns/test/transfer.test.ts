import { disposeParams, disposeTraining, flattenParams } from "@gradlab/core";
import { batchesOf, type Dataset, generateShapes, inOrder } from "@gradlab/datasets";
import type { LayerGraph } from "@gradlab/receptive-field";
import { keep, sub, type Tensor } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import {
  applyNetwork,
  evaluateNetwork,
  headOf,
  initNetwork,
  type NetworkState,
  network,
  networkNames,
  networkUpTo,
  startNetworkTraining,
  trainNetwork,
} from "../src/index.js";
import { closedFormImages, closedFormWeights } from "./closed-form-weights.js";
import { expectNoLeak, numbers, useBackend } from "./tensors.js";

beforeAll(() => useBackend("wasm"));

const narrow = { inputSize: 32, channels: 1, width: 0.125 } as const;
const donor = network("resnet18", { ...narrow, classes: 7 });
const own = network("resnet18", { ...narrow, classes: 3 });

/** Which tensors of two states differ, by path. */
async function differing(a: NetworkState, b: NetworkState): Promise<string[]> {
  const found: string[] = [];
  const others = new Map(flattenParams(b));
  for (const [path, tensor] of flattenParams(a)) {
    const [left, right] = [await tensor.data(), await others.get(path)!.data()];
    if (left.length !== right.length || left.some((value, i) => value !== right[i])) found.push(path);
  }
  return found;
}

const shapes = (first: number, count: number): Dataset =>
  generateShapes({ first, count, size: 32, classes: 3, noise: 0 });

async function train(
  state: NetworkState,
  steps: number,
  options: Parameters<typeof startNetworkTraining>[3] = {},
  rates?: (path: string) => number,
) {
  const training = startNetworkTraining(own, state, { name: "sgd", learningRate: 0.05 }, options);
  const batch = batchesOf(shapes(0, 40), { size: 8 });
  for await (const _ of trainNetwork(own, training, { batch, steps, ...(rates && { rates }) }));
  return training;
}

test("another head on given weights: all but the head is taken, the head is drawn by the seed", async () => {
  await expectNoLeak(async () => {
    const given = closedFormWeights(donor);
    const state = initNetwork(own, { from: given, fresh: [headOf(own)], seed: 5 });
    const drawn = initNetwork(own, { seed: 5 });
    expect(await differing(state, given)).toEqual(["params.fc.bias", "params.fc.kernel"]);
    const taken = await differing(state, drawn);
    expect(taken).toHaveLength(flattenParams(state).length - 2); // bias and kernel of the head are drawn
    expect(taken.filter((path) => path.startsWith("params.fc."))).toEqual([]);
    disposeParams(given);
    // Copies: nothing is left of the donor.
    expect((await differing(state, state)).length).toBe(0);
    disposeParams(state);
    disposeParams(drawn);
  });
});

test("what does not fit the given weights is refused by path, and nothing is left behind", async () => {
  const given = closedFormWeights(donor);
  await expectNoLeak(() => {
    expect(() => initNetwork(own, { from: given })).toThrow(
      "initNetwork: from: params: fc.kernel: expected [64, 3], got [64, 7]",
    );
    expect(() => initNetwork(own, { from: { ...given, statistics: {} }, fresh: ["fc"] })).toThrow(
      "initNetwork: from: statistics: bn1.mean: expected a tensor [8], got none",
    );
    expect(() => initNetwork(own, { from: given, fresh: ["fc8"] })).toThrow(
      'initNetwork: fresh: expected names of layers of the graph, got "fc8"',
    );
  });
  disposeParams(given);
});

test("the head of every network is its last layer with a kernel, whose outputs are the classes", () => {
  const heads = networkNames.map((name) => [name, headOf(network(name, { classes: 4 }))]);
  expect(Object.fromEntries(heads)).toMatchObject({
    lenet: "fc3",
    alexnet: "fc8",
    "alexnet-227": "fc8-conv",
    "vgg16-bn": "fc8",
    resnet50: "fc",
    densenet121: "classifier",
    "mobilenet-v2": "classifier.1",
    "small-cnn": "fc2",
  });
  for (const [name, head] of heads) {
    const layer = network(name as (typeof networkNames)[number], { classes: 4 }).layers.find(
      (one) => one.name === head,
    );
    expect([name, layer!.op === "dense" ? layer.units : layer!.op === "conv" && layer.filters]).toEqual([
      name,
      4,
    ]);
  }
  const pools: LayerGraph = {
    input: { shape: [4, 4], channels: 1 },
    layers: [{ name: "p", op: "pool", mode: "max", kernel: 2 }],
  };
  expect(() => headOf(pools)).toThrow("headOf: graph: expected a layer with a kernel, got none");
});

test("with the rest frozen only the head moves, batch norms keep their running statistics and use them", async () => {
  await expectNoLeak(async () => {
    const state = initNetwork(own, { seed: 1 });
    const training = await train(state, 3, { trainable: (path) => path.startsWith("params.fc.") });
    expect(await differing(training.state, state)).toEqual(["params.fc.bias", "params.fc.kernel"]);
    disposeTraining(training);
    // The loss of a frozen network in training is that of inference; with batch statistics it would be another.
    const [frozen, moving] = [
      startNetworkTraining(
        own,
        state,
        { name: "sgd", learningRate: 0 },
        {
          trainable: (path) => path.startsWith("params.fc."),
        },
      ),
      startNetworkTraining(own, state, { name: "sgd", learningRate: 0 }),
    ];
    const data = shapes(0, 8);
    const options = { batch: batchesOf(data, { size: 8, shuffle: false }), steps: 1 };
    const { loss } = await evaluateNetwork(own, state, { batch: inOrder(data) });
    for await (const step of trainNetwork(own, frozen, options)) expect(step.loss).toBeCloseTo(loss, 5);
    for await (const step of trainNetwork(own, moving, options)) {
      expect(Math.abs(step.loss - loss)).toBeGreaterThan(1e-3);
    }
    expect((await differing(moving.state, state)).every((path) => path.startsWith("statistics."))).toBe(true);
    for (const one of [frozen, moving]) disposeTraining(one);
    disposeParams(state);
  });
});

test("a frozen network trains on a single image, one value per channel, which batch statistics refuse", async () => {
  await expectNoLeak(async () => {
    const state = initNetwork(own);
    const batch = () => inOrder(shapes(0, 1))(0);
    const sgd = { name: "sgd", learningRate: 0.1 } as const;
    const free = startNetworkTraining(own, state, sgd);
    await expect(trainNetwork(own, free, { batch }).next()).rejects.toThrow(
      'trainNetwork: layer "layer4.0.bn1": expected more than one value per channel in a batch, got 1',
    );
    const frozen = startNetworkTraining(own, state, sgd, { trainable: (path) => path === "params.fc.bias" });
    expect((await trainNetwork(own, frozen, { batch }).next()).value).toMatchObject({ step: 1 });
    for (const training of [free, frozen]) disposeTraining(training);
    disposeParams(state);
  });
});

test("the rest with a tenth of the rate moves a tenth as far, the head as before", async () => {
  await expectNoLeak(async () => {
    const state = initNetwork(own, { seed: 2 });
    const whole = await train(state, 1);
    const slow = await train(state, 1, {}, (path) => (path.startsWith("params.fc.") ? 1 : 0.1));
    const moved = async (training: typeof whole, path: string) => {
      const find = (from: NetworkState) => new Map(flattenParams(from)).get(path)!;
      return numbers(sub(find(training.state), find(state)));
    };
    expect(await moved(slow, "params.fc.kernel")).toEqual(await moved(whole, "params.fc.kernel"));
    const [full, tenth] = [
      await moved(whole, "params.conv1.kernel"),
      await moved(slow, "params.conv1.kernel"),
    ];
    const largest = Math.max(...full.map(Math.abs));
    expect(largest).toBeGreaterThan(1e-4);
    // The weights, of size 0.2, are stored with 2^-25 of it, before and after.
    for (const [i, step] of tenth.entries()) expect(Math.abs(step - full[i]! / 10)).toBeLessThan(5e-8);
    for (const training of [whole, slow]) disposeTraining(training);
    disposeParams(state);
  });
});

// What a network of two branches gives at a layer in the middle: that layer, and nothing that does not lead to it.
test.each([
  ["resnet18", "layer2.0.downsample.1", ["layer2.0.conv1", "fc"]],
  ["googlenet", "inception3b.branch2.1.bn", ["inception3b.branch1.conv", "fc"]],
  ["densenet121", "features.denseblock2.denselayer3.concat", ["features.norm5", "classifier"]],
  ["squeezenet1-1", "features.6.expand3x3", ["features.6.expand1x1"]],
] as const)(
  "%s: the output of %s is that which the whole network passes on",
  async (name, layer, without) => {
    await expectNoLeak(async () => {
      const graph = network(name, { inputSize: 64, classes: 5, width: 0.25 });
      const state = closedFormWeights(graph);
      const x = closedFormImages(2, 64, 64, 3);
      let passed: Tensor | undefined;
      const logits = applyNetwork(graph, state, x, {
        onLayer: (one, value) => {
          if (one === layer) passed = keep(value.clone());
        },
      });
      const expected = await numbers(passed!);
      expect(await numbers(applyNetwork(graph, state, x, { layer }))).toEqual(expected);
      const seen: string[] = [];
      const cut = networkUpTo(graph, layer);
      const y = applyNetwork(cut, state, x, { onLayer: (one) => void seen.push(one) });
      expect(await numbers(y)).toEqual(expected);
      expect(seen.at(-1)).toBe(layer);
      for (const other of without) expect(seen).not.toContain(other);
      for (const tensor of [logits, x]) tensor.dispose();
      disposeParams(state);
    });
  },
);

test("a cut is a network of its own: initialized, with its own table, and a layer that is not there is refused", async () => {
  const cut = networkUpTo(donor, "avgpool");
  const state = initNetwork(cut);
  expect(flattenParams(state).some(([path]) => path.startsWith("params.fc."))).toBe(false);
  disposeParams(state);
  expect(networkUpTo(donor, donor.layers.at(-1)!.name).layers).toHaveLength(donor.layers.length);
  expect(() => networkUpTo(donor, "avg")).toThrow(
    'networkUpTo: layer: expected a layer of the graph, got "avg"',
  );
  const x = closedFormImages(1, 32, 32, 1);
  expect(() => applyNetwork(donor, { params: {}, statistics: {} }, x, { layer: "avg" })).toThrow(
    'applyNetwork: layer: expected a layer of the graph, got "avg"',
  );
  x.dispose();
});

test("a head on features that are taken from given weights learns", async () => {
  await expectNoLeak(async () => {
    const state = initNetwork(own, { scheme: "he-normal", seed: 3 });
    const training = startNetworkTraining(
      own,
      state,
      { name: "adam", learningRate: 0.02 },
      {
        trainable: (path) => path.startsWith("params.fc."),
      },
    );
    const data = shapes(0, 60);
    const before = await evaluateNetwork(own, training.state, { batch: inOrder(data) });
    const batch = batchesOf(data, { size: 20 });
    for await (const _ of trainNetwork(own, training, { batch, steps: 60 }));
    const after = await evaluateNetwork(own, training.state, { batch: inOrder(data) });
    expect(after.loss).toBeLessThan(0.7 * before.loss);
    disposeTraining(training);
    disposeParams(state);
  });
});
