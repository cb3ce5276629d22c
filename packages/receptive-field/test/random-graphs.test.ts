import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type LayerGraph, type RunProduct, receptiveField } from "../src/index.js";
import { bruteForce, product } from "./brute-force.js";
import { randomGraph } from "./random-graph.js";

/** The pixels of a union of products, as the oracle writes them. */
function pixelSet(products: readonly RunProduct[]): Set<string> {
  const pixels = new Set<string>();
  for (const { axes } of products) {
    const lists = axes.map((runs) =>
      runs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
    );
    for (const pixel of product(lists)) pixels.add(pixel.join());
  }
  return pixels;
}

function hull(pixels: Iterable<string>, axis: number): [number, number] | null {
  const along = [...pixels].map((pixel) => Number(pixel.split(",")[axis]));
  return along.length === 0 ? null : [Math.min(...along), Math.max(...along)];
}

const sorted = (pixels: Iterable<string>) => [...pixels].sort();

/** Units to look at: all of a small layer, else its corners and its middle. */
function someUnits(size: readonly number[]): number[][] {
  const few = size.map((n) =>
    n <= 5 ? Array.from({ length: n }, (_, i) => i) : [0, 1, Math.floor(n / 2), n - 1],
  );
  return product(few);
}

function agreesWithBruteForce(graph: LayerGraph): void {
  const oracle = bruteForce(graph);
  const field = receptiveField(graph);
  for (const row of field.layers) {
    const size = oracle.sizes.get(row.name)!;
    expect(row.n).toEqual(size);
    for (const index of someUnits(size)) {
      const beyond = oracle.beyondBorders(row.name, index);
      const within = oracle.withinBorders(row.name, index);
      const unit = field.unit(row.name, index);
      expect(unit.axes.map(({ pixels }) => pixels)).toEqual(index.map((_, axis) => hull(beyond, axis)));
      expect(sorted(pixelSet(field.pixelsOf(row.name, index)))).toEqual(sorted(within));
      expect(unit.contributing).toBe(within.size);
      unit.axes.forEach(({ center, edges, pixels }, axis) => {
        if (center === null || edges === null || pixels === null) return;
        expect(edges).toEqual([pixels[0] - 0.5, pixels[1] + 0.5]);
        // What the table states must hold for every unit.
        if (row.jump[axis] !== null) expect(center).toBe(row.start[axis]! + row.jump[axis]! * index[axis]!);
        if (row.size[axis] !== null) expect(pixels[1] - pixels[0] + 1).toBe(row.size[axis]);
        if (row.padding[axis] !== null && index[axis] === 0) expect(0 - pixels[0]).toBe(row.padding[axis]);
        const along = new Set([...beyond].map((pixel) => pixel.split(",")[axis]));
        if (row.contributing[axis] !== null) expect(along.size).toBe(row.contributing[axis]);
      });
      const box = index.reduce((area, _, axis) => {
        const range = hull(beyond, axis);
        return range === null ? 0 : area * (range[1] - range[0] + 1);
      }, 1);
      if (row.holes !== null) expect(row.holes).toBe(box - beyond.size);
    }
  }
}

test("in 1-D, fields of random graphs are what following every tap finds, holes and borders included", () => {
  fc.assert(fc.property(randomGraph(1, 24), agreesWithBruteForce), { numRuns: 1500 });
}, 60_000);

test("in 2-D, fields of random graphs are what following every tap finds, holes and borders included", () => {
  fc.assert(fc.property(randomGraph(2, 8), agreesWithBruteForce), { numRuns: 300 });
}, 60_000);

test("in 3-D, fields of random graphs are what following every tap finds", () => {
  fc.assert(fc.property(randomGraph(3, 4), agreesWithBruteForce), { numRuns: 40 });
}, 60_000);

test("the table of a sum leaves out a branch through which some units see nothing, along the other axis too", () => {
  agreesWithBruteForce({
    input: { shape: [3, 3] },
    layers: [
      { name: "conv", op: "conv", kernel: [1, 2], stride: [3, 1], padding: 0 },
      {
        name: "up",
        op: "transposed-conv",
        kernel: 2,
        stride: 2,
        dilation: [3, 2],
        padding: 2,
        outputPadding: 1,
      },
      { name: "sum", op: "add", inputs: ["up", "conv"] },
    ],
  });
});

test("a value stands where it is the same for all units that there are, and null where it is not", () => {
  fc.assert(
    fc.property(randomGraph(1, 24), (graph) => {
      const oracle = bruteForce(graph);
      for (const row of receptiveField(graph).layers) {
        const units = Array.from({ length: row.n[0]! }, (_, unit) => oracle.beyondBorders(row.name, [unit]));
        const boxes = units.map((pixels) => hull(pixels, 0));
        const sizes = new Set(boxes.map((box) => (box === null ? 0 : box[1] - box[0] + 1)));
        const holes = new Set(
          boxes.map((box, u) => (box === null ? 0 : box[1] - box[0] + 1 - units[u]!.size)),
        );
        const centers = boxes.map((box) => (box === null ? Number.NaN : (box[0] + box[1]) / 2));
        const steps = new Set(centers.slice(1).map((center, i) => center - centers[i]!));
        const even = steps.size <= 1 && !boxes.includes(null);
        const [size] = sizes.size === 1 ? sizes : [null];
        expect([row.name, row.size[0]]).toEqual([row.name, size]);
        expect([row.name, row.holes]).toEqual([row.name, holes.size === 1 ? [...holes][0] : null]);
        expect([row.name, row.start[0]]).toEqual([row.name, even ? centers[0] : null]);
        expect(row.padding[0]).toBe(even && size !== null ? 0 - boxes[0]![0] : null);
        // A lone unit keeps the jump of its rule (fc6-conv of AlexNet), or has none.
        if (units.length > 1)
          expect([row.name, row.jump[0]]).toEqual([row.name, even ? [...steps][0] : null]);
        const table = row.phases?.[0];
        if (table) {
          const period = Array.from({ length: table.period }, (_, unit) =>
            hull(oracle.beyondBorders(row.name, [unit]), 0),
          );
          expect(table.boxes).toEqual(period);
        }
        if (row.units?.[0]) expect(row.units[0]).toEqual(boxes);
        const isNothing = boxes.every((box) => box === null);
        if ((size === null || !even) && !isNothing) expect(table ?? row.units?.[0]).toBeDefined();
      }
    }),
    { numRuns: 1500 },
  );
});

test("the units that see a pixel are those among whose pixels it is", () => {
  fc.assert(
    fc.property(randomGraph(2, 6), fc.nat(), fc.nat(), (graph, y, x) => {
      const field = receptiveField(graph);
      const pixel = [y % graph.input.shape[0]!, x % graph.input.shape[1]!];
      for (const { name, n } of field.layers) {
        const all = product(n.map((count) => Array.from({ length: count! }, (_, i) => i)));
        const expected = all.filter((unit) => pixelSet(field.pixelsOf(name, unit)).has(pixel.join()));
        const seeing = field.unitsSeeing(name, pixel);
        expect(sorted(pixelSet(seeing.units))).toEqual(sorted(expected.map((unit) => unit.join())));
        expect(seeing.count).toBe(expected.length);
        expect(seeing.axes).toEqual(
          pixel.map((_, axis) =>
            hull(
              expected.map((unit) => unit.join()),
              axis,
            ),
          ),
        );
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);
