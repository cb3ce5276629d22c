import {
  enableProdMode,
  memory,
  ones,
  setBackend,
  type Tensor,
  type Tensor4D,
  tensor,
  zeros,
} from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, expect, test } from "vitest";
import { modelMaps } from "../src/studies/classify/model-maps.js";

beforeAll(() => {
  enableProdMode();
  return setBackend("cpu");
});

/** Steps that give out these tensors, made when they are asked for. */
const stepsOf = (made: Readonly<Record<string, () => Tensor>>) => ({
  list: () => Object.keys(made).map((name) => ({ name, op: "step" })),
  outputs: async (_: Tensor, names: readonly string[]) => names.map((name) => made[name]!()),
});

test("maps stand channels first, and everything that was computed is disposed", async () => {
  const x = ones([1, 2, 3, 2]) as Tensor4D;
  const before = memory().numTensors;
  const { layers, maps } = await modelMaps(
    stepsOf({
      map: () => tensor([1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6], [1, 2, 3, 2]),
      tokens: () => tensor([1, 2, 3, 4, 5, 6], [1, 3, 2]),
      units: () => tensor([0, 7], [1, 2]),
      bare: () => tensor([8, 0, 0]),
    }),
    x,
  );
  expect(maps.map(({ layer, shape, values }) => [layer, shape, [...values]])).toEqual([
    ["map", [2, 2, 3], [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6]],
    ["tokens", [1, 3, 2], [1, 2, 3, 4, 5, 6]],
    ["units", [2, 1, 1], [0, 7]],
    ["bare", [3, 1, 1], [8, 0, 0]],
  ]);
  expect(layers.map(({ shape }) => shape)).toEqual([[2, 2, 3], [1, 3, 2], [2], [3]]);
  expect(memory().numTensors).toBe(before);
  x.dispose();
});

test("sixteen channels of a map and 64 units are kept; numbers and lists of several images have no picture", async () => {
  const x = ones([1, 1, 1, 1]) as Tensor4D;
  const { maps } = await modelMaps(
    stepsOf({
      wide: () => zeros([1, 2, 2, 40]),
      long: () => zeros([1, 100]),
      whole: () => zeros([1, 2], "int32"),
      several: () => zeros([2, 3]),
      solid: () => zeros([1, 2, 2, 2, 2]),
      number: () => tensor(1),
      empty: () => zeros([1, 0]),
    }),
    x,
  );
  expect(maps.map(({ layer, shape }) => [layer, ...shape])).toEqual([
    ["wide", 16, 2, 2],
    ["long", 64, 1, 1],
  ]);
  x.dispose();
});
