import { allocate, floats, integers, sizeOf } from "../heap.js";
import { kernel } from "../kernel.js";

/**
 * Adds slices of `x` that share a segment, in one pass over `x`: the gradient
 * of `gather`, so of every embedding. Slices of a negative segment, or of one
 * beyond the last, are left out.
 */
export const unsortedSegmentSumKernel = () =>
  kernel("UnsortedSegmentSum", ({ inputs, backend, attrs }) => {
    const [x, segmentIds] = [inputs.x!, inputs.segmentIds!];
    const { numSegments } = attrs;
    const inner = x.shape.slice(segmentIds.shape.length);
    const n = sizeOf(inner);
    if (x.dtype !== "float32" && x.dtype !== "int32") {
      throw new Error(`unsortedSegmentSum: x: expected float32 or int32, got ${x.dtype}`);
    }
    const out = allocate(backend, [numSegments, ...inner], x.dtype);
    const view = x.dtype === "float32" ? floats : integers;
    const from = view(backend, x);
    const to = view(backend, out).fill(0);
    const ids = integers(backend, segmentIds);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (id < 0 || id >= numSegments) continue;
      for (let k = 0, s = i * n, t = id * n; k < n; k++) to[t + k]! += from[s + k]!;
    }
    return out;
  });
