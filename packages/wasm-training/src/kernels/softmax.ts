import { companionOf, job } from "../companion/companion.js";
import { runRows } from "../companion/rows.js";
import { allocate, sizeOf, type TensorInfo } from "../heap.js";
import { expectReal, kernelOver } from "../kernel.js";

/** The softmax of the last axis; the stock kernel where the companion module is off. */
export const softmaxKernel = () =>
  kernelOver("Softmax", ({ inputs, backend, attrs }, stock) => {
    const x = inputs.logits!;
    expectReal("softmax", x);
    const companion = companionOf(backend);
    const columns = x.shape.at(-1)!;
    const isLast = attrs.dim === x.shape.length - 1;
    if (companion === undefined || x.dtype !== "float32" || !isLast || sizeOf(x.shape) === 0) {
      return stock({ inputs, backend, attrs }) as TensorInfo;
    }
    const out = allocate(backend, x.shape);
    runRows(backend, companion, { job: job.softmax, rows: sizeOf(x.shape) / columns, columns, x, out });
    return out;
  });
