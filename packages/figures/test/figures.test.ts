import { JSDOM } from "jsdom";
import { expect, test } from "vitest";
import {
  effectiveFieldOverImage,
  fieldGrowth,
  fittedPlanes,
  imageRow,
  learningCurves,
  matrixGrid,
  reachDiagram,
  svgText,
  unitsOverImage,
} from "../src/index.js";

/*
 * The gallery holds the figures as files: a change of any figure shows as a
 * difference there, to be looked at. `npm test -- -u` writes it.
 */
const { document } = new JSDOM("").window;
const gallery = (name: string) => new URL(`../gallery/${name}.svg`, import.meta.url).pathname;

/** One element per line, so that differences can be read. */
const file = (svg: SVGSVGElement) => `${svgText(svg).replaceAll("><", ">\n<")}\n`;

const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mOQkt7vDAACqgFX/4ZG/QAAAABJRU5ErkJggg==";
const image = { href: pixel, width: 100, height: 60 };

const numbers = (element: Element, names: readonly string[]) =>
  names.map((name) => Number(element.getAttribute(name)));
const rects = (svg: SVGSVGElement, fill: string) =>
  [...svg.querySelectorAll("rect")]
    .filter((rect) => rect.getAttribute("fill") === fill)
    .map((rect) => numbers(rect, ["x", "y", "width", "height"]));

test("growth of the field: a point per layer at its depth, a label with the final size", async () => {
  const layers = (...sizes: (number | null)[]) => sizes.map((size, i) => ({ name: `layer${i + 1}`, size }));
  const svg = fieldGrowth(
    [
      { name: "alexnet", layers: layers(11, 19, 51, 67, 99, 131, 163, 195) },
      {
        name: "vgg",
        layers: layers(3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212),
      },
      { name: "drifting", layers: layers(5, null, null) },
    ],
    { document },
  );
  expect(svg.querySelectorAll("circle")).toHaveLength(8 + 18 + 1);
  expect(svg.textContent).toContain("alexnet  195");
  expect(svg.textContent).toContain("vgg layer2: 5 pixels");
  await expect(file(svg)).toMatchFileSnapshot(gallery("field-growth"));
});

test("units over an image: boxes stand where their pixels are, padding is hatched only where there is some", async () => {
  const units = [
    { name: "inside", y: [10, 29] as const, x: [20, 59] as const },
    { name: "outside", y: [-10, 69] as const, x: [-10, 109] as const },
  ];
  const svg = unitsOverImage({ image, units }, { document, width: 640 });
  const [left, top, width] = numbers(svg.querySelector("image")!, ["x", "y", "width"]) as [
    number,
    number,
    number,
  ];
  const scale = width / image.width;
  // The smaller box is drawn last, each twice: a light rim and then its colour.
  const boxes = [...svg.querySelectorAll("rect[stroke-width='2']")].map((rect) =>
    numbers(rect, ["x", "y", "width", "height"]),
  );
  expect(boxes).toHaveLength(2);
  const expected = [left + 20 * scale, top + 10 * scale, 40 * scale, 20 * scale];
  const differences = boxes[1]!.map((value, i) => Math.abs(value - expected[i]!));
  expect(Math.max(...differences)).toBeLessThan(0.02); // coordinates are rounded to 0.01
  expect(rects(svg, "url(#padding)")).toHaveLength(1);
  expect(svg.textContent).toContain("20 × 40");
  const within = unitsOverImage({ image, units: [units[0]!] }, { document });
  expect(rects(within, "url(#padding)")).toEqual([]);
  await expect(file(svg)).toMatchFileSnapshot(gallery("units-over-image"));
});

test("reach of units: a filled cell per pixel that contributes, a dashed one per hole", async () => {
  const svg = reachDiagram(
    [
      { unit: 0, runs: [[-1, 1] as const, [3, 5] as const] },
      { unit: 1, runs: [[7, 9] as const] },
    ],
    { document },
  );
  const cells = [...svg.querySelectorAll("rect")];
  expect(cells).toHaveLength(2 * 11);
  expect(cells.filter((cell) => cell.getAttribute("fill") !== "none")).toHaveLength(9);
  expect(cells.filter((cell) => cell.hasAttribute("stroke-dasharray"))).toHaveLength(1);
  await expect(file(svg)).toMatchFileSnapshot(gallery("reach-diagram"));
});

