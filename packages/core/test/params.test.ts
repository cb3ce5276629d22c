import { memory, scalar, type Tensor, type Tensor2D, zeros } from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  countParams,
  disposeParams,
  expectSameParams,
  flattenParams,
  mapParams,
  type Params,
  ShapeError,
  unflattenParams,
} from "../src/index.js";
import { expectNoLeak, numbers } from "./tensors.js";

interface Model {
  readonly layers: readonly { readonly kernel: Tensor2D; readonly bias?: Tensor | undefined }[];
  readonly out: { readonly scale: Tensor };
}

const model = (): Model => ({
  layers: [{ kernel: zeros([2, 3]), bias: zeros([3]) }, { kernel: zeros([3, 4]) }],
  out: { scale: scalar(1) },
});

const paths = (params: Params) => flattenParams(params).map(([path]) => path);

test("the order of the paths does not depend on the order in which a record was filled", () => {
  const [a, b, c] = [scalar(1), scalar(2), scalar(3)];
  const one = flattenParams({ z: a, a: { y: b, x: c } });
  const other = flattenParams({ a: { x: c, y: b }, z: a });
  expect(one).toEqual([["a.x", c], ["a.y", b], ["z", a]]); // biome-ignore format: a table
  expect(other.map(([path, tensor]) => [path, tensor.id])).toEqual(one.map(([path, t]) => [path, t.id]));
});

test("paths are sorted by code units, which no locale changes, indices of lists like names", () => {
  const layers = Array.from({ length: 11 }, () => scalar(0));
  expect(paths({ layers, ä: scalar(0), a_b: scalar(0), aB: scalar(0) })).toEqual([
    "aB",
    "a_b",
    "layers.0",
    "layers.1",
    "layers.10",
    ...[2, 3, 4, 5, 6, 7, 8, 9].map((i) => `layers.${i}`),
    "ä",
  ]);
});

test("flattening takes lists and interfaces, and passes over optional tensors that are not there", () => {
  expect(flattenParams(model()).map(([path]) => path)).toEqual([
    "layers.0.bias",
    "layers.0.kernel",
    "layers.1.kernel",
    "out.scale",
  ]);
  expect(flattenParams({ layers: [{ kernel: zeros([1, 1]), bias: undefined }] })).toHaveLength(1);
  expect(flattenParams({})).toEqual([]);
});

test("what is no record of tensors is refused, with its path", () => {
  const bad = (params: unknown) => () => flattenParams(params as Params);
  expect(bad(null)).toThrow(new TypeError("flattenParams: expected a record of tensors, got null"));
  expect(bad(scalar(1))).toThrow(/^flattenParams: expected a record of tensors, got an object/);
  expect(bad({ a: { b: 3 } })).toThrow(
    new TypeError("flattenParams: a.b: expected a tensor or a record of tensors, got 3"),
  );
  expect(bad({ a: new Map() })).toThrow(
    new TypeError("flattenParams: a: expected a tensor or a record of tensors, got an object (Map)"),
  );
});

test("names from which a path could not be taken apart are refused", () => {
  for (const name of ["a.b", "", "__proto__"]) {
    const params = Object.fromEntries([["x", Object.fromEntries([[name, scalar(1)]])]]);
    expect(() => flattenParams(params)).toThrow(
      `flattenParams: x: expected names without dots, neither "" nor "__proto__", got ${JSON.stringify(name)}`,
    );
  }
});

test("flattening and unflattening are inverse, and the order of the entries does not matter", () => {
  const name = fc.stringMatching(/^[a-c0-2]{1,2}$/);
  const record = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constant(0),
      fc.dictionary(name, tie("node"), { minKeys: 1, maxKeys: 3 }),
      fc.array(tie("node"), { minLength: 1, maxLength: 3 }),
    ),
  })).node;
  const leaf = scalar(0);
  const withTensors = (node: unknown): unknown => {
    if (node === 0) return leaf;
    if (Array.isArray(node)) return node.map(withTensors);
    return Object.fromEntries(
      Object.entries(node as object).map(([key, child]) => [key, withTensors(child)]),
    );
  };
  fc.assert(
    fc.property(fc.dictionary(name, record, { minKeys: 1 }), fc.nat(), (shape, turn) => {
      const entries = flattenParams(withTensors(shape) as Params);
      const at = turn % entries.length;
      const rebuilt = unflattenParams([...entries.slice(at), ...entries.slice(0, at)]);
      expect(flattenParams(rebuilt).map(([path]) => path)).toEqual(entries.map(([path]) => path));
    }),
  );
});

