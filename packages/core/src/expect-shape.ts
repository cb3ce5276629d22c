import type { Tensor } from "@tensorflow/tfjs-core";
import { typeMismatch } from "./expect-argument.js";
import { ShapeError } from "./shape-error.js";

const show = (sizes: readonly (number | null)[]) => `[${sizes.map((size) => size ?? "?").join(", ")}]`;

/**
 * Checks the shape of an argument, before any work.
 *
 * @param where What is checked: `"attend: k"` begins the message.
 * @param tensor The argument; only its shape is looked at.
 * @param expected The size of each axis; `null` takes any size, `[]` is a scalar.
 * @throws {ShapeError} such as `attend: k: expected [2, ?, 8], got [2, 3, 4]`.
 * @throws {TypeError} when it is no tensor at all.
 */
export function expectShape(where: string, tensor: Tensor, expected: readonly (number | null)[]): void {
  const shape = (tensor as Tensor | null | undefined)?.shape;
  if (!Array.isArray(shape)) throw typeMismatch(where, `a tensor of shape ${show(expected)}`, tensor);
  const fits =
    shape.length === expected.length && expected.every((size, i) => size === null || size === shape[i]);
  if (!fits) throw new ShapeError(`${where}: expected ${show(expected)}, got ${show(shape)}`);
}
