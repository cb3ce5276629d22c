import { entriesOf, type ParamsOf } from "./params.js";

/**
 * Disposes all tensors of a parameter record; those that are disposed already stay so.
 *
 * @throws {TypeError | RangeError} as `flattenParams` does; then nothing is disposed.
 */
export function disposeParams<T extends ParamsOf<T>>(params: T): void {
  for (const [, tensor] of entriesOf("disposeParams", params)) tensor.dispose();
}