test("a level with the names 0 to n - 1 becomes a list, any other a record", () => {
  const [a, b] = [scalar(1), scalar(2)];
  const got = unflattenParams([["l.1", b], ["l.0", a], ["m.1", a], ["m.2", b]]); // biome-ignore format: a table
  expect(Array.isArray(got.l)).toBe(true);
  expect((got.l as Tensor[]).map(({ id }) => id)).toEqual([a.id, b.id]);
  expect(Array.isArray(got.m)).toBe(false);
});

test("unflattening refuses a path that comes twice, leads through a tensor, or is no path", () => {
  const t = scalar(0);
  for (const entries of [
    ["a", "a"],
    ["a", "a.b"],
    ["a.b", "a"],
  ]) {
    expect(() => unflattenParams(entries.map((path) => [path, t] as const))).toThrow(
      `unflattenParams: ${entries[1]}: expected one tensor per path and none on the way, got two`,
    );
  }
  for (const path of ["", "a..b", "__proto__.x", "a."]) {
    expect(() => unflattenParams([[path, t]])).toThrow(/^unflattenParams: .*expected names without dots/);
  }
  expect(({} as { x?: unknown }).x).toBeUndefined();
});

test("mapping keeps the containers, gives the paths in order, and the record its type", async () => {
  const params = model();
  const seen: string[] = [];
  const mapped: Model = mapParams(params, (tensor, path) => {
    seen.push(path);
    return zeros(tensor.shape);
  });
  expect(seen).toEqual(flattenParams(params).map(([path]) => path));
  expect(Array.isArray(mapped.layers)).toBe(true);
  expect(mapped.layers[1]!.kernel.shape).toEqual([3, 4]);
  expect(mapped.layers[1]!.bias).toBeUndefined();
  expect(await numbers(mapped.out.scale)).toEqual([0]);
});

test("counting adds up the numbers, not the tensors", () => {
  expect(countParams(model())).toBe(6 + 3 + 12 + 1);
});

test("disposing leaves no tensor, twice is once, and a record with a mistake is left whole", async () => {
  await expectNoLeak(() => {
    const params = model();
    disposeParams(params);
    disposeParams(params);
  });
  const kept = scalar(1);
  const before = memory().numTensors;
  expect(() => disposeParams({ a: kept, b: 3 } as unknown as Params)).toThrow(TypeError);
  expect(memory().numTensors).toBe(before);
});

test("records of the same paths, shapes and types are the same, lists or not", () => {
  expectSameParams("resume", { l: [scalar(1)] }, { l: { 0: scalar(2) } });
  const like = { out: { bias: zeros([3]), kernel: zeros([2, 3]) } };
  const same = (out: Params) => () => expectSameParams("resume", { out }, like);
  expect(same({ bias: zeros([4]), kernel: zeros([2, 3]) })).toThrow(
    new ShapeError("resume: out.bias: expected [3], got [4]"),
  );
  expect(same({ kernel: zeros([2, 3]) })).toThrow(
    new RangeError("resume: out.bias: expected a tensor [3], got none"),
  );
  expect(same({ bias: zeros([3]), kernel: zeros([2, 3]), more: scalar(1) })).toThrow(
    new RangeError("resume: out.more: expected no such tensor, got []"),
  );
  expect(same({ bias: zeros([3], "int32"), kernel: zeros([2, 3]) })).toThrow(
    new RangeError("resume: out.bias: expected float32, got int32"),
  );
});