test("an effective field: a cell per block of pixels, the squares where their pixels are", async () => {
  const bell = (at: number) => Math.exp(-((at - 10) ** 2) / 18);
  const rows = Array.from({ length: 21 }, (_, y) =>
    Float32Array.from({ length: 21 }, (_, x) => bell(y) * bell(x)),
  );
  const contours = [
    { mass: 0.5, side: 7 },
    { mass: 0.99, side: 17 },
  ];
  const field = { rows, center: [10, 10] as const, contours };
  const svg = effectiveFieldOverImage({ field }, { document, width: 524 });
  const cells = [...svg.querySelectorAll("rect[shape-rendering]")];
  expect(cells).toHaveLength(21 * 21);
  // The strongest pixel is opaque, others by the square root of their share.
  const opacity = (y: number, x: number) => Number(cells[21 * y + x]!.getAttribute("fill-opacity"));
  expect([opacity(10, 10), opacity(10, 13)]).toEqual([1, 0.78]); // sqrt(exp(-9 / 18))
  const scale = (524 - 104) / 21;
  const squares = [...svg.querySelectorAll("rect[stroke-width='2']")].map((one) =>
    numbers(one, ["x", "width"]),
  );
  expect(squares).toEqual([
    [7 * scale, 7 * scale],
    [2 * scale, 17 * scale],
  ]);
  expect(svg.textContent).toContain("99 %17 px");
  await expect(file(svg)).toMatchFileSnapshot(gallery("effective-field"));
  // Over a picture the veil is thinnest where the field is strongest.
  const veiled = effectiveFieldOverImage({ field, image }, { document });
  const veil = [...veiled.querySelectorAll("rect[shape-rendering]")].map((one) =>
    Number(one.getAttribute("fill-opacity")),
  );
  expect([veil[21 * 10 + 10], veil[0]! > 0.7]).toEqual([0, true]);
  // 130 pixels are drawn as blocks of three.
  const large = { ...field, rows: Array.from({ length: 130 }, () => new Float32Array(130).fill(1)) };
  const blocks = effectiveFieldOverImage({ field: large }, { document });
  expect(blocks.querySelectorAll("rect[shape-rendering]")).toHaveLength(44 * 44);
});

test("matrices: every value in its cell, colour by sign on one scale", async () => {
  const kernel = [
    [0, -0.5],
    [1, 2],
  ];
  const matrices = [
    { label: "kernel", rows: kernel },
    { label: "zero", rows: [[0]] },
  ];
  const svg = matrixGrid(matrices, { document });
  const fills = [...svg.querySelectorAll("rect")].map((cell) => [
    cell.getAttribute("fill"),
    cell.getAttribute("fill-opacity"),
  ]);
  expect(fills).toEqual([
    ["none", null],
    ["#4c78d8", "0.3"],
    ["#e8871e", "0.45"],
    ["#e8871e", "0.75"],
    ["none", null],
  ]);
  const texts = [...svg.querySelectorAll("text")].map((text) => text.textContent);
  expect(texts).toEqual(["kernel", "0", "−0.5", "1", "2", "zero", "0"]);
  await expect(file(svg)).toMatchFileSnapshot(gallery("matrix-grid"));
});

test("learning curves: a line per run, a cross where one leaves the figure", async () => {
  const decay = (rate: number) =>
    Array.from({ length: 11 }, (_, i): [number, number] => [i, 3 * Math.exp(-rate * i) + 1e-4]);
  const curves = [
    { name: "slow", points: decay(0.3) },
    { name: "fast", points: decay(2) },
    { name: "wild", points: [[0, 3], [1, 3e4]] as [number, number][], diverged: true },
  ]; // biome-ignore format: points
  const svg = learningCurves(curves, { document, floor: { name: "least squares", error: 1e-4 } });
  const paths = [...svg.querySelectorAll('g[aria-label="line"] path')];
  expect(paths).toHaveLength(3);
  // From 3 to 3e4 the axis, which ends at 30, is crossed after a quarter of the way.
  const ends = paths.map((path) => /([\d.]+),([\d.]+)$/.exec(path.getAttribute("d")!)!.slice(1).map(Number));
  const starts = paths.map((path) => /^M([\d.]+),/.exec(path.getAttribute("d")!)!.slice(1).map(Number));
  const width = ends[0]![0]! - starts[0]![0]!;
  expect((ends[2]![0]! - starts[2]![0]!) / width).toBeCloseTo(0.25 / 10, 4);
  expect(ends[2]![1]).toBe(24);
  expect(svg.querySelectorAll('g[aria-label="dot"] path')).toHaveLength(1);
  expect(svg.textContent).toContain("wild diverges");
  await expect(file(svg)).toMatchFileSnapshot(gallery("learning-curves"));
});

