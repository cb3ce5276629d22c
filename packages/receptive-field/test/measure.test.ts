import "@tensorflow/tfjs-backend-cpu";
import * as core from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients of tfjs-core
import * as fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  executeGraph,
  executePlan,
  type LayerGraph,
  parseNetwork,
  planGraph,
  receptiveField,
} from "../src/index.js";
import { effectiveField, measureField, positiveOps } from "../src/measure.js";
import { product } from "./brute-force.js";
import { randomGraph } from "./random-graph.js";

// tfjs's own flag for runs under test: without it the cpu backend advertises another backend on the console.
core.env().set("IS_TEST", true);

beforeAll(async () => {
  await core.setBackend("cpu");
});

const sized = (text: string, ...shape: number[]): LayerGraph => ({ ...parseNetwork(text), input: { shape } });

/** Resizing by a factor that leaves a fraction of a unit over is not what tfjs does. */
const wholeScales = (graph: LayerGraph): boolean =>
  receptiveField(graph).layers.every((_, i, rows) => {
    const layer = graph.layers[i]!;
    if (layer.op !== "resize" || layer.coordinates === "align-corners") return true;
    const from = layer.inputs![0]!;
    const before = from === "input" ? graph.input.shape : rows.find(({ name }) => name === from)!.n;
    return before.every((n) => Number.isInteger(n! * (layer.scale as number)));
  });

async function agreesWithGradients(graph: LayerGraph): Promise<void> {
  fc.pre(wholeScales(graph));
  const field = receptiveField(graph);
  const before = core.memory().numTensors;
  for (const { name, n } of field.layers.slice(-3)) {
    const index = n.map((count) => Math.floor(count! / 2));
    const { contributing, pixels, gradient } = await measureField(graph, name, index);
    const expected = new Set<string>();
    for (const { axes } of field.pixelsOf(name, index)) {
      const lists = axes.map((runs) =>
        runs.flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i)),
      );
      for (const pixel of product(lists)) expected.add(pixel.join());
    }
    const shape = graph.input.shape.map(Number);
    const most = gradient.reduce((a, b) => Math.max(a, b), 0);
    const measured = product(shape.map((size) => Array.from({ length: size }, (_, i) => i))).filter(
      (_, at) => gradient[at]! > 1e-6 * most,
    );
    expect([name, measured.map((pixel) => pixel.join())]).toEqual([
      name,
      measured.map((pixel) => pixel.join()).filter((pixel) => expected.has(pixel)),
    ]);
    expect([name, contributing]).toEqual([name, expected.size]);
    expect(pixels.every((range) => range === null)).toBe(expected.size === 0);
  }
  expect(core.memory().numTensors).toBe(before);
}

test("in 1-D, the pixels with a gradient are the ones that the arithmetic names, for random graphs", async () => {
  await fc.assert(fc.asyncProperty(randomGraph(1, 20), agreesWithGradients), { numRuns: 150 });
}, 60_000);

test("in 2-D, the pixels with a gradient are the ones that the arithmetic names, for random graphs", async () => {
  await fc.assert(fc.asyncProperty(randomGraph(2, 8), agreesWithGradients), { numRuns: 80 });
}, 60_000);

test("measured fields have the size and the place that the table states", async () => {
  const graph = sized("conv1 5/2 p2, pool1 3/2, conv2 3/1 p1 d2", 41, 33);
  const row = receptiveField(graph).layers.at(-1)!;
  const { pixels } = await measureField(graph, "conv2", [4, 3]);
  pixels.forEach((range, axis) => {
    const center = row.start[axis]! + row.jump[axis]! * [4, 3][axis]!;
    const half = (row.size[axis]! - 1) / 2;
    expect(range).toEqual([
      Math.max(center - half, 0),
      Math.min(center + half, graph.input.shape[axis]! - 1),
    ]);
  });
});

