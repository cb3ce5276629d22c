import fc from "fast-check";
import { expect, test } from "vitest";
import { type Layer, type LayerGraph, networkText, parseNetwork } from "../src/index.js";

const size = fc.integer({ min: 1, max: 9 });
const perAxis = fc.oneof(size, fc.tuple(size, size));
const pad = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.tuple(fc.nat(3), fc.nat(3)));
const optional = <T>(field: string, value: fc.Arbitrary<T>) =>
  fc.oneof(
    fc.constant({}),
    value.map((one) => ({ [field]: one })),
  );
const fields = (...parts: fc.Arbitrary<object>[]) =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object);
const is = (fixed: object) => fc.constant(fixed);
const bias = optional("bias", fc.constant(false));

const windows = fields(
  fc.record({ kernel: perAxis, stride: perAxis }),
  optional(
    "padding",
    fc.oneof(fc.integer({ min: 1, max: 4 }), fc.tuple(pad, pad), fc.constantFrom("same", "valid")),
  ),
  optional("dilation", fc.oneof(fc.integer({ min: 2, max: 5 }), fc.constant([1, 2]))),
);
const ceil = optional("ceilMode", fc.constant(true));
const ofConvolutions = fields(optional("filters", size), optional("groups", fc.constant(2)), bias);
const mode = fc.record({ mode: fc.constantFrom("max", "avg") });

/** Layers without their names and sources, as `parseNetwork` gives them. */
const anyLayer = fc.oneof(
  fields(is({ op: "conv" }), windows, ofConvolutions, ceil),
  fields(is({ op: "transposed-conv" }), windows, ofConvolutions),
  fields(is({ op: "pool" }), windows, mode, ceil),
  fields(is({ op: "global-pool" }), mode),
  fields(is({ op: "adaptive-pool" }), fc.record({ outputSize: perAxis }), mode),
  fields(is({ op: "pad" }), fc.record({ padding: fc.tuple(pad, pad) })),
  fields(is({ op: "resize" }), fc.record({ scale: perAxis, method: fc.constantFrom("nearest", "bilinear") })),
  is({ op: "flatten" }),
  fields(is({ op: "dense" }), optional("units", size), bias),
  fields(
    is({ op: "pointwise" }),
    fc.record({ fn: fc.constantFrom("relu", "relu6", "sigmoid", "tanh", "lrn") }),
  ),
  fields(is({ op: "pointwise", fn: "batch-norm" }), optional("epsilon", fc.constant(1e-3))),
  fields(
    is({ op: "pointwise", fn: "dropout" }),
    fc.record({ rate: fc.double({ min: 0, max: 0.99, noNaN: true }) }),
  ),
  is({ op: "add" }),
  is({ op: "concat" }),
);

const names = [
  "conv",
  "pool",
  "avgpool",
  "Maxpool-x.1",
  "deconv",
  "upconv_2",
  "p2",
  "same",
  "from",
  "layer1.0.conv1",
];

