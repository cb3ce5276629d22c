import { scalar, zeros } from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { expectShape, ShapeError } from "../src/index.js";
import "./tensors.js";

test("a tensor of the expected sizes passes, with any size where null stands", () => {
  expectShape("f: x", zeros([2, 3]), [2, 3]);
  expectShape("f: x", zeros([2, 3]), [null, 3]);
  expectShape("f: x", zeros([0, 3]), [null, 3]);
  expectShape("f: x", scalar(1), []);
});

test("the message names the argument, what was expected and what came", () => {
  expect(() => expectShape("attend: k", zeros([2, 3, 4]), [2, null, 8])).toThrow(
    new ShapeError("attend: k: expected [2, ?, 8], got [2, 3, 4]"),
  );
});

test("what is no tensor is refused", () => {
  for (const [value, shown] of [
    [undefined, "undefined"],
    [[[1]], "an array of length 1"],
    [{ shape: 3 }, "an object (Object)"],
  ] as const) {
    expect(() => expectShape("f: x", value as never, [null, 2])).toThrow(
      new TypeError(`f: x: expected a tensor of shape [?, 2], got ${shown}`),
    );
  }
});

test("more or fewer axes than expected are refused", () => {
  for (const [shape, expected] of [
    [[2], [2, 1]],
    [[2, 1], [2]],
    [[], [null]],
    [[1], []],
  ] as const) {
    expect(() => expectShape("f: x", zeros([...shape]), expected)).toThrow(ShapeError);
  }
});

test("a ShapeError is a RangeError with its own name", () => {
  const error = new ShapeError("x");
  expect(error).toBeInstanceOf(RangeError);
  expect(error.name).toBe("ShapeError");
});
