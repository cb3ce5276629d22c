import { allocate } from "../heap.js";
import { kernel } from "../kernel.js";

/** Puts margins around a tensor; the stock kernel does not know NaN, and margins of nothing. */
export const padKernel = () =>
  kernel("PadV2", ({ inputs, backend, attrs }) => {
    const x = inputs.x!;
    const paddings = attrs.paddings as [number, number][];
    const shape = x.shape.map((n, i) => paddings[i]![0] + n + paddings[i]![1]);
    const out = allocate(backend, shape, x.dtype);
    const from = backend.typedArrayFromHeap(x);
    const to = backend.typedArrayFromHeap(out).fill(attrs.constantValue);
    const last = shape.length - 1;
    const length = x.shape[last] ?? 1;
    const index = x.shape.map(() => 0);
    for (let source = 0; source < from.length; source += length) {
      let target = 0;
      for (let axis = 0; axis <= last; axis++)
        target = target * shape[axis]! + index[axis]! + paddings[axis]![0];
      for (let k = 0; k < length; k++) to[target + k] = from[source + k]!;
      for (let axis = last - 1; axis >= 0; axis--) {
        if (++index[axis]! < x.shape[axis]!) break;
        index[axis] = 0;
      }
    }
    return out;
  });
