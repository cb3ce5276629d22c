import { crossEntropy, disposeParams, disposeTraining, flattenParams, mapParams } from "@gradlab/core";
import type { LayerGraph } from "@gradlab/receptive-field";
import { tensor1d, tidy, type Variable, variableGrads, zerosLike } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import {
  applyNetwork,
  initNetwork,
  type NetworkState,
  network,
  startNetworkTraining,
  trainNetwork,
} from "../src/index.js";
import { closedFormImages } from "./closed-form-weights.js";
import { expectNoLeak, useBackend } from "./tensors.js";

/*
 * What happens to small-cnn when its weights start at zero.
 */

beforeAll(() => useBackend("wasm"));

const relus = network("small-cnn");

const withSigmoid: LayerGraph = {
  ...relus,
  layers: relus.layers.map((layer) => (layer.op === "pointwise" ? { ...layer, fn: "sigmoid" } : layer)),
};

const withoutLastRelu: LayerGraph = { ...relus, layers: relus.layers.slice(0, -1) };

/** Biases as PyTorch draws them, or zeros; every kernel zero. */
function zeroWeights(graph: LayerGraph, biases: "torch" | "zero"): NetworkState {
  const drawn = initNetwork(graph, { scheme: biases === "torch" ? "torch" : "xavier-uniform" });
  const state = mapParams(drawn, (tensor, path) =>
    path.endsWith(".kernel") ? zerosLike(tensor) : tensor.clone(),
  );
  disposeParams(drawn);
  return state;
}

const labels = () => tensor1d([1, 4, 4, 0, 9, 4], "int32");

/** The parameters whose gradient is not exactly zero. */
async function moving(graph: LayerGraph, { params, statistics }: NetworkState): Promise<string[]> {
  const variables = mapParams(params, (tensor) => tensor.variable());
  const x = closedFormImages(6, 32, 32, 3);
  const y = labels();
  const { value, grads } = tidy(() =>
    variableGrads(
      () => crossEntropy(applyNetwork(graph, { params: variables, statistics }, x), y),
      flattenParams(variables).map(([, variable]) => variable as Variable),
    ),
  );
  const found: string[] = [];
  for (const [path, variable] of flattenParams(variables)) {
    const gradient = grads[(variable as Variable).name]!;
    if ((await gradient.data()).some((entry) => entry !== 0)) found.push(path);
    gradient.dispose();
  }
  for (const tensor of [value, x, y]) tensor.dispose();
  disposeParams(variables);
  return found;
}

test("random biases, zero weights: nothing before the last layer has a gradient, whatever the activation", async () => {
  await expectNoLeak(async () => {
    for (const graph of [relus, withSigmoid, withoutLastRelu]) {
      const state = zeroWeights(graph, "torch");
      expect(await moving(graph, state)).toEqual(["fc2.bias", "fc2.kernel"]);
      disposeParams(state);
    }
  });
});

test("zero biases too: only the last bias can move", async () => {
  const state = zeroWeights(withoutLastRelu, "zero");
  expect(await moving(withoutLastRelu, state)).toEqual(["fc2.bias"]);
  disposeParams(state);
});

test("zero biases and a ReLU at the end: nothing moves", async () => {
  const state = zeroWeights(relus, "zero");
  expect(await moving(relus, state)).toEqual([]);
  disposeParams(state);
});

test("with sigmoids the layers wake one by one, from the last backwards, one a step", async () => {
  await expectNoLeak(async () => {
    const state = zeroWeights(withSigmoid, "zero");
    const training = startNetworkTraining(withSigmoid, state, { name: "sgd", learningRate: 1 });
    const batch = () => ({ images: closedFormImages(6, 32, 32, 3), labels: labels() });
    const awake: string[][] = [];
    const kernels = async () => {
      const paths = await moving(withSigmoid, training.state);
      return paths.filter((path) => path.endsWith(".kernel")).map((path) => path.replace(".kernel", ""));
    };
    awake.push(await kernels());
    for await (const _ of trainNetwork(withSigmoid, training, { batch, steps: 5 }))
      awake.push(await kernels());
    const order = ["fc2", "fc1", "conv3", "conv2", "conv1"];
    const expected = awake.map((_, step) => order.slice(0, step + 1).sort());
    expect(awake).toEqual(expected);
    disposeTraining(training);
    disposeParams(state);
  });
});
