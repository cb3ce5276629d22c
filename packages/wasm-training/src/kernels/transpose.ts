import { allocate, sizeOf } from "../heap.js";
import { type KernelArguments, kernelOver } from "../kernel.js";
import { transposeMatrices } from "../transpose-matrices.js";

/** Swapping two runs of axes is transposing matrices, which the stock kernel does slowly; the rest it does well. */
export const transposeKernel = () =>
  kernelOver("Transpose", ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const x = inputs.x!;
    const perm = attrs.perm as number[];
    const outShape = perm.map((axis) => x.shape[axis]!);
    if (sizeOf(outShape) === 0) return allocate(backend, outShape, x.dtype);
    // Axes of size 1 may stand anywhere.
    const order = perm.filter((axis) => x.shape[axis] !== 1);
    const cut = order.findIndex((axis, i) => i > 0 && axis < order[i - 1]!);
    const isSwap =
      cut > 0 &&
      [...order.slice(cut), ...order.slice(0, cut)].every((a, i, all) => i === 0 || a > all[i - 1]!);
    if (x.dtype !== "float32" || !isSwap) return stock({ inputs, backend, attrs });
    const columns = sizeOf(order.slice(0, cut).map((axis) => x.shape[axis]!));
    const out = transposeMatrices(backend, { ...x, shape: [sizeOf(x.shape) / columns, columns] });
    return { ...out, shape: outShape };
  });
