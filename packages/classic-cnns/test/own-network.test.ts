import { readFileSync } from "node:fs";
import { installGradients } from "@gradlab/core";
import { type Layer, type LayerGraph, networkText, parseNetwork } from "@gradlab/receptive-field";
import { grad, memory, sum, type Tensor4D, tensor4d } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { applyNetwork, initNetwork, network, networkNames, ownNetwork, summary } from "../src/index.js";
import { useBackend } from "./tensors.js";

const lenetText = (fn: string, pool: string) =>
  `conv1 5 p2 f6, ${fn}, ${pool}1 2/2, conv2 5 f16, ${fn}, ${pool}2 2/2, flatten, fc1 dense 120, ${fn}, fc2 dense 84, ${fn}, fc3 dense`;

const mnist = { inputSize: 28, channels: 1, classes: 10 };

test("LeNet in the notation is lenet: the same table to the last parameter, the same first weights", async () => {
  await useBackend("cpu");
  for (const [name, fn, pool] of [
    ["lenet", "sigmoid", "avgpool"],
    ["lenet-relu", "relu", "pool"],
  ] as const) {
    const own = ownNetwork(parseNetwork(lenetText(fn, pool)), mnist);
    const table = ({ layers, ...totals }: ReturnType<typeof summary>) => ({
      ...totals,
      layers: layers.map(({ name: _, ...row }) => row),
    });
    expect(table(summary(own))).toEqual(table(summary(network(name))));
    expect(summary(own).params).toBe(61_706);
    const [a, b] = [initNetwork(own, { seed: 3 }), initNetwork(network(name), { seed: 3 })];
    const x = tensor4d(
      Float32Array.from({ length: 784 }, (_, i) => (i % 17) / 17),
      [1, 28, 28, 1],
    );
    expect(await applyNetwork(own, a, x).data()).toEqual(await applyNetwork(network(name), b, x).data());
  }
});

test("every classic network goes through the notation and comes out with its table", () => {
  for (const name of networkNames) {
    const graph = network(name);
    const { shape, channels } = graph.input;
    const inputSize = shape as [number, number];
    const again = ownNetwork(parseNetwork(networkText(graph)), {
      inputSize,
      channels: channels!,
      classes: summary(graph).layers.at(-1)!.outputShape[0]!,
    });
    expect(summary(again)).toEqual(summary(graph));
  }
});

test("a graph that says its input and its classes needs no options, and is left as it is", () => {
  const graph: LayerGraph = {
    input: { shape: [4, 6], channels: 2 },
    layers: [{ name: "f", op: "flatten" }, { name: "d", op: "dense", units: 3 }],
  }; // biome-ignore format: short
  const before = structuredClone(graph);
  expect(ownNetwork(graph)).toEqual(graph);
  const open = parseNetwork("f flatten, d dense");
  expect(ownNetwork(open, { inputSize: [4, 6], channels: 2, classes: 3 })).toEqual(graph);
  expect(graph).toEqual(before);
  expect(open.layers[1]).toEqual({ name: "d", op: "dense" });
});

test("tanh is computed, with its gradient", async () => {
  await useBackend("cpu");
  installGradients();
  const net = ownNetwork(parseNetwork("tanh, flatten"), { inputSize: [1, 3], channels: 1, classes: 3 });
  const x = tensor4d([-1.5, 0, 0.25], [1, 1, 3, 1]);
  const state = initNetwork(net);
  const before = memory().numTensors;
  const y = applyNetwork(net, state, x);
  const g = grad((input) => sum(applyNetwork(net, state, input as Tensor4D)))(x);
  const [values, slopes] = [await y.data(), await g.data()];
  y.dispose();
  g.dispose();
  expect(memory().numTensors).toBe(before);
  for (const [i, at] of [-1.5, 0, 0.25].entries()) {
    // Single precision: a few units of 2⁻²⁴.
    expect(Math.abs(values[i]! - Math.tanh(at))).toBeLessThan(3e-7);
    expect(Math.abs(slopes[i]! - (1 - Math.tanh(at) ** 2))).toBeLessThan(3e-7);
  }
});

