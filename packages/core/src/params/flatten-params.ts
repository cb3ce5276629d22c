import type { Tensor } from "@tensorflow/tfjs-core";
import { entriesOf, type ParamsOf } from "./params.js";

/**
 * The tensors of a parameter record with their paths, sorted by path (by UTF-16 code units, so `"layers.10"` comes
 * before `"layers.2"`): the order depends on names alone, never on the order in which the record was filled.
 *
 * @param params Borrowed; the tensors are not copied.
 * @throws {TypeError} when something is neither a tensor nor a plain record or list of them; the message names its path.
 * @throws {RangeError} when a name is empty, has a dot in it or is `__proto__`.
 */
export function flattenParams<T extends ParamsOf<T>>(params: T): [path: string, tensor: Tensor][] {
  return entriesOf("flattenParams", params);
}
