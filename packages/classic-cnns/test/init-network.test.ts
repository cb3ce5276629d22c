import { countParams, disposeParams, flattenParams } from "@gradlab/core";
import { beforeAll, expect, test } from "vitest";
import {
  type InitScheme,
  initNetwork,
  type NetworkName,
  type NetworkState,
  network,
  networkNames,
  summary,
} from "../src/index.js";
import { expectNoLeak, useBackend } from "./tensors.js";

beforeAll(() => useBackend("cpu"));

/** A width at which a network is small, its dense layers too. */
function narrow(name: NetworkName): number | number[] {
  if (name.startsWith("vgg") || name.startsWith("alexnet")) return [4, 4, 4, 4, 4, 8, 8];
  return name === "resnext50" ? 0.25 : 0.125;
}

test("every network has as many initial parameters as its table says, and its dots are levels", () => {
  for (const name of networkNames) {
    const graph = network(name, { classes: 10, width: narrow(name) });
    const state = initNetwork(graph);
    expect(countParams(state.params)).toBe(summary(graph).params);
    for (const [path] of flattenParams(state.params)) {
      const layer = graph.layers.find((one) => path.startsWith(`${one.name}.`));
      expect(path.slice(layer!.name.length + 1)).toMatch(/^(kernel|bias|scale|offset)$/);
    }
    disposeParams(state);
  }
});

test("paths and shapes: kernels are height, width, in / groups, out", () => {
  const state = initNetwork(network("resnext50", { classes: 10, width: 0.25 }));
  const shapes = Object.fromEntries(flattenParams(state.params).map(([path, { shape }]) => [path, shape]));
  expect(shapes["layer1.0.conv2.kernel"]).toEqual([3, 3, 1, 32]);
  expect(shapes["layer2.0.downsample.0.kernel"]).toEqual([1, 1, 64, 128]);
  expect(shapes["layer2.0.bn1.scale"]).toEqual([64]);
  expect(shapes["fc.kernel"]).toEqual([512, 10]);
  expect(shapes["fc.bias"]).toEqual([10]);
  disposeParams(state);
});

async function values(state: NetworkState, path: string): Promise<Float32Array> {
  const found = flattenParams(state).find(([name]) => name === path);
  return (await found![1].data()) as Float32Array;
}

// The standard deviation each scheme promises, for 7x7x3 -> 64: 5 % is 5 standard errors of that of 9408 numbers.
test.each<[InitScheme, number]>([
  ["xavier-uniform", Math.sqrt(2 / (49 * (3 + 64)))],
  ["xavier-normal", Math.sqrt(2 / (49 * (3 + 64)))],
  ["he-uniform", Math.sqrt(2 / (49 * 3))],
  ["he-normal", Math.sqrt(2 / (49 * 3))],
  ["torch", 1 / Math.sqrt(3 * 49 * 3)],
])("%s spreads a kernel by %d", async (scheme, std) => {
  await expectNoLeak(async () => {
    const state = initNetwork(network("resnet18", { classes: 10, width: [64, 4, 4, 8] }), { scheme });
    const kernel = await values(state, "params.conv1.kernel");
    const variance = kernel.reduce((sum, w) => sum + w * w, 0) / kernel.length;
    expect(Math.abs(Math.sqrt(variance) / std - 1)).toBeLessThan(0.05);
    expect(new Set(await values(state, "params.bn1.scale"))).toEqual(new Set([1]));
    expect(new Set(await values(state, "params.bn1.offset"))).toEqual(new Set([0]));
    const bias = await values(state, "params.fc.bias");
    if (scheme === "torch") {
      expect(bias.every((b) => b !== 0 && Math.abs(b) <= 1 / Math.sqrt(8))).toBe(true);
    } else expect(new Set(bias)).toEqual(new Set([0]));
    disposeParams(state);
  });
});

test("numbers go by seed, path and shape: another seed changes all, a longer network none before", async () => {
  const graph = network("vgg11", { width: [2, 2, 2, 2, 2, 4, 4], classes: 3 });
  const longer = network("vgg19", { width: [2, 2, 2, 2, 2, 4, 4], classes: 3 });
  const [a, again, b, deep] = [
    initNetwork(graph),
    initNetwork(graph, { seed: 0 }),
    initNetwork(graph, { seed: 1 }),
    initNetwork(longer),
  ];
  const kernel = "params.conv4-2.kernel";
  expect(await values(a, kernel)).toEqual(await values(again, kernel));
  expect(await values(a, kernel)).toEqual(await values(deep, kernel));
  expect(await values(a, kernel)).not.toEqual(await values(b, kernel));
  expect(await values(a, kernel)).not.toEqual(await values(a, "params.conv5-1.kernel"));
  for (const state of [a, again, b, deep]) disposeParams(state);
});

test("statistics start as those of the standard normal, and are none without batch norm", async () => {
  const lenet = initNetwork(network("lenet"));
  expect(lenet.statistics).toEqual({});
  const state = initNetwork(network("resnet18", { classes: 10 }));
  expect(flattenParams(state.statistics)).toHaveLength(40);
  expect(await values(state, "statistics.layer1.0.bn2.mean")).toEqual(new Float32Array(64));
  expect(await values(state, "statistics.layer1.0.bn2.variance")).toEqual(new Float32Array(64).fill(1));
  disposeParams(state);
  disposeParams(lenet);
});

test("options out of range are refused", () => {
  const graph = network("lenet");
  // @ts-expect-error no such scheme
  expect(() => initNetwork(graph, { scheme: "zeros" })).toThrow(
    `initNetwork: scheme: expected one of "xavier-uniform", "xavier-normal", "he-uniform", "he-normal", "torch", got "zeros"`,
  );
  expect(() => initNetwork(graph, { seed: -1 })).toThrow(
    "initNetwork: seed: expected an integer, at least 0, got -1",
  );
});
