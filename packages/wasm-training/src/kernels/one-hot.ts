import { allocate, integers } from "../heap.js";
import { kernel } from "../kernel.js";

/** `onValue` at the class of each index; the stock kernel writes integers into tensors of any type. */
export const oneHotKernel = () =>
  kernel("OneHot", ({ inputs, backend, attrs }) => {
    const indices = inputs.indices!;
    const { depth, onValue, offValue, dtype } = attrs;
    const out = allocate(backend, [...indices.shape, depth], dtype);
    const to = backend.typedArrayFromHeap(out).fill(offValue);
    for (const [i, index] of integers(backend, indices).entries()) {
      if (index >= 0 && index < depth) to[i * depth + index] = onValue;
    }
    return out;
  });
