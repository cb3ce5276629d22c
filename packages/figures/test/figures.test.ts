import { JSDOM } from "jsdom";
import { expect, test } from "vitest";
import {
  attentionMap,
  confusionMatrix,
  curvesOverPoints,
  effectiveFieldOverImage,
  fieldGrowth,
  fittedPlanes,
  imageGrid,
  imageRow,
  imageTable,
  labelledPoints,
  layerHistograms,
  learningCurves,
  linePanels,
  matrixGrid,
  reachDiagram,
  svgText,
  unitsOverImage,
  unrolledGraph,
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

test("the axis of a reach diagram starts at pixel 0, or at the first pixel of the padding", () => {
  const axis = (first: number) => {
    const svg = reachDiagram([{ unit: 2, runs: [[first, 8]] }], { document });
    const left = Math.min(...[...svg.querySelectorAll("rect")].map((cell) => Number(cell.getAttribute("x"))));
    const labels = [...svg.querySelectorAll("text")].filter((text) => text.getAttribute("y") === "14");
    return {
      left,
      cells: svg.querySelectorAll("rect").length,
      labels: labels.map((text) => text.textContent),
    };
  };
  const upTo8 = ["0", "1", "2", "3", "4", "5", "6", "7", "8"];
  expect(axis(6)).toEqual({ left: 63, cells: 9, labels: upTo8 });
  expect(axis(0)).toEqual(axis(6));
  expect(axis(-2)).toEqual({ left: 63, cells: 11, labels: ["-2", "-1", ...upTo8] });
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

test("attention map: a square per query and key, filled by its weight, none where it is 0", async () => {
  const causal = [
    [1, 0, 0],
    [0.25, 0.75, 0],
    [0.5, 0.125, 0.375],
  ];
  const heads = [
    { label: "head 0", weights: causal },
    { label: "head 1", weights: causal.map((row) => row.toReversed()) },
  ];
  const svg = attentionMap(heads, { document, queries: ["a", "b", "c"], keys: ["a", "b", "c"] });
  const cells = [...svg.querySelectorAll("rect")].map((cell) => [
    cell.getAttribute("fill"),
    cell.getAttribute("fill-opacity"),
  ]);
  expect(cells).toHaveLength(18);
  expect(cells.slice(0, 5)).toEqual([
    ["#4c78d8", "1"],
    ["none", null],
    ["none", null],
    ["#4c78d8", "0.25"],
    ["#4c78d8", "0.75"],
  ]);
  expect(svg.querySelectorAll("rect title")[3]!.textContent).toBe("b → a: 0.25");
  await expect(file(svg)).toMatchFileSnapshot(gallery("attention-map"));
  expect(() => attentionMap([{ label: "h", weights: [[1], [0.5, 0.5]] }], { document })).toThrow(
    "attentionMap: h: expected 2 rows of 1 weights, got 1,2",
  );
  expect(() => attentionMap([], { document })).toThrow(
    "attentionMap: heads: expected at least one, got none",
  );
  expect(() => attentionMap(heads, { document, keys: ["a"] })).toThrow(
    "attentionMap: keys: expected 3 names, got 1",
  );
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

test("panels: a series has one colour in all of them, the axis holds all points, a single point is a dot", async () => {
  const points = (from: number, to: number, count = 10) =>
    Array.from({ length: count }, (_, i) => [i + 1, from + ((to - from) * i) / 9] as const);
  const panels = [
    {
      title: "loss",
      series: [
        { name: "training", points: points(2.3, 0.4) },
        { name: "validation", points: points(2.2, 0.7) },
      ],
    },
    {
      title: "accuracy",
      domain: [0, 1] as const,
      series: [{ name: "validation", points: points(0.1, 0.83) }],
    },
  ];
  const svg = linePanels(panels, { document });
  const colors = [...svg.querySelectorAll("svg")].map((panel) =>
    [...panel.querySelectorAll("path[stroke^='#']")].map((path) => path.getAttribute("stroke")),
  );
  expect(colors).toEqual([["#4c78d8", "#e8871e"], ["#e8871e"]]);
  // Those with a title are there for a pointer alone.
  const dots = (one: SVGSVGElement) =>
    [...one.querySelectorAll("circle")].filter(({ children }) => children.length === 0);
  expect(dots(svg)).toHaveLength(0);
  const once = [{ title: "loss", series: [{ name: "training", points: points(2.3, 0.4, 1) }] }];
  expect(dots(linePanels(once, { document }))).toHaveLength(1);
  // Numbers that the margin has no room for are shortened.
  const huge = [{ title: "loss", series: [{ name: "training", points: points(250_000, 90) }] }];
  const ticks = [...linePanels(huge, { document }).querySelectorAll("text")].map((text) => text.textContent!);
  expect(ticks).toContain("200k");
  // A band is an area of its series' colour, and the axis reaches its end.
  const banded = [
    {
      name: "training",
      points: points(1, 2),
      band: [
        [1, 0.5, 1.5],
        [2, 1, 7],
      ] as const,
    },
  ];
  const band = linePanels([{ title: "loss", series: banded }], { document });
  expect([...band.querySelectorAll("path[fill='#4c78d8']")]).toHaveLength(1);
  expect([...band.querySelectorAll("text")].map((text) => text.textContent)).toContain("6");
  const nothing = [{ title: "loss", series: [{ name: "training", points: [[1, Number.NaN]] as const }] }];
  expect(() => linePanels(nothing, { document })).toThrow(
    "linePanels: loss: expected at least one finite point, got none",
  );
  await expect(file(svg)).toMatchFileSnapshot(gallery("line-panels"));
});

test("a confusion matrix: rows are truths, colour is the share of the row, accuracy stands at its end", async () => {
  const counts = [
    [17, 3, 0],
    [1, 9, 0],
    [0, 0, 0],
  ];
  const svg = confusionMatrix({ labels: ["shirt", "coat", "bag"], counts }, { document });
  const cells = [...svg.querySelectorAll("rect")];
  expect(cells.map((cell) => cell.querySelector("title")!.textContent)[1]).toBe(
    "shirt taken for coat: 3 of 20",
  );
  expect(cells.map((cell) => cell.getAttribute("fill")).slice(0, 4)).toEqual([
    "#4c78d8",
    "#e8871e",
    "none",
    "#e8871e",
  ]);
  expect(numbers(cells[0]!, ["fill-opacity"])).toEqual([0.76]); // 0.12 + 0.75 · 17/20
  expect(svg.textContent).toContain("85 %");
  expect(svg.textContent).toContain("–");
  expect(() => confusionMatrix({ labels: ["a", "b"], counts: [[1, 2]] }, { document })).toThrow(
    "confusionMatrix: counts: expected 2 rows of 2, got rows of [2]",
  );
  expect(() => confusionMatrix({ labels: ["a"], counts: [[-1]] }, { document })).toThrow("got -1");
  const labels = ["top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];
  const ten = labels.map((_, i) => labels.map((_, j) => (i === j ? 17 : (i * 3 + j) % 5 === 0 ? 1 : 0)));
  await expect(file(confusionMatrix({ labels, counts: ten }, { document }))).toMatchFileSnapshot(
    gallery("confusion-matrix"),
  );
});

test("histograms by layer: the fullest bin fills the height, others by the square root of their share", async () => {
  const bell = (min: number, max: number) => ({
    min,
    max,
    bins: Array.from({ length: 21 }, (_, i) => Math.round(400 * Math.exp(-((i - 10) ** 2) / 18))),
  });
  const half = { min: 0, max: 3.2, bins: [400, 100, 25, 0] };
  const rows = [
    { name: "conv1", histograms: [bell(-2, 2), bell(-0.4, 0.4)] },
    { name: "relu1", histograms: [half, null], note: "1 of 6 dead" },
  ];
  const svg = layerHistograms(["activations", "weights"], rows, { document, rowHeight: 64 });
  const bars = [...svg.querySelectorAll("path[fill^='#']")].map((path) => path.getAttribute("d")!);
  expect(bars).toHaveLength(3);
  // 40 pixels for 400, half of it for a quarter, a quarter of it for a sixteenth, nothing for none.
  expect([...bars[2]!.matchAll(/v-([\d.]+)/g)].map(([, tall]) => Number(tall))).toEqual([40, 20, 10]);
  expect(svg.textContent).toContain("1 of 6 dead");
  const same = layerHistograms(
    ["gradients"],
    [{ name: "fc", histograms: [{ min: 0, max: 0, bins: [9, 0] }] }],
    {
      document,
    },
  );
  expect(same.textContent).toContain("all 0");
  expect(same.querySelectorAll("path[fill^='#']")).toHaveLength(1);
  expect(() => layerHistograms(["weights"], rows, { document })).toThrow(
    "layerHistograms: conv1: expected 1 histograms, got 2",
  );
  await expect(file(svg)).toMatchFileSnapshot(gallery("layer-histograms"));
});

test("a table of images: each as wide as its column, an empty place stays empty", () => {
  const rows = [
    { label: "input", images: [image, image] },
    { label: "conv1", images: [image, null] },
  ];
  const svg = imageTable(["cat", "noise"], rows, { document, width: 200 });
  const places = [...svg.querySelectorAll("image")].map((one) => numbers(one, ["x", "y", "width", "height"]));
  const own = (200 - (14 + 7 * 5) - 14) / 2;
  expect(places.map(([, , width]) => width)).toEqual([own, own, own]);
  expect(places[2]![1]! - places[0]![1]!).toBeCloseTo(places[0]![3]! + 14, 1);
  const noted = imageTable(
    ["cat", "noise"],
    [{ ...rows[0]!, notes: [["seen: cat", "97 %"], []] }, rows[1]!],
    {
      document,
      width: 200,
    },
  );
  const [, , below] = [...noted.querySelectorAll("image")].map((one) => numbers(one, ["y", "height"]));
  expect(below![0]! - places[2]![1]!).toBeCloseTo(2 * 14, 1);
  expect(noted.textContent).toContain("seen: cat97 %");
  expect(() => imageTable(["cat", "noise"], [{ ...rows[0]!, notes: [["cat"]] }], { document })).toThrow(
    "imageTable: input: expected 2 pictures, got 2 with 1 notes",
  );
  expect(() => imageTable(["one"], rows, { document })).toThrow(
    "imageTable: input: expected 1 pictures, got 2",
  );
});

test("line panels: a pointer at a point is told its numbers, at the first and the last of a long line too", () => {
  const points = Array.from({ length: 1000 }, (_, i) => [i, 1 / (1 + i)] as const);
  const panels = [
    { title: "loss", series: [{ name: "training", points: [...points, [1000, Number.NaN] as const] }] },
  ];
  const svg = linePanels(panels, { document });
  const said = [...svg.querySelectorAll("circle > title")].map((title) => title.textContent);
  expect(said).toHaveLength(120);
  expect([said[0], said.at(-1)]).toEqual(["training: 1 at 0", "training: 0.001 at 999"]);
});

test("image grid: rows of equal width, a picture keeps its shape within its place", () => {
  const wide = { ...image, caption: "conv1", note: "6 x 28 x 28", pixelated: true };
  const tall = { href: pixel, width: 10, height: 20, caption: "input" };
  const svg = imageGrid([tall, wide, wide], { document, width: 218, columns: 2 });
  const places = [...svg.querySelectorAll("image")].map((one) => numbers(one, ["x", "y", "width", "height"]));
  expect(places).toEqual([
    [0, 34, 50, 100],
    [118, 34, 100, 60],
    [0, 34 + 100 + 18 + 34, 100, 60],
  ]);
  expect(Number(svg.getAttribute("height"))).toBe(34 + 100 + 18 + 34 + 60 + 2);
  expect(() => imageGrid([], { document })).toThrow("imageGrid: images: expected at least one, got none");
  expect(() => imageGrid([tall], { document, columns: 0 })).toThrow("imageGrid: columns");
});

test("labelled points: ten times as much is as far anywhere, and no name stands on another or on a point", async () => {
  const points = [
    { name: "small", series: "a", x: 1e5, y: 1e6 },
    { name: "ten times", series: "a", x: 1e6, y: 1e7 },
    { name: "a hundred times", series: "a", x: 1e7, y: 1e8 },
    { name: "close to that", series: "b", x: 1.02e7, y: 1.05e8 },
    { name: "closer", series: "c", x: 1.04e7, y: 0.97e8 },
    { name: "wide", series: "b", x: 2e7, y: 2e6 },
  ];
  const svg = labelledPoints(points, { document, xLabel: "parameters", yLabel: "operations" });
  const circles = [...svg.querySelectorAll("circle")].map((circle) => numbers(circle, ["cx", "cy"]));
  expect(circles).toHaveLength(points.length);
  const [small, ten, hundred] = circles as [number[], number[], number[]];
  for (const axis of [0, 1]) {
    expect(Math.abs(ten[axis]! - small[axis]!)).toBeGreaterThan(20);
    expect(hundred[axis]! - ten[axis]!).toBeCloseTo(ten[axis]! - small[axis]!, 6);
  }
  const names = points.map(({ name }) => {
    const text = [...svg.querySelectorAll("text")].find((one) => one.textContent === name)!;
    const place = `${text.getAttribute("transform")} ${text.parentElement!.getAttribute("transform")}`;
    const moves = [...place.matchAll(/translate\(([-\d.]+),([-\d.]+)\)/g)];
    const [x, y] = [1, 2].map((i) => moves.reduce((sum, move) => sum + Number(move[i]), 0)) as [
      number,
      number,
    ];
    const anchor =
      text.getAttribute("text-anchor") ?? text.closest("[text-anchor]")?.getAttribute("text-anchor");
    const start = x - { start: 0, middle: 0.5, end: 1 }[anchor as "start"]! * 7 * name.length;
    return { start, end: start + 7 * name.length, y };
  });
  for (const [i, a] of names.entries()) {
    for (const b of names.slice(i + 1)) {
      expect(Math.abs(a.y - b.y) >= 11 || a.end <= b.start || b.end <= a.start).toBe(true);
    }
    for (const [x, y] of circles as [number, number][]) {
      expect(x > a.start && x < a.end && Math.abs(a.y - y) < 6).toBe(false);
    }
  }
  await expect(file(svg)).toMatchFileSnapshot(gallery("labelled-points"));
  expect(() => labelledPoints([], { document, xLabel: "x", yLabel: "y" })).toThrow(
    "labelledPoints: points: expected at least one, got none",
  );
  const zero = [{ name: "none", series: "a", x: 0, y: 1 }];
  expect(() => labelledPoints(zero, { document, xLabel: "x", yLabel: "y" })).toThrow(
    "labelledPoints: none: expected finite numbers above 0, got 0",
  );
});

test("curves over points: a path per curve, cut off at the ends of the axis, and a dot per point", async () => {
  const at = Array.from({ length: 21 }, (_, i) => -1 + i / 10);
  const svg = curvesOverPoints(
    at.filter((_, i) => i % 5 === 0).map((x) => [x, x * x]),
    [
      { name: "x²", dashed: true, points: at.map((x) => [x, x * x]) },
      { name: "9x²", points: at.map((x) => [x, 9 * x * x]) },
    ],
    { document, domain: [0, 2], pointsName: "5 samples" },
  );
  // Five, and the one of the legend.
  expect(svg.querySelectorAll("circle")).toHaveLength(5 + 1);
  expect(svg.querySelectorAll("[clip-path] path, path[clip-path]")).toHaveLength(2);
  expect(svg.getAttribute("aria-label")).toBe("y by x: 5 samples, x², 9x²");
  await expect(file(svg)).toMatchFileSnapshot(gallery("curves-over-points"));
  expect(() => curvesOverPoints([], [], { document })).toThrow(
    "curvesOverPoints: curves: expected at least one, got none",
  );
  expect(() => curvesOverPoints([[0, Number.NaN]], [{ name: "a", points: [] }], { document })).toThrow(
    "curvesOverPoints: expected finite numbers, got NaN",
  );
});

test("an unrolled network: a node for every input, state and loss, and a red edge before every piece but the first", async () => {
  const svg = unrolledGraph({ document, steps: 7, length: 3 });
  expect(svg.querySelectorAll("circle")).toHaveLength(3 * 7);
  const lines = [...svg.querySelectorAll("line")];
  expect(lines).toHaveLength(2 * 7 + 6);
  const cut = lines.filter((line) => line.getAttribute("stroke-dasharray") !== null);
  const states = [...svg.querySelectorAll("circle")].filter((circle) => circle.getAttribute("cy") === "88");
  const x = (t: number) => Number(states[t]!.getAttribute("cx"));
  // Between h3 and h4, and between h6 and h7.
  for (const [i, t] of [2, 5].entries()) {
    const [from, to] = numbers(cut[i]!, ["x1", "x2"]);
    expect([from! > x(t), to! < x(t + 1)]).toEqual([true, true]);
  }
  expect(cut).toHaveLength(2);
  expect(svg.getAttribute("aria-label")).toBe(
    "A recurrent network over 7 steps; the gradient stops at 2 of 6 edges",
  );
  expect(() => unrolledGraph({ document, steps: 4, length: 0 })).toThrow(
    "unrolledGraph: length: expected an integer, at least 1, got 0",
  );
  await expect(file(svg)).toMatchFileSnapshot(gallery("unrolled-graph"));
});
