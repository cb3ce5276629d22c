import { expectShape } from "../expect-shape.js";
import { entriesOf, type ParamsOf } from "./params.js";

/**
 * Checks that a parameter record has the paths of another, and tensors of the same shapes and types there.
 *
 * @param where What is checked: begins the message.
 * @param params The record in question.
 * @param like The record that it should be like.
 * @throws {ShapeError} such as `resume: out.bias: expected [3], got [4]`.
 * @throws {RangeError} when a tensor is missing, superfluous or of another type; the message names its path.
 */
export function expectSameParams<T extends ParamsOf<T>, U extends ParamsOf<U>>(
  where: string,
  params: T,
  like: U,
): void {
  const got = new Map(entriesOf(where, params));
  for (const [path, { shape, dtype }] of entriesOf(where, like)) {
    const tensor = got.get(path);
    if (tensor === undefined) {
      throw new RangeError(`${where}: ${path}: expected a tensor [${shape.join(", ")}], got none`);
    }
    expectShape(`${where}: ${path}`, tensor, shape);
    if (tensor.dtype !== dtype) {
      throw new RangeError(`${where}: ${path}: expected ${dtype}, got ${tensor.dtype}`);
    }
    got.delete(path);
  }
  for (const [path, { shape }] of got) {
    throw new RangeError(`${where}: ${path}: expected no such tensor, got [${shape.join(", ")}]`);
  }
}
