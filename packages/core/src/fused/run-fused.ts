import {
  engine,
  getBackend,
  getGradient,
  getKernel,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { typeMismatch } from "../expect-argument.js";
import { fusedKernels } from "./fused-kernels.js";

/**
 * Runs a fused kernel of the current backend, or returns null where the caller has to compose ordinary ops: the backend
 * lacks the kernel, or a gradient is being taken and the backend lacks its kernel, it is not installed, or it is a second
 * derivative.
 *
 * @param name One of `fusedKernels`.
 * @param inputs Tensors by the names of the table; borrowed.
 * @param attributes By the names of the table.
 * @returns The outputs in the order of the table, recorded for the gradient like those of any op.
 * @throws {TypeError} when there is no such kernel in the table.
 */
export function runFused(name: string, inputs: NamedTensorMap, attributes: NamedAttrMap): Tensor[] | null {
  const kernel = fusedKernels[name];
  if (kernel === undefined) {
    throw typeMismatch("runFused: name", `one of ${Object.keys(fusedKernels).join(", ")}`, name);
  }
  const backend = getBackend();
  if (getKernel(name, backend) === undefined) return null;
  const { gradientDepth } = engine().state;
  if (gradientDepth > 0 && kernel.backward !== null) {
    // Its gradient is a kernel too, which has none of its own.
    if (gradientDepth > 1) return null;
    if (getKernel(kernel.backward, backend) === undefined || getGradient(name) === undefined) return null;
  }
  const outputs: Tensor | Tensor[] = engine().runKernel(name, inputs, attributes);
  return Array.isArray(outputs) ? outputs : [outputs];
}
