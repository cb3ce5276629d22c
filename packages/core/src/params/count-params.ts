import { entriesOf, type ParamsOf } from "./params.js";

/**
 * How many numbers a parameter record holds, over all of its tensors.
 *
 * @throws {TypeError | RangeError} as `flattenParams` does.
 */
export function countParams<T extends ParamsOf<T>>(params: T): number {
  return entriesOf("countParams", params).reduce((total, [, tensor]) => total + tensor.size, 0);
}
