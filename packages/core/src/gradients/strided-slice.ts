import {
  type GradConfig,
  pad,
  reshape,
  reverse,
  type StridedSliceAttrs,
  slice,
  slice_util,
  type Tensor,
  util,
  zeros,
} from "@tensorflow/tfjs-core";

/** Spreads the elements of the middle axis of `[outer, n, inner]` to `begin, begin + stride, …` of `size` zeros. */
function spread(x: Tensor, begin: number, stride: number, size: number): Tensor {
  const [outer, n, inner] = x.shape as [number, number, number];
  const [upwards, step] = [stride > 0 ? x : reverse(x, 1), Math.abs(stride)];
  const first = stride > 0 ? begin : begin + (n - 1) * stride;
  const gaps = pad(reshape(upwards, [outer * n, 1, inner]), [
    [0, 0],
    [0, step - 1],
    [0, 0],
  ]);
  const after = size - first - n * step;
  const dense = reshape(gaps, [outer, n * step, inner]);
  const cut = after < 0 ? slice(dense, [0, 0, 0], [outer, n * step + after, inner]) : dense;
  return pad(cut, [
    [0, 0],
    [first, Math.max(0, after)],
    [0, 0],
  ]);
}

/** The gradient of `stridedSlice`: each element back to the place that it was taken from. tfjs-core has none. */
export const stridedSliceGradient: GradConfig = {
  kernelName: "StridedSlice",
  inputsToSave: ["x"],
  gradFunc: (dy, saved, attrs) => {
    const { shape } = saved[0]!;
    const a = attrs as unknown as StridedSliceAttrs;
    return {
      x: () => {
        const info = slice_util.sliceInfo(
          shape,
          a.begin,
          a.end,
          a.strides,
          a.beginMask,
          a.endMask,
          a.ellipsisMask,
          a.newAxisMask,
          a.shrinkAxisMask,
        );
        if (util.sizeFromShape(info.finalShapeSparse) === 0) return zeros(shape);
        // From the last axis to the first; those behind an axis have the size of x already.
        const taken = shape.map((_, i) => sliceSize(info, i));
        const dx = shape.reduceRight<Tensor>((y, size, i) => {
          const outer = util.sizeFromShape(taken.slice(0, i));
          const inner = util.sizeFromShape(shape.slice(i + 1));
          return spread(reshape(y, [outer, taken[i]!, inner]), info.begin[i]!, info.strides[i]!, size);
        }, dy as Tensor);
        return reshape(dx, shape);
      },
    };
  },
};

/** How many elements a strided slice takes along an axis. */
function sliceSize({ begin, end, strides }: slice_util.SliceInfo, axis: number): number {
  return Math.max(0, Math.ceil((end[axis]! - begin[axis]!) / strides[axis]!));
}
