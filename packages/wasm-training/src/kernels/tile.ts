import { allocate, sizeOf } from "../heap.js";
import { kernel } from "../kernel.js";
import { tileStrings } from "./on-cpu.js";

/** Repeats `x`: every block is written once and then copied within the output. */
export const tileKernel = () =>
  kernel("Tile", ({ inputs, backend, attrs }) => {
    const x = inputs.x!;
    if (x.dtype === "string") return tileStrings({ inputs, backend, attrs });
    const reps = attrs.reps as number[];
    const outShape = x.shape.map((n, i) => n * reps[i]!);
    if (sizeOf(outShape) === 0) return allocate(backend, outShape, x.dtype);
    let current = x;
    backend.incRef(x.dataId);
    // From the last axis to the first: what lies inside of an axis is one block.
    for (let axis = reps.length - 1; axis >= 0; axis--) {
      const block = sizeOf(current.shape.slice(axis));
      let count = reps[axis]!;
      // Axes of size 1 before this one repeat the same block.
      while (axis > 0 && x.shape[axis] === 1 && x.shape[axis - 1] === 1) count *= reps[--axis]!;
      if (count === 1) continue;
      const shape = x.shape.map((n, i) => (i < axis ? n : n * reps[i]!));
      const out = allocate(backend, shape, x.dtype);
      const from = backend.typedArrayFromHeap(current);
      const to = backend.typedArrayFromHeap(out);
      for (let source = 0, target = 0; source < from.length; source += block, target += block * count) {
        to.set(from.subarray(source, source + block), target);
        for (let done = block; done < block * count; done *= 2) {
          to.copyWithin(target + done, target, target + Math.min(done, block * count - done));
        }
      }
      backend.disposeData(current.dataId);
      current = out;
    }
    return { dataId: current.dataId, shape: outShape, dtype: x.dtype };
  });
