import { allocate, floats, release } from "../heap.js";
import { type KernelArguments, kernelOver, run } from "../kernel.js";

/** Batch normalization of channels as one multiplication and one addition, both of which the backend does fast. */
export const batchNormKernel = () =>
  kernelOver("FusedBatchNorm", ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const { x, mean, variance, offset, scale } = inputs;
    const [channels] = mean!.shape;
    if (mean!.shape.length !== 1 || variance!.shape.length !== 1 || x!.dtype !== "float32") {
      return stock({ inputs, backend, attrs });
    }
    const factor = allocate(backend, [channels!]);
    const shift = allocate(backend, [channels!]);
    const [factors, shifts] = [floats(backend, factor), floats(backend, shift)];
    const [means, variances] = [floats(backend, mean!), floats(backend, variance!)];
    const scales = scale && floats(backend, scale);
    const offsets = offset && floats(backend, offset);
    for (let c = 0; c < channels!; c++) {
      const f = (scales?.[c] ?? 1) / Math.sqrt(variances[c]! + attrs.varianceEpsilon);
      factors[c] = f;
      shifts[c] = (offsets?.[c] ?? 0) - means[c]! * f;
    }
    // An infinite factor and an infinite shift would cancel each other.
    if (!(factors.every(Number.isFinite) && shifts.every(Number.isFinite))) {
      release(backend, factor, shift);
      return stock({ inputs, backend, attrs });
    }
    const scaled = run(backend, "Multiply", { a: x!, b: factor });
    const out = run(backend, "Add", { a: scaled, b: shift });
    release(backend, factor, shift, scaled);
    return out;
  });