test("fitted planes: level lines lie where the planes have round values", async () => {
  const corners: [number, number, number][] = [
    [0, 0, 0],
    [10, 0, 10],
    [0, 10, 0],
    [10, 10, 10],
  ];
  const models = [
    { name: "least squares", bias: 0, slopes: [1, 0] as const },
    { name: "other", bias: 1, slopes: [1, 0] as const },
  ];
  const svg = fittedPlanes(corners, models, { document });
  expect(svg.querySelectorAll("circle")).toHaveLength(4);
  const [first, second] = [...svg.querySelectorAll('g[aria-label="link"]')].map((group) =>
    [...group.querySelectorAll("path")].map((path) => {
      const [, x1, x2] = /^M([\d.]+),[\d.]+L([\d.]+),/.exec(path.getAttribute("d")!)!.map(Number);
      return [x1!, x2!];
    }),
  );
  // Upright lines at x = 0, 2, …, 10, and those of the other plane one unit to the left.
  expect(first).toHaveLength(6);
  expect(second).toHaveLength(5); // its line for 0 would lie at x = -1, outside
  for (const [x1, x2] of [...first!, ...second!]) expect(x1).toBeCloseTo(x2!, 9);
  const unit = (first!.at(-1)![0]! - first![0]![0]!) / 10;
  expect(second![0]![0]! - first![0]![0]!).toBeCloseTo(unit, 6);
  await expect(file(svg)).toMatchFileSnapshot(gallery("fitted-planes"));
});

test("pictures in a row have one height and fill the width", () => {
  const pictures = [
    { ...image, caption: "a" },
    { ...image, width: 60, caption: "b", pixelated: true },
  ];
  const drawn = [...imageRow(pictures, { document, width: 616 }).querySelectorAll("image")];
  expect(drawn.map((one) => numbers(one, ["x", "width", "height"]))).toEqual([
    [0, 375, 225],
    [391, 225, 225],
  ]);
  expect(drawn.map((one) => one.getAttribute("style"))).toEqual([null, "image-rendering: pixelated"]);
});

test("a figure as text has its namespace and a colour, and the element itself is left alone", () => {
  const svg = reachDiagram([{ unit: 0, runs: [[0, 0]] }], { document });
  const text = svgText(svg, { color: "#123456" });
  expect(text).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]* color="#123456"/);
  expect(text.match(/ xmlns=/g)).toHaveLength(1);
  expect(svg.hasAttribute("color")).toBe(false);
});

test("names of layers cannot bring markup into a figure", () => {
  const units = [{ name: "<script>alert(1)</script>", y: [0, 1] as const, x: [0, 1] as const }];
  const svg = unitsOverImage({ image, units }, { document });
  expect(svg.querySelector("script")).toBeNull();
  expect(svgText(svg)).toContain("&lt;script&gt;");
});

test("nothing to draw is an error that says what was expected", () => {
  const none = [{ name: "a", layers: [{ name: "b", size: null }] }];
  expect(() => fieldGrowth(none, { document })).toThrow(
    "fieldGrowth: networks: expected at least one size, got none",
  );
  expect(() => unitsOverImage({ image, units: [] }, { document })).toThrow(
    "unitsOverImage: units: expected at least one, got none",
  );
  expect(() => reachDiagram([{ unit: 0, runs: [] }], { document })).toThrow(
    "reachDiagram: units: expected one that sees something, got none",
  );
  expect(() => matrixGrid([{ label: "m", rows: [[1], [1, 2]] }], { document })).toThrow(
    "matrixGrid: m: expected rows of one length, got 1,2",
  );
  const field = { center: [0, 0] as const, contours: [] };
  expect(() => effectiveFieldOverImage({ field: { ...field, rows: [[1], []] } }, { document })).toThrow(
    "effectiveFieldOverImage: field.rows: expected rows of one length, got none or ragged ones",
  );
  expect(() => effectiveFieldOverImage({ field: { ...field, rows: [[0]] } }, { document })).toThrow(
    "expected some mass, got none",
  );
  expect(() => learningCurves([], { document })).toThrow(
    "learningCurves: curves: expected curves with at least one point, got none",
  );
  expect(() => learningCurves([{ name: "a", points: [[0, 0]] }], { document })).toThrow(
    "learningCurves: curves: expected finite errors above 0, got 0",
  );
  expect(() => fittedPlanes([], [], { document })).toThrow(
    "fittedPlanes: points: expected at least one, got none",
  );
  expect(() => fittedPlanes([[0, 0, Number.NaN]], [], { document })).toThrow(
    "fittedPlanes: expected finite numbers, got NaN",
  );
  expect(() => imageRow([], { document })).toThrow("imageRow: images: expected at least one, got none");
});
