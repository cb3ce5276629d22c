import type { Tensor } from "@tensorflow/tfjs-core";

/** Checks the type of a tensor's elements. */
export function expectDtype(where: string, tensor: Tensor, expected: Tensor["dtype"]): void {
  if (tensor.dtype !== expected) {
    throw new TypeError(`${where}: expected ${expected}, got ${tensor.dtype}`);
  }
}