test("a graph computes what tfjs computes: padding made explicit, branches added", () => {
  core.tidy(() => {
    const graph = sized("conv1 3/2 same, pool1 2/2 max ceil from input, sum = conv1 + pool1", 7, 7);
    const x = core.randomUniform([7, 7], -1, 1, "float32", 3);
    const filter = core.randomUniform([3, 3, 1, 1], -1, 1, "float32", 4) as core.Tensor4D;
    const image = (y: core.Tensor): core.Tensor4D => core.expandDims(core.expandDims(y, 0), -1);
    const pads = (padding: readonly (readonly [number, number])[]) =>
      [[0, 0], ...padding, [0, 0]] as [number, number][];
    const y = executeGraph<core.Tensor>(graph, x, {
      conv: ([input], { stride, padding }) =>
        core.squeeze(
          core.conv2d(
            core.pad(image(input!), pads(padding)) as core.Tensor4D,
            filter,
            stride as [number, number],
            "valid",
          ),
          [0, 3],
        ),
      pool: ([input], { kernel, stride, padding }) =>
        core.squeeze(
          core.maxPool(
            core.pad(image(input!), pads(padding), -9) as core.Tensor4D,
            kernel as [number, number],
            stride as [number, number],
            "valid",
          ),
          [0, 3],
        ),
      add: ([a, b]) => core.add(a!, b!),
    });
    const expected = core.add(core.conv2d(image(x), filter, 2, "same"), core.maxPool(image(x), 2, 2, "same"));
    const difference = core.max(core.abs(core.sub(core.squeeze(expected, [0, 3]), y)));
    expect(y.shape).toEqual([4, 4]);
    expect(difference.dataSync()[0]).toBe(0);
  });
});

test("values are released once nothing reads them any more, the result never", () => {
  const graph = sized("a 3/1 p1, b 3/1 p1, c 3/1 p1 from a, d = b + c, e 1/1", 5, 5);
  const alive = new Set<string>();
  const most: number[] = [];
  const make = (_: readonly string[], { layer }: { layer: { name: string } }) => {
    alive.add(layer.name);
    most.push(alive.size);
    return layer.name;
  };
  const result = executeGraph<string>(
    graph,
    "x",
    { conv: make, add: make },
    { release: (name) => void alive.delete(name) },
  );
  expect([result, [...alive]]).toEqual(["e", ["e"]]);
  expect(most).toEqual([1, 2, 3, 3, 2]);
});

test("an op without a function, an unknown size and a unit that does not exist are errors", async () => {
  const graph = sized("conv1 3/1", 8, 8);
  expect(() => executeGraph(graph, 0, {})).toThrow(
    'executeGraph: layer "conv1": ops: expected a function for conv, got none',
  );
  expect(() => executeGraph(parseNetwork("conv1 3/1"), 0, {})).toThrow(
    "executeGraph: inputSize: expected 2 sizes, got [null,null]",
  );
  await expect(measureField(graph, "conv2", [0, 0])).rejects.toThrow(
    'measureField: layer: expected a layer of the graph, got "conv2"',
  );
  await expect(measureField(graph, "conv1", [6, 0])).rejects.toThrow(
    "measureField: index: expected a unit of [6,6], got [6,0]",
  );
});

/** A linear stack of 3x3 averages on images of one channel. */
const stack = (depth: number) => (x: core.Tensor4D) => {
  const filter = core.fill([3, 3, 1, 1], 1 / 9) as core.Tensor4D;
  let y = x;
  for (let layer = 0; layer < depth; layer++) y = core.conv2d(y, filter, 1, "same");
  return y;
};

test("the effective field of n uniform 3x3 layers has the variance 2n/3 of n random steps", async () => {
  const images = [core.ones([1, 41, 41, 1]) as core.Tensor4D];
  const before = core.memory().numTensors;
  const { rows, center, contours, reached } = await effectiveField(stack(8), images);
  expect(core.memory().numTensors).toBe(before);
  core.dispose(images);
  expect(center).toEqual([20, 20].map((at) => expect.closeTo(at, 4)));
  expect(reached).toBe(17 * 17); // 1 + 2 · 8
  const marginal = rows.map((row) => row.reduce((sum, value) => sum + value, 0));
  const variance = marginal.reduce((sum, mass, y) => sum + mass * (y - 20) ** 2, 0);
  expect(variance).toBeCloseTo((8 * 2) / 3, 4);
  // The square of half the mass is far smaller than the theoretical field.
  const [, , half, nearly] = contours;
  expect(half).toMatchObject({ mass: 0.5, side: 5 });
  expect(nearly!.side).toBeLessThan(17);
  expect(half!.area).toBeCloseTo(25 / 1681, 10);
});

/** The response of one channel per entry: `weight` times the pixel at `[y, x]`, for the one unit there is. */
const picks = (...entries: readonly (readonly [weight: number, y: number, x: number])[]) => {
  const taps = core.buffer([3, 3, 1, entries.length]);
  for (const [channel, [weight, y, x]] of entries.entries()) taps.set(weight, y, x, 0, channel);
  const filter = taps.toTensor() as core.Tensor4D;
  return (image: core.Tensor4D) => core.conv2d(image, filter, 1, "valid");
};

