import { getKernel, type KernelFunc, registerKernel, tidy, unregisterKernel } from "@tensorflow/tfjs-core";
import { explicitPads } from "./repairs/explicit-pads.js";
import type { Attrs, Inputs, Repair, RepairedBackend } from "./repairs/repair.js";
import { resizeRepairs } from "./repairs/resize-repairs.js";
import { shapeRepairs } from "./repairs/shape-repairs.js";
import { tensorflowRepairs } from "./repairs/tensorflow-repairs.js";
import { webgpuRepairs } from "./repairs/webgpu-repairs.js";
import { windowRepairs } from "./repairs/window-repairs.js";

const repairs: readonly Repair[] = [
  ...shapeRepairs,
  ...windowRepairs,
  ...resizeRepairs,
  ...explicitPads,
  ...tensorflowRepairs,
  ...webgpuRepairs,
];
const repairable: readonly RepairedBackend[] = ["cpu", "webgl", "webgpu", "tensorflow"];
const repaired = new WeakSet<KernelFunc>();

/**
 * Replaces kernels of a backend of tfjs 4.22 that give wrong numbers, or none, for some arguments:
 *
 * - numeric paddings of convolutions and pools whose window or strides are not square, and their gradients, and gradients of
 *   what was rounded up; the gradient of `avgPool` and `avgPool3d` at the border of an image; `"same"` in three dimensions
 *   with a stride larger than the window;
 * - gradients of `resizeBilinear` and `resizeNearestNeighbor`;
 * - `matMul` of interleaved batches such as `[2, 1, …]` and `[3, …]`, `einsum` with an axis that is summed and stands in one of several
 *   operands alone or that changes nothing, `cumsum` and `cumprod` along a negative axis, `denseBincount` of appearances in a list,
 *   `stridedSlice` that loses an axis or is empty, `split` whose first size is -1, fused `leakyrelu` without a slope;
 * - products, reductions and choices of tensors without elements;
 * - on cpu `depthToSpace` with channels first and `image.transform` of several images; on webgl `floorDiv` below zero; on webgl
 *   and webgpu `pad`, `mirrorPad` and `reverse` of more than four axes (the gradient of `slice` is such a `pad`);
 * - on webgpu `cumsum` and `cumprod` in reverse, `transpose` of whole numbers and truth values and their reductions
 *   along other axes than the last ones, `argMax` and `argMin` of a list, `addN` of more than seven tensors;
 * - on tensorflow, tfjs-node's backend, convolutions and pools that are padded by numbers, pools of volumes padded as `"same"`,
 *   dilated convolutions of volumes, `depthToSpace` with channels first, `gather` along a negative axis, and `sparseToDense` of
 *   indices in any order.
 *
 * For other arguments the original kernels run.
 *
 * Call it after the backend has been imported, any number of times. The kernels of wasm are repaired by
 * `enableWasmTraining` of `@gradlab/wasm-training`.
 *
 * @throws {RangeError} when the backend is another one, or is not imported yet.
 */
export function repairKernels(backendName: RepairedBackend): void {
  if (!repairable.includes(backendName)) {
    throw new RangeError(
      `repairKernels: backendName: expected cpu, webgl, webgpu or tensorflow, got ${JSON.stringify(backendName)}`,
    );
  }
  const chosen = repairs.filter(({ backends }) => backends.includes(backendName));
  const missing = chosen.find(({ kernelName }) => getKernel(kernelName, backendName) === undefined);
  if (missing !== undefined) {
    throw new RangeError(
      `repairKernels: backendName: expected a backend that is imported, got ${backendName} without ${missing.kernelName}`,
    );
  }
  for (const kernelName of new Set(chosen.map((repair) => repair.kernelName))) {
    const original = getKernel(kernelName, backendName);
    if (repaired.has(original.kernelFunc)) continue;
    const steps = chosen.filter((repair) => repair.kernelName === kernelName);
    const kernelFunc: KernelFunc = (args) => {
      const inputs = args.inputs as Inputs;
      for (const { compute } of steps) {
        const result = compute && tidy(() => compute(inputs, args.attrs) ?? []);
        if (result && !Array.isArray(result)) return result;
      }
      const attrs = steps.reduce((given, step) => step.attrs?.(inputs, given) ?? given, args.attrs as Attrs);
      return original.kernelFunc({ ...args, attrs });
    };
    repaired.add(kernelFunc);
    unregisterKernel(kernelName, backendName);
    registerKernel({ ...original, kernelFunc });
  }
}
