import {
  greaterEqual,
  less,
  logicalAnd,
  scalar,
  type Tensor,
  type Tensor1D,
  where,
} from "@tensorflow/tfjs-core";

/**
 * Indices that no kernel can be hurt by: those outside of [0, n) become 0, and `penalty` is NaN for them, 0 for the
 * others. Reading them to throw an error instead would be synchronous, which WebGPU does not have; and the kernels
 * themselves throw, read other memory or clamp, depending on the backend. To be called in a `tidy`.
 */
export function validIndices(indices: Tensor, n: number): { safe: Tensor1D; penalty: Tensor1D } {
  const valid = logicalAnd(greaterEqual(indices, scalar(0, "int32")), less(indices, scalar(n, "int32")));
  return {
    safe: where(valid, indices, scalar(0, "int32") as Tensor) as Tensor1D,
    penalty: where(valid, scalar(0), scalar(Number.NaN)) as Tensor as Tensor1D,
  };
}
