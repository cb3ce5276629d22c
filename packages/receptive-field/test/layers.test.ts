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
  // PyTorch: MaxPool2d(3, 2, ceil_mode=True) of 2 x 2 is 1 x 1.
  expect(n("pool1 3/2 ceil", 2)).toBe(1);
});

test("an upsampled global pool sees the same everywhere and is no misalignment", () => {
  const field = receptiveField(
    chain(
      [8],
      { name: "c", op: "conv", kernel: 3, stride: 2, padding: 1 },
      { name: "b", op: "conv", kernel: 3, dilation: 2, padding: 2 },
      { name: "g", op: "global-pool", inputs: ["c"] },
      { name: "u", op: "resize", size: 4, method: "bilinear" },
      { name: "cat", op: "concat", inputs: ["b", "u"] },
    ),
  );
  expect(field.misalignments).toEqual([]);
  expect(field.layers[3]).toMatchObject({ n: [4], size: [9], jump: [0], start: [3] });
  // c sees −1 … 7; b reaches 5 pixels to each side of the centre of its unit.
  expect([0, 3].map((unit) => field.unit("cat", [unit]).axes[0]!.pixels)).toEqual([
    [-5, 7],
    [-1, 11],
  ]);
});

test("a box that lies outside the input has nothing of it, and so has its unit", () => {
  const { unit } = receptiveField(
    chain([4], { name: "pad", op: "pad", padding: 3 }, { name: "c", op: "conv", kernel: 2 }),
  );
  expect(unit("c", [0])).toMatchObject({
    axes: [{ pixels: [-3, -2], clipped: null }],
    contributing: 0,
    holes: 0,
  });
  expect(unit("c", [8])).toMatchObject({ axes: [{ pixels: [5, 6], clipped: null }], contributing: 0 });
});

test("transposed same and valid give TensorFlow's sizes and begin", () => {
  const up = (padding: "same" | "valid", kernel: number, stride: number) => {
    const field = receptiveField(chain([5], { name: "up", op: "transposed-conv", kernel, stride, padding }));
    return [field.layers[0]!.n[0], field.unit("up", [0]).axes[0]!.pixels];
  };
  // Output 0 is written by input k through tap t where 2k + t = begin.
  expect(up("same", 4, 2)).toEqual([10, [-1, 0]]);
  expect(up("same", 5, 2)).toEqual([10, [-1, 0]]);
  expect(up("valid", 4, 2)).toEqual([12, [-1, 0]]);
  expect(up("valid", 1, 3)).toEqual([15, [0, 0]]);
});

test("a merge whose branch lies inside the other one states what all units share", () => {
  const { layers } = receptiveField(parseNetwork("a 2/2, b 3/1 from input, s = a + b"), { inputSize: 4 });
  expect(layers[2]).toMatchObject({ n: [2, 2], size: [3, 3], jump: [1, 1], start: [1, 1] });
});

test("fields, phases and periods beyond all use are refused by the name of the layer", () => {
  const refused = (text: string, inputSize: number) => () =>
    receptiveField(parseNetwork(text), { inputSize });
  const huge: LayerGraph = {
    input: { shape: [7, 7] },
    layers: [{ name: "r", op: "resize", size: [4, 2 ** 31 - 1] }],
  };
  // Before a table of so many boxes is made.
  expect(() => receptiveField(huge)).toThrow(
    'layer "r": expected boxes that repeat after at most 65536 units, got 2147483647',
  );
  expect(refused("t 1000000/1000000 transposed", 4)).toThrow(
    'layer "t": expected boxes that repeat after at most 65536 units, got 1000000',
  );
  expect(refused("c 9/8 d9, g global", 100_000_000)).not.toThrow();
  expect(refused("c 2/8 d3, g global", 100_000_000)).toThrow(
    'layer "g": expected fields of at most 1048576 runs of pixels',
  );
  expect(refused("c 1000000 d2, c2 1000000 d3", 10_000_000)).toThrow("runs of pixels");
  const stack = Array.from({ length: 12 }, (_, i) => `c${i} 3/1000`).join(", ");
  expect(() => receptiveField(parseNetwork(stack))).toThrow(
    "expected a field of fewer than 2^53 pixels, got more",
  );
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
  // Every unit sees −1 … 6.
  expect(field.layers[2]).toMatchObject({ size: [8, 8], jump: [0, 0], start: [2.5, 2.5] });
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

test("holes are known however many kinds of units there are, where all see as much", () => {
  const { layers } = receptiveField({
    input: { shape: [3, 3] },
    layers: [{ name: "up", op: "transposed-conv", kernel: 20, stride: 20 }],
  });
  // Twenty phases along each axis, 400 kinds: every unit sees one pixel.
  expect(layers[0]).toMatchObject({ n: [60, 60], size: [1, 1], contributing: [1, 1], holes: 0 });
});
