import { expect, test } from "vitest";
import { type LayerGraph, parseNetwork, receptiveField } from "../src/index.js";

/*
 * The toy networks of github.com/google-research/receptive_field with their
 * answers: size r, stride S, padding P of the last layer. Networks 6 and 7
 * (dropout, control dependencies) are network 1 for a graph of layers.
 */
const network1 = "a 1/4, pad 1/1 p1:0 from input, b 3/2, c 1/2, sum = a + c";

function last(graph: LayerGraph, inputSize?: number) {
  const field = receptiveField(graph, inputSize === undefined ? {} : { inputSize });
  return { ...field, row: field.layers.at(-1)! };
}

function summary(text: string, inputSize?: number) {
  const { row, misalignments } = last(parseNetwork(text), inputSize);
  expect(row.size[0]).toBe(row.size[1]);
  return { r: row.size[0], S: row.jump[0], P: row.padding[0], aligned: misalignments.length === 0 };
}

test("network 1: a 1x1 beside a padded 3x3 is aligned", () => {
  expect(summary(network1)).toEqual({ r: 3, S: 4, P: 1, aligned: true });
});

test("network 2: with max pooling in the right branch nothing changes", () => {
  expect(summary("a 1/4, pad 1/1 p1:0 from input, b 3/2 max, c 1/2 max, sum = a + c")).toEqual({
    r: 3,
    S: 4,
    P: 1,
    aligned: true,
  });
});

test("network 3 drifts apart: every unit gets its own union, and the merge is named", () => {
  const { row, misalignments, unit } = last(
    parseNetwork("left 5/2 p2:1, first 3/1 from input, right 3/1, sum = left + right"),
  );
  expect([row.size, row.jump, row.start, row.padding]).toEqual(Array.from({ length: 4 }, () => [null, null]));
  const widths = (key: "pixels" | "clipped") =>
    [0, 1, 2, 3, 4].map((index) => {
      const [first, end] = unit("sum", [index, 0]).axes[0]![key]!;
      return end - first + 1;
    });
  expect(widths("pixels")).toEqual([7, 6, 5, 6, 7]);
  expect(widths("clipped")).toEqual([5, 6, 5, 6, 7]);
  expect(misalignments[0]).toEqual({
    layer: "sum",
    axis: 0,
    kind: "drift",
    shift: 2,
    drift: 1,
    inputs: [
      { name: "left", jump: 2, start: 0 },
      { name: "right", jump: 1, start: 2 },
    ],
  });
});

test("network 4: TensorFlow's same padding aligns at size 9, not at size 8, and is a table without a size", () => {
  const text = "a 1/4, b 3/2 same from input, c 1/2, sum = a + c";
  expect(summary(text, 9)).toEqual({ r: 3, S: 4, P: 1, aligned: true });
  // At 8 the right branch starts one pixel later; the union still is one field per unit.
  expect(summary(text, 8)).toEqual({ r: 3, S: 4, P: 0, aligned: false });
  expect(last(parseNetwork(text), 8).misalignments[0]).toMatchObject({
    layer: "sum",
    kind: "shift",
    shift: 1,
  });
  const { row } = last(parseNetwork(text));
  expect([row.size[0], row.jump[0], row.start[0], row.padding[0]]).toEqual([3, 4, null, null]);
  expect(row.residues![0]).toEqual([
    { modulus: 2, remainders: [0], jump: 4, size: 3, start: 1, padding: 0, phases: null },
    { modulus: 2, remainders: [1], jump: 4, size: 3, start: 0, padding: 1, phases: null },
  ]);
});

test("network 5: kernels of 3x5 and 3x1 see 7 rows and 5 columns", () => {
  const { row } = last(parseNetwork("a 3x5/2, b 3x1/2"));
  expect(row).toMatchObject({ size: [7, 5], jump: [4, 4], padding: [0, 0] });
});

const network8 = `${network1}, d 1/2, pad2 1/1 p1:0 from sum, e 3/2, out = d + e`;

test("network 8 spans 11 pixels of which 9 contribute", () => {
  expect(summary(network8)).toEqual({ r: 11, S: 8, P: 5, aligned: true });
  expect(last(parseNetwork(network8)).row).toMatchObject({ contributing: [9, 9], holes: 121 - 81 });
});

test("network 9 is network 8 with same padding at size 17", () => {
  const same =
    "a 1/4 same, b 3/2 same from input, c 1/2 same, sum = a + c, d 1/2 same, e 3/2 same from sum, out = d + e";
  expect(summary(same, 17)).toEqual({ r: 11, S: 8, P: 5, aligned: true });
});

test("from the centre of a unit one finds the unit again", () => {
  const { unit, unitsSeeing, layers } = receptiveField(parseNetwork(network1), { inputSize: 100 });
  const row = layers.at(-1)!;
  for (let index = 0; index < row.n[0]!; index += 3) {
    const center = unit("sum", [index, index]).axes[0]!.center!;
    expect(unitsSeeing("sum", [center, center]).axes).toEqual([
      [index, index],
      [index, index],
    ]);
  }
});
