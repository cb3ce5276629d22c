import {
  grad,
  mul,
  square,
  sum,
  type Tensor,
  type Tensor2D,
  tensor,
  variable,
  variableGrads,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { embed, installGradients, ShapeError } from "../src/index.js";
import { expectNoLeak, numbers, wave } from "./tensors.js";

beforeAll(installGradients);

const ids = (values: number[], shape = [values.length]) => tensor(values, shape, "int32");

test("each id gives its row, for ids of any rank", async () => {
  const table = tensor([[1, 2], [3, 4], [5, 6]]) as Tensor2D; // biome-ignore format: a table
  expect(await numbers(embed(table, ids([2, 0, 2])))).toEqual([5, 6, 1, 2, 5, 6]);
  const deep = embed(table, ids([0, 1, 2, 0], [2, 1, 2]));
  expect(deep.shape).toEqual([2, 1, 2, 2]);
  expect(await numbers(deep)).toEqual([1, 2, 3, 4, 5, 6, 1, 2]);
  const one = embed(table, ids([1], []));
  expect(one.shape).toEqual([2]);
  expect(await numbers(one)).toEqual([3, 4]);
  expect(embed(table, ids([], [0])).shape).toEqual([0, 2]);
});

test("the gradient adds up the rows of repeated ids and is 0 for ids that do not occur", async () => {
  const table = wave([5, 2]) as Tensor2D;
  const weights = tensor([1, 2, 30, 40, 500, 600], [3, 2]);
  const got = grad((t: Tensor) => sum(mul(embed(t as Tensor2D, ids([3, 1, 3])), weights)))(table);
  expect(await numbers(got)).toEqual([0, 0, 30, 40, 0, 0, 501, 602, 0, 0]);
  const none = grad((t: Tensor) => sum(embed(t as Tensor2D, ids([], [0]))))(table);
  expect(await numbers(none)).toEqual(new Array(10).fill(0));
});

test("the gradient of the gradient is right: of Σ embed(t)³ it is 6 t v where the ids point", async () => {
  const table = wave([4, 3]) as Tensor2D;
  const direction = wave([4, 3], 1);
  const cubes = (t: Tensor) => {
    const rows = embed(t as Tensor2D, ids([2, 0, 2]));
    return sum(mul(rows, square(rows)));
  };
  const product = grad((t: Tensor) => sum(mul(grad(cubes)(t), direction)) as Tensor)(table);
  const [t, v, got] = [await table.data(), await direction.data(), await numbers(product)];
  const times = [1, 0, 2, 0]; // how often each id occurs
  for (const [i, value] of got.entries()) {
    const expected = 6 * t[i]! * v[i]! * times[Math.floor(i / 3)]!;
    // three float32 products of numbers below 12
    expect(Math.abs(value - expected)).toBeLessThan(12 * 4 * 2 ** -24);
  }
});

test("an id outside of the table gives a row of NaN and touches no other row", async () => {
  const table = tensor([[1, 2], [3, 4]]) as Tensor2D; // biome-ignore format: a table
  const nan = Number.NaN;
  expect(await numbers(embed(table, ids([-1, 1, 2, 2 ** 31 - 1])))).toEqual([
    nan,
    nan,
    3,
    4,
    nan,
    nan,
    nan,
    nan,
  ]);
});

test("ids that are made inside of the loss are still there for the gradient", async () => {
  const table = variable(zeros([3, 2])) as Tensor as Tensor2D;
  const { value, grads: got } = variableGrads(() => sum(embed(table, ids([1]))));
  value.dispose();
  expect(await numbers(Object.values(got)[0]!)).toEqual([0, 0, 1, 1, 0, 0]);
  table.dispose();
});

test("neither the rows nor their gradients leave tensors behind", async () => {
  const table = wave([4, 3]) as Tensor2D;
  const picked = ids([1, 1, 3]);
  await expectNoLeak(() => {
    embed(table, picked).dispose();
    const squares = (t: Tensor) => sum(square(embed(t as Tensor2D, picked))) as Tensor;
    grad(squares)(table).dispose();
    grad((t: Tensor) => sum(square(grad(squares)(t))) as Tensor)(table).dispose();
  });
});

test("a table that is none and ids that are no integers are refused", () => {
  const table = zeros([3, 2]) as Tensor2D;
  expect(() => embed(zeros([3]) as Tensor as Tensor2D, ids([0]))).toThrow(
    new ShapeError("embed: table: expected [?, ?], got [3]"),
  );
  expect(() => embed(zeros([0, 2]), ids([0]))).toThrow(
    new ShapeError("embed: table: expected at least one row, got [0, 2]"),
  );
  expect(() => embed(table, tensor([0, 1]))).toThrow(
    new TypeError("embed: ids: expected int32, got float32"),
  );
});
