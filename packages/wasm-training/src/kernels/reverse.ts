import { util } from "@tensorflow/tfjs-core";
import { allocate, sizeOf } from "../heap.js";
import { kernelOver } from "../kernel.js";

/** Turns axes around, block by block; the stock kernel computes the place of every element anew. */
export const reverseKernel = () =>
  kernelOver("Reverse", ({ inputs, backend, attrs }, stock) => {
    const x = inputs.x!;
    if (x.dtype === "string" || x.shape.length === 0) return stock({ inputs, backend, attrs });
    const axes = util.parseAxisParam(attrs.dims, x.shape);
    let current = x;
    backend.incRef(x.dataId);
    for (const axis of axes) {
      const n = x.shape[axis]!;
      const block = sizeOf(x.shape.slice(axis + 1));
      const out = allocate(backend, x.shape, x.dtype);
      const from = backend.typedArrayFromHeap(current);
      const to = backend.typedArrayFromHeap(out);
      for (let start = 0; start < from.length; start += n * block) {
        for (let i = 0; i < n; i++) {
          const source = start + i * block;
          const target = start + (n - 1 - i) * block;
          for (let k = 0; k < block; k++) to[target + k] = from[source + k]!;
        }
      }
      backend.disposeData(current.dataId);
      current = out;
    }
    return { dataId: current.dataId, shape: x.shape, dtype: x.dtype };
  });
