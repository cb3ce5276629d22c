import { slice_util, util } from "@tensorflow/tfjs-core";
import { allocate } from "../heap.js";
import { type KernelArguments, kernelOver } from "../kernel.js";

/** Every so many elements along each axis; the stock kernel loses the type. */
export const stridedSliceKernel = () =>
  kernelOver("StridedSlice", ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const x = inputs.x!;
    if (x.dtype === "string") return stock({ inputs, backend, attrs });
    const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
    const { finalShape, begin, end, strides } = slice_util.sliceInfo(
      x.shape,
      attrs.begin,
      attrs.end,
      attrs.strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    // Along the axes of x, those too that the result loses; an end before the begin is nothing.
    const sizes = slice_util.computeOutShape(begin, end, strides).map((n) => Math.max(0, n));
    const shape = finalShape.map((n) => Math.max(0, n));
    const out = allocate(backend, shape, x.dtype);
    const from = backend.typedArrayFromHeap(x);
    const to = backend.typedArrayFromHeap(out);
    const steps = [...util.computeStrides(x.shape), 1];
    const index = sizes.map(() => 0);
    for (let i = 0; i < to.length; i++) {
      let source = 0;
      for (let axis = 0; axis < index.length; axis++) {
        source += (begin[axis]! + index[axis]! * strides[axis]!) * steps[axis]!;
      }
      to[i] = from[source]!;
      for (let axis = index.length - 1; axis >= 0; axis--) {
        if (++index[axis]! < sizes[axis]!) break;
        index[axis] = 0;
      }
    }
    return out;
  });
