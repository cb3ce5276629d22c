import { backend_util, util } from "@tensorflow/tfjs-core";
import {
  allocate,
  type BackendWasm,
  floats,
  type KernelArguments,
  kernelOver,
  sizeOf,
  type TensorInfo,
} from "../heap.js";

/**
 * Sums over neighbouring axes of which the last stays, `[outer, reduced, inner]`
 * to `[outer, inner]`, times `factor`; accumulated in float64.
 */
function sumOverMiddle(
  backend: BackendWasm,
  x: TensorInfo,
  [outer, reduced, inner]: readonly [number, number, number],
  outShape: number[],
  factor: number,
): TensorInfo {
  const out = allocate(backend, outShape);
  const from = floats(backend, x);
  const to = floats(backend, out);
  const sums = new Float64Array(inner);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    sums.fill(0);
    for (let r = 0; r < reduced; r++, i += inner) for (let k = 0; k < inner; k++) sums[k]! += from[i + k]!;
    for (let k = 0; k < inner; k++) to[o * inner + k] = sums[k]! * factor;
  }
  return out;
}

/** The stock kernels transpose the whole tensor to reduce anything but the last axes, and then add up in float32. */
const reduction = (kernelName: "Sum" | "Mean") =>
  kernelOver(kernelName, ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const x = inputs.x!;
    const axes = util.parseAxisParam(attrs.axis, x.shape).sort((a, b) => a - b);
    const [first, last] = [axes[0] ?? 0, axes.at(-1) ?? 0];
    const neighbours = axes.length > 0 && last - first === axes.length - 1;
    const inner = sizeOf(x.shape.slice(last + 1));
    if (x.dtype !== "float32" || !neighbours || inner < 2) return stock({ inputs, backend, attrs });
    const sizes = [sizeOf(x.shape.slice(0, first)), sizeOf(x.shape.slice(first, last + 1)), inner] as const;
    const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = attrs.keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
    return sumOverMiddle(backend, x, sizes, shape, kernelName === "Mean" ? 1 / sizes[1] : 1);
  });

export const reductionKernels = () => [reduction("Sum"), reduction("Mean")];