/** Any chain with branches of layers that read layers before them. */
const anyGraph: fc.Arbitrary<LayerGraph> = fc
  .array(fc.tuple(anyLayer, fc.constantFrom(...names), fc.array(fc.nat(50), { maxLength: 3 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((drafts) => {
    const named = drafts.map(([layer, name], i) => ({ ...(layer as { op: string }), name: `${name}${i}` }));
    const layers = named.map((layer, i) => {
      const earlier = ["input", ...named.slice(0, i).map(({ name }) => name)];
      const sources = drafts[i]![2].map((at) => earlier[at % earlier.length]!);
      const joins = layer.op === "add" || layer.op === "concat";
      const from = joins ? [...sources, "input", earlier.at(-1)!] : sources.slice(0, 1);
      return { ...layer, ...(from.length > 0 && { inputs: from }) } as unknown as Layer;
    });
    // What is behind a flattened layer may not have a window; the notation does not ask.
    return {
      input: { shape: [null, null] },
      layers: layers.filter(({ op }) => op !== "flatten" && op !== "dense"),
    };
  })
  .filter(({ layers }) => {
    const known = new Set(["input", ...layers.map(({ name }) => name)]);
    return layers.length > 0 && layers.every(({ inputs = [] }) => inputs.every((name) => known.has(name)));
  });

/** Shapes of the fields do not matter for equality: a tuple is an array. */
const plain = (graph: LayerGraph) => JSON.parse(JSON.stringify(graph)) as LayerGraph;

test("what is written is read as the same graph, and written again as the same text", () => {
  fc.assert(
    fc.property(anyGraph, (graph) => {
      const text = networkText(graph);
      expect(plain(parseNetwork(text))).toEqual(plain(graph));
      expect(networkText(parseNetwork(text))).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test("a whole LeNet is written with every name, and read again", () => {
  const text =
    "conv1 5 p2 f6, relu, pool1 2/2, conv2 5 f16, relu, avgpool 2/2, flatten, dropout 0.25, dense 120, bn, dense 10 nobias";
  const named =
    "conv1 5 p2 f6, relu1 relu, pool1 2/2, conv2 5 f16, relu2 relu, avgpool 2/2, flatten1 flatten, " +
    "dropout1 dropout 0.25, dense1 dense 120, bn1 bn, dense2 dense 10 nobias";
  expect(networkText(parseNetwork(text))).toBe(named);
  expect(parseNetwork(named)).toEqual(parseNetwork(text));
});

test("one and three axes are said where no size says them", () => {
  for (const text of ["1d: c 3 p4:0 d2", "3d: c 3x1x2 p1x0:1x2", "3d: c 3"]) {
    expect(networkText(parseNetwork(text))).toBe(text);
  }
});

test("defaults that are spelled out are left out, and what another default means is spelled out", () => {
  const layers: Layer[] = [
    {
      name: "c",
      op: "conv",
      kernel: 3,
      stride: 1,
      padding: 0,
      dilation: 1,
      groups: 1,
      bias: true,
      filters: 4,
    },
    { name: "n", op: "pointwise", fn: "batch-norm", epsilon: 1e-5, momentum: 0.1 },
    { name: "squeeze", op: "pool", mode: "max", kernel: 2 },
    { name: "pool", op: "conv", kernel: 1 },
    { name: "lrn1", op: "pointwise", fn: "lrn", size: 5, alpha: 1e-4, beta: 0.75, k: 2 },
  ];
  expect(networkText({ input: { shape: [8, 8], channels: 3 }, layers })).toBe(
    "c 3 f4, n bn, squeeze 2/2 max, pool 1 conv, lrn1 lrn",
  );
});

const unwritable: [layer: Layer, message: string][] = [
  [{ name: "a b", op: "flatten" }, 'layer "a b": name: expected letters, digits, _ . and -, a letter first, got "a b"'],
  [{ name: "relu", op: "conv", kernel: 3 }, 'layer "relu": name: expected another than a word of the notation, got "relu"'],
  [{ name: "p", op: "pool", kernel: 2 }, 'layer "p": mode: expected max or avg, got undefined'],
  [{ name: "m", op: "merge", fn: "maximum", inputs: ["input"] }, 'layer "m": op: expected one that the notation has, got "merge"'],
  [{ name: "f", op: "pointwise", fn: "gelu" }, 'layer "f": fn: expected one of relu, relu6, sigmoid, tanh, lrn, dropout, batch-norm, got "gelu"'],
  [{ name: "b", op: "pointwise", fn: "batch-norm", momentum: 0.2 }, 'layer "b": momentum: expected 0.1, got 0.2'],
  [{ name: "l", op: "pointwise", fn: "lrn", size: 3 }, 'layer "l": size: expected 5, got 3'],
  [{ name: "t", op: "transposed-conv", kernel: 3, stride: 2, outputPadding: 1 }, 'layer "t": outputPadding: expected 0, got 1'],
  [{ name: "r", op: "resize", size: 4 }, 'layer "r": size: expected a scale instead, got 4'],
  [{ name: "q", op: "pad", padding: 1, mode: "reflect" }, 'layer "q": mode: expected constant, got "reflect"'],
]; // biome-ignore format: a table

test.each(unwritable)("what the notation lacks is refused by layer and field: %j", (layer, message) => {
  expect(() => networkText({ input: { shape: [9, 9] }, layers: [layer] })).toThrow(`networkText: ${message}`);
});
