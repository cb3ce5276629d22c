import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type LayerGraph, parseNetwork, receptiveField } from "../src/index.js";
import { randomGraph } from "./random-graph.js";

const withoutSize = (graph: LayerGraph): LayerGraph => ({
  ...graph,
  input: { shape: graph.input.shape.map(() => null) },
});

test("the table of remainders says what every input size gives", () => {
  fc.assert(
    fc.property(randomGraph(1, 16), fc.integer({ min: 60, max: 140 }), (graph, inputSize) => {
      const local = graph.layers.every(
        ({ op }) => op !== "adaptive-pool" && op !== "global-pool" && op !== "dense",
      );
      const scaled = graph.layers.every(
        (layer) => layer.op !== "resize" || layer.coordinates !== "align-corners",
      );
      fc.pre(local && scaled);
      const open = receptiveField(withoutSize(graph));
      let sized: ReturnType<typeof receptiveField>;
      try {
        sized = receptiveField(graph, { inputSize });
      } catch {
        return; // branches that are equally long at the small size only
      }
      for (const [i, row] of open.layers.entries()) {
        const known = sized.layers[i]!;
        const residue = row.residues?.[0]?.find(({ modulus, remainders }) =>
          remainders.includes(inputSize % modulus),
        );
        const values = residue ?? {
          jump: row.jump[0],
          size: row.size[0],
          start: row.start[0],
          padding: row.padding[0],
          phases: row.phases?.[0] ?? null,
        };
        // A small layer may be even by chance where its rule is not; then the table of its phases says so.
        if (known.phases === undefined && values.phases) continue;
        expect([row.name, values.jump, values.size, values.start, values.padding, values.phases]).toEqual([
          row.name,
          known.jump[0],
          known.size[0],
          known.start[0],
          known.padding[0],
          known.phases?.[0] ?? null,
        ]);
      }
    }),
    { numRuns: 400 },
  );
});

test("two strided same layers depend on the size modulo 4, and remainders that agree stand together", () => {
  const { layers } = receptiveField(parseNetwork("conv1 7/2 same, pool1 3/2 same"));
  expect(
    layers.map(({ n, size, jump, start, padding }) => [n[0], size[0], jump[0], start[0], padding[0]]),
  ).toEqual([
    [null, 7, 2, null, null],
    [null, 11, 4, null, null],
  ]);
  // Worked by hand: an even size pads conv1 with 2, an odd one with 3; pool1 pads 1 where ceil(n / 2) is odd, else 0.
  expect(layers[1]!.residues![1]).toEqual([
    { modulus: 4, remainders: [0], jump: 4, size: 11, start: 3, padding: 2, phases: null },
    { modulus: 4, remainders: [1], jump: 4, size: 11, start: 0, padding: 5, phases: null },
    { modulus: 4, remainders: [2], jump: 4, size: 11, start: 1, padding: 4, phases: null },
    { modulus: 4, remainders: [3], jump: 4, size: 11, start: 2, padding: 3, phases: null },
  ]);
});

test("asking for a unit without the size that same padding needs is an error that says so", () => {
  const field = receptiveField(parseNetwork("conv1 7/2 same"));
  expect(() => field.unit("conv1", [0, 0])).toThrow(
    'unit: inputSize: expected a size, because "same" padding depends on it, got none',
  );
});

test("same padding with stride 1 needs no size", () => {
  const [row] = receptiveField(parseNetwork("conv1 4/1 same")).layers;
  expect(row).toMatchObject({ start: [0.5, 0.5], padding: [1, 1] });
  expect(row!.residues).toBeUndefined();
});

test("phases that the size decides stand with their remainders", () => {
  const open = receptiveField(parseNetwork("c 3/3 same, u up 2"));
  const [, row] = open.layers;
  expect([row!.phases, row!.jump]).toEqual([undefined, [null, null]]);
  for (const inputSize of [120, 121, 122]) {
    const known = receptiveField(parseNetwork("c 3/3 same, u up 2"), { inputSize }).layers[1]!.phases![0]!
      .boxes;
    const stated = row!.residues![0]!.find(({ modulus, remainders }) =>
      remainders.includes(inputSize % modulus),
    )!;
    expect(stated.phases!.boxes).toEqual(known);
  }
});

test("a smaller copy halves the size that decides: what follows depends on it modulo 4", () => {
  const graph: LayerGraph = {
    input: { shape: [null] },
    layers: [
      { name: "half", op: "resize", scale: 0.5, method: "nearest" },
      { name: "conv", op: "conv", kernel: 3, stride: 2, padding: "same" },
    ],
  };
  const [half, conv] = receptiveField(graph).layers;
  expect(half!.residues).toBeUndefined();
  // An even number of halves pads the begin with 0, an odd one with 1 of them: 2 pixels.
  expect(conv!.residues![0]!.map(({ modulus, remainders, start }) => [modulus, remainders, start])).toEqual([
    [4, [0, 1], 2],
    [4, [2, 3], 0],
  ]);
  for (const inputSize of [100, 101, 102, 103]) {
    const known = receptiveField(graph, { inputSize: [inputSize] }).layers[1]!;
    const stated = conv!.residues![0]!.find(({ remainders }) => remainders.includes(inputSize % 4))!;
    expect([inputSize, stated.start, stated.padding]).toEqual([inputSize, known.start[0], known.padding[0]]);
  }
});

test("a misalignment that the size decides says for which sizes it holds", () => {
  const { misalignments } = receptiveField(parseNetwork("a 3/2 same, b 1/2 same from input, s = a + b"));
  expect(misalignments.map(({ axis, shift, whenSize }) => [axis, shift, whenSize])).toEqual([
    [0, 1, { modulus: 2, remainders: [0] }],
    [1, 1, { modulus: 2, remainders: [0] }],
  ]);
});

test("nothing is stated where more remainders decide than are looked at", () => {
  const { layers } = receptiveField(parseNetwork("a 2000/2048, b 3/2 same, c 1/1 from a"));
  expect(layers.map(({ name, start, padding }) => [name, start[0], padding[0]])).toEqual([
    ["a", 999.5, 0],
    ["b", null, null],
    ["c", 999.5, 0],
  ]);
});

test("a unit of a layer that no size decides can be asked for, whatever comes later", () => {
  const { unit } = receptiveField(parseNetwork("a 3/1, b 3/2 same"));
  expect(unit("a", [1, 1]).axes[0]!.pixels).toEqual([1, 3]);
});