test("what a channel says below zero is not counted, and opposite signs do not hide a pixel", async () => {
  const image = core.ones([1, 3, 3, 1]) as core.Tensor4D;
  // Channel 1 is negative: the ReLU lets none of it pass.
  const field = await effectiveField(picks([1, 0, 0], [-5, 2, 2], [3, 1, 2]), [image]);
  expect(field.rows.map((row) => [...row])).toEqual([
    [0.25, 0, 0],
    [0, 0, 0.75],
    [0, 0, 0],
  ]);
  expect(field.reached).toBe(2);
  expect(field.center).toEqual([0.75, 1.5]);
  // Batches add up; the derivative is taken as it is in each.
  const negated = core.neg(image) as core.Tensor4D;
  const both = await effectiveField(picks([1, 0, 0], [-3, 2, 2]), [image, negated]);
  expect(both.rows.map((row) => [...row])).toEqual([
    [0.25, 0, 0],
    [0, 0, 0],
    [0, 0, 0.75],
  ]);
  core.dispose([image, negated]);
});

test("images of an effective field have one height and one width", async () => {
  const [image, taller, wider] = [
    core.ones([1, 9, 9, 1]),
    core.ones([1, 11, 9, 1]),
    core.ones([1, 9, 11, 1]),
  ] as core.Tensor4D[];
  for (const [other, size] of [
    [taller!, "11 x 9"],
    [wider!, "9 x 11"],
  ] as const) {
    await expect(effectiveField(stack(1), [image!, other])).rejects.toThrow(
      `effectiveField: images: expected one size, got 9 x 9 and ${size}`,
    );
  }
  core.dispose([image!, taller!, wider!]);
});

test("squares of the effective field grow from the centre of its mass, the middle unit's unless another is asked for", async () => {
  const image = core.ones([1, 9, 9, 1]) as core.Tensor4D;
  const one = await effectiveField(stack(1), [image]);
  expect(one.center).toEqual([4, 4].map((at) => expect.closeTo(at, 5)));
  expect(one.contours.map(({ mass }) => mass)).toEqual([0.2, 0.3, 0.5, 0.99]);
  // Each of the nine pixels has 1/9 of the mass: one of them, or all.
  const shares = await effectiveField(stack(1), [image], { masses: [0, 0.11, 0.12, 1], unit: [2, 6] });
  expect(shares.center).toEqual([expect.closeTo(2, 5), expect.closeTo(6, 5)]);
  expect(shares.contours.map(({ side }) => side)).toEqual([1, 1, 3, 3]);
  expect(shares.contours[3]!.area).toBeCloseTo(9 / 81, 10);
  core.dispose(image);
});

test("a unit that no pixel moves, no image, and images of two sizes are errors", async () => {
  const image = (size: number) => core.ones([1, size, size, 1]) as core.Tensor4D;
  await expect(effectiveField(stack(1), [])).rejects.toThrow("images: expected at least one batch, got none");
  await expect(effectiveField((x) => core.mul(x, 0), [image(3)])).rejects.toThrow(
    "expected a unit that some pixel moves",
  );
  await expect(effectiveField(stack(1), [image(3), image(4)])).rejects.toThrow(
    "images: expected one size, got 3 x 3 and 4 x 4",
  );
  await expect(effectiveField(stack(1), [image(3)], { unit: [3, 0] })).rejects.toThrow(
    "unit: expected one of 3 x 3, got [3,0]",
  );
});

test("a plan is computed many times, and errors name the function that was called", () => {
  const graph = sized("a 3/1 p1, b 3/2 from a", 6, 5);
  const plan = planGraph(graph, { inputSize: [7, 9] });
  const sizes = {
    conv: (_: unknown, { outputSize }: { outputSize: readonly number[] }) => outputSize.join(),
  };
  expect([executePlan<string>(plan, "x", sizes), executePlan<string>(plan, "x", sizes)]).toEqual([
    "3,4",
    "3,4",
  ]);
  expect(() => planGraph(graph, { inputSize: [7] })).toThrow(
    "planGraph: inputSize: expected 2 sizes, got [7]",
  );
  expect(() => executeGraph(graph, 0, {}, { caller: "mine", inputSize: [2, 2] })).toThrow(
    'mine: layer "b": its output would be empty along y',
  );
  expect(() => executePlan(planGraph(graph, { caller: "mine" }), 0, {})).toThrow(
    'mine: layer "a": ops: expected a function for conv, got none',
  );
});

test("a scale that tfjs would resize differently is refused", async () => {
  const graph: LayerGraph = { input: { shape: [5] }, layers: [{ name: "up", op: "resize", scale: 1.5 }] };
  expect(() => core.tidy(() => executeGraph<core.Tensor>(graph, core.ones([5]), positiveOps))).toThrow(
    'executeGraph: layer "up": scale: expected one that gives a whole number of units from 5, got 1.5',
  );
  await expect(measureField(graph, "up", [0])).rejects.toThrow('measureField: layer "up": scale: expected');
});
