import {
  add,
  type GatherV2Attrs,
  type GradConfig,
  range,
  reshape,
  type Tensor,
  type Tensor1D,
  transpose,
  unsortedSegmentSum,
  util,
  zeros,
} from "@tensorflow/tfjs-core";

/** Swaps the middle axes of `[a, b, c, d]`; free of work when one of them is 1. */
function swapMiddle(x: Tensor, [a, b, c, d]: [number, number, number, number]): Tensor {
  if (b === 1 || c === 1) return reshape(x, [a, c, b, d]);
  return transpose(reshape(x, [a, b, c, d]), [0, 2, 1, 3]);
}

/**
 * The gradient of `gather(x, indices, axis, batchDims)`: each slice of `dy` is
 * added to the slice of zeros that it was taken from, all in one scatter-add.
 *
 * Unlike tfjs-core: any number of batch dimensions (tfjs-core takes one apart
 * with chained ops, which throw where these are not registered, and is wrong
 * for more), and a zero gradient for indices that depend on a variable.
 */
export const gatherGradient: GradConfig = {
  kernelName: "GatherV2",
  inputsToSave: ["x", "indices"],
  gradFunc: (dy, saved, attrs) => {
    const [x, indices] = saved as [Tensor, Tensor];
    const { axis, batchDims } = attrs as unknown as GatherV2Attrs;
    const along = util.parseAxisParam(axis, x.shape)[0]!;
    const batch = util.sizeFromShape(x.shape.slice(0, batchDims));
    const outer = util.sizeFromShape(x.shape.slice(batchDims, along));
    const inner = util.sizeFromShape(x.shape.slice(along + 1));
    const n = x.shape[along]!;
    const taken = indices.size / batch;
    const dx = () => {
      const values = reshape(swapMiddle(dy as Tensor, [batch, outer, taken, inner]), [
        batch * taken,
        outer * inner,
      ]);
      const first = reshape(range(0, batch * n, n, "int32"), [batch, 1]);
      const rows = batch === 1 ? indices : add(reshape(indices, [batch, taken]), first);
      const sums = unsortedSegmentSum(values, reshape(rows, [batch * taken]) as Tensor1D, batch * n);
      return reshape(swapMiddle(sums, [batch, n, outer, inner]), x.shape);
    };
    return { x: dx, indices: () => zeros(indices.shape) };
  },
};
