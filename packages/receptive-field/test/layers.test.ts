import { expect, test } from "vitest";
import { type Layer, type LayerGraph, parseNetwork, receptiveField } from "../src/index.js";

const chain = (shape: readonly (number | null)[], ...layers: Layer[]): LayerGraph => ({
  input: { shape },
  layers,
});

test("dilation moves the centre, not only the size", () => {
  const { layers } = receptiveField(parseNetwork("conv1 3/1 d2 p2"), { inputSize: 10, origin: "half" });
  expect(layers[0]).toMatchObject({ n: [10, 10], size: [5, 5], start: [0.5, 0.5], contributing: [3, 3] });
});

test("the three origins differ by their offset and by nothing else", () => {
  const starts = (["index", "half", "one"] as const).map((origin) => {
    const field = receptiveField(parseNetwork("conv1 5/2"), { inputSize: 11, origin });
    const [axis] = field.unit("conv1", [1, 1]).axes;
    expect(axis!.pixels).toEqual([2, 6]);
    return [field.layers[0]!.start[0], axis!.center, axis!.edges];
  });
  expect(starts).toEqual([
    [2, 4, [1.5, 6.5]],
    [2.5, 4.5, [2, 7]],
    [3, 5, [2.5, 7.5]],
  ]);
});

test("a transposed convolution with phases lists a box per phase and has no single jump", () => {
  const [row] = receptiveField(
    chain([4], { name: "up", op: "transposed-conv", kernel: 4, stride: 2, padding: 1 }),
  ).layers;
  expect(row).toMatchObject({ n: [8], size: [2], jump: [null], start: [null], padding: [null] });
  expect(row!.phases).toEqual([
    {
      period: 2,
      shift: 1,
      boxes: [
        [-1, 0],
        [0, 1],
      ],
    },
  ]);
});

test("what a transposed convolution tore apart, a strided one puts together again", () => {
  const { layers } = receptiveField(
    chain(
      [8],
      { name: "up", op: "transposed-conv", kernel: 2, stride: 2 },
      { name: "down", op: "conv", kernel: 2, stride: 2 },
    ),
  );
  expect(layers[1]).toMatchObject({ n: [8], size: [1], jump: [1], start: [0] });
});

test("a transposed convolution whose stride exceeds its kernel leaves units that see nothing", () => {
  const field = receptiveField(chain([3], { name: "up", op: "transposed-conv", kernel: 1, stride: 2 }));
  expect(field.layers[0]!.phases![0]!.boxes).toEqual([[0, 0], null]);
  expect(field.unit("up", [1])).toMatchObject({
    axes: [{ center: null, edges: null, pixels: null, clipped: null }],
    contributing: 0,
  });
});

test("an adaptive pool that divides is a window, one that does not lists its units", () => {
  const pool = (outputSize: number): Layer => ({ name: "pool", op: "adaptive-pool", outputSize });
  expect(receptiveField(chain([12], pool(4))).layers[0]).toMatchObject({ size: [3], jump: [3], start: [1] });
  const [row] = receptiveField(chain([10], pool(4))).layers;
  // PyTorch: floor(i 10 / 4) … ceil((i + 1) 10 / 4) − 1
  expect(row).toMatchObject({ size: [3], jump: [null], start: [null] });
  expect(row!.phases![0]).toEqual({
    period: 2,
    shift: 5,
    boxes: [
      [0, 2],
      [2, 4],
    ],
  });
});

test("global pooling and dense layers see everything, and nothing is known of them without a size", () => {
  const layers: Layer[] = [
    { name: "conv", op: "conv", kernel: 3, padding: 1 },
    { name: "pool", op: "global-pool" },
    { name: "flat", op: "flatten" },
    { name: "fc", op: "dense", units: 10 },
  ];
  const sized = receptiveField(chain([8, 6], ...layers)).layers;
  expect(sized.map(({ n, size }) => [n, size])).toEqual([
    [
      [8, 6],
      [3, 3],
    ],
    [
      [1, 1],
      [10, 8],
    ],
    [
      [1, 1],
      [10, 8],
    ],
    [
      [1, 1],
      [10, 8],
    ],
  ]);
  const open = receptiveField(chain([null, null], ...layers));
  expect(open.layers[3]).toMatchObject({ n: [1, 1], size: [null, null], start: [null, null] });
  expect(open.unit("fc", [0, 0])).toMatchObject({ contributing: null, holes: null });
});

test("padding is seen as the box's share outside the input, cropping as negative padding", () => {
  const { layers, unit } = receptiveField(
    chain(
      [10],
      { name: "crop", op: "pad", padding: [[-3, -2]] },
      { name: "conv", op: "conv", kernel: 3, padding: 1 },
    ),
  );
  expect(layers.map(({ n, padding, start }) => [n[0], padding[0], start[0]])).toEqual([
    [5, -3, 3],
    [5, -2, 3],
  ]);
  // Pixel 2 lies in the box, but the crop has taken it away before the convolution pads.
  expect(unit("conv", [0])).toMatchObject({
    axes: [{ pixels: [2, 4], clipped: [2, 4] }],
    contributing: 2,
    holes: 1,
  });
});

test("a 1x5 beside a 5x1 sees a cross: no holes along an axis, sixteen in the box", () => {
  const { layers } = receptiveField(
    parseNetwork("row 1x5/1 same, column 5x1/1 same from input, sum = row + column"),
    {
      inputSize: 9,
    },
  );
  expect(layers[2]).toMatchObject({ size: [5, 5], contributing: [5, 5], holes: 25 - 9 });
});

test("ceil mode adds the window that is left over, unless it would start in the end padding", () => {
  const n = (text: string, inputSize: number) =>
    receptiveField(parseNetwork(text), { inputSize }).layers[0]!.n[0];
  expect(n("pool1 3/2", 112)).toBe(55);
  expect(n("pool1 3/2 ceil", 112)).toBe(56);
  // PyTorch: a last window that starts beyond the input is dropped.
  expect(n("pool1 2/2 p1 ceil", 3)).toBe(2);
});

test("a squeeze-and-excite branch is broadcast: everything is seen, and it is no misalignment", () => {
  const field = receptiveField(
    chain(
      [6, 6],
      { name: "conv", op: "conv", kernel: 3, padding: 1 },
      { name: "squeeze", op: "global-pool" },
      { name: "excite", op: "multiply", inputs: ["conv", "squeeze"] },
    ),
  );
  expect(field.misalignments).toEqual([]);
  expect(field.unit("excite", [5, 0])).toMatchObject({ contributing: 36, holes: 0 });
});

test("layers may be listed in any order", () => {
  const layers: Layer[] = [
    { name: "b", op: "conv", kernel: 3, inputs: ["a"] },
    { name: "a", op: "conv", kernel: 3, stride: 2, inputs: ["input"] },
  ];
  expect(receptiveField(chain([20], ...layers)).layers.map(({ name, size }) => [name, size[0]])).toEqual([
    ["a", 3],
    ["b", 7],
  ]);
});

test("the result is plain data that survives JSON", () => {
  const field = receptiveField(parseNetwork("conv1 3/2"), { inputSize: 9 });
  const { unit: _unit, pixelsOf: _pixelsOf, unitsSeeing: _unitsSeeing, ...data } = field;
  expect(JSON.parse(JSON.stringify(field))).toEqual(data);
});