const refused: [text: string, message: string][] = [
  ["conv1 5, flatten, dense", 'layer "conv1": filters: expected an integer, at least 1, got undefined'],
  ["conv1 5 f4, flatten, dense, relu, dense", 'layer "dense1": units: expected an integer, at least 1, got undefined'],
  ["conv1 5 f4, fc dense 10", 'layer "fc": inputs: expected a flattened input, got a map of [4, 24, 24] (channels, height, width)'],
  ["conv1 31 f4, flatten, dense", 'layer "conv1": its output would be empty'],
  ["conv1 5 f4, pool1 20/20, conv2 3 f4, flatten, dense", 'layer "conv2": its output would be empty'],
  ["conv1 5 f4, flatten, dense 12", 'layer "dense1": expected 10 outputs, one for each class, got 12'],
  ["conv1 5 f10", 'layer "conv1": expected one number for each class at the end, got a map of [10, 24, 24] (channels, height, width)'],
  ["conv1 5 f4, side 3 f2 from input, flatten from conv1, dense", 'layer "side": expected a layer that reads it, got none'],
  ["conv1 5 f4 g2, flatten, dense", 'layer "conv1": groups: expected a divisor of 1 channels and 4 filters, got 2'],
  ["up1 up 2, flatten, dense", 'layer "up1": op: expected one of conv, pool'],
  ["1d: conv1 5 f4, flatten, dense", "inputSize: expected a size for each axis of the graph, got 28"],
  ["conv1 5 f4 from conv3, flatten, dense", 'layer "conv1": inputs: expected names of layers or "input"'],
]; // biome-ignore format: a table

test.each(refused)("%s is refused by layer", (text, message) => {
  expect(() => ownNetwork(parseNetwork(text), mnist)).toThrow(`ownNetwork: ${message}`);
});

test("what is no graph, and sizes that are not known, are refused", () => {
  const open = parseNetwork("flatten, dense");
  expect(() => ownNetwork(open, { channels: 1, classes: 2 })).toThrow("ownNetwork: inputSize: expected [height, width]");
  expect(() => ownNetwork(open, { inputSize: 4, classes: 2 })).toThrow("ownNetwork: graph.input.channels: expected a");
  expect(() => ownNetwork(open, { inputSize: 4, channels: 1, classes: 0 })).toThrow("ownNetwork: classes: expected");
  for (const graph of [null, {}, { input: {}, layers: [] }, { input: { shape: [2, 2] }, layers: "x" }]) {
    expect(() => ownNetwork(graph as unknown as LayerGraph, mnist)).toThrow(/^ownNetwork: /);
  }
  const layers = [{ name: "a", op: "flatten" }, { name: "a", op: "flatten" }] as Layer[];
  expect(() => ownNetwork({ input: { shape: [null, null] }, layers }, mnist)).toThrow("expected a name used once");
}); // biome-ignore format: short

test("the networks that the READMEs show have the parameters that they say", () => {
  const read = (name: string) => readFileSync(new URL(`../../${name}/README.md`, import.meta.url), "utf8");
  const [, lenet] = /and `(conv1 [^`]*)` is a whole LeNet/.exec(read("receptive-field"))!;
  expect(summary(ownNetwork(parseNetwork(lenet!), mnist)).params).toBe(summary(network("lenet")).params);
  const [, text, params] = /parseNetwork\(\s*"([^"]*)",?\s*\);[\s\S]*?params; \/\/ ([\d,]+)/.exec(
    read("classic-cnns"),
  )!;
  expect(summary(ownNetwork(parseNetwork(text!), mnist)).params.toLocaleString("en-US")).toBe(params);
});

/** Every place in a value, as the keys that lead there. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const changed = (inner: unknown) => replaced(inner, rest, by);
  if (Array.isArray(value)) return value.map((inner, i) => (`${i}` === key ? changed(inner) : inner));
  const inner = (value as Record<string, unknown>)[key];
  return { ...(value as object), [key]: changed(inner) };
}

test("a graph with odd values anywhere is a network or an error that begins with the function", () => {
  const graph = network("lenet-relu");
  const odd = fc.constantFrom<unknown>(
    null, undefined, -1, 0, 0.5, 7, 1e9, Number.NaN, "", "conv", "same", "input", true, [], [0], [[1, 2], 3], {}, ["conv1"],
  ); // biome-ignore format: a row
  const places = placesIn(graph);
  let made = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...places), odd), { minLength: 1, maxLength: 2 }),
      (changes) => {
        const changed = changes.reduce<unknown>((value, [path, by]) => {
          try {
            return replaced(value, path, by);
          } catch {
            return value; // the place went away with the change before
          }
        }, graph);
        try {
          const own = ownNetwork(changed as LayerGraph, mnist);
          expect(summary(own).layers.at(-1)!.outputShape).toEqual([10]);
          made++;
        } catch (error) {
          if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
          expect(error.message).toMatch(/^ownNetwork: /);
        }
      },
    ),
    { numRuns: 1500 },
  );
  expect(made).toBeGreaterThan(50);
});
