import {
  engine,
  type NamedAttrMap,
  type NamedTensorMap,
  ones,
  type Tensor,
  zeros,
} from "@tensorflow/tfjs-core";
import { complexArithmetic } from "./complex-arithmetic.js";

type Engine = ReturnType<typeof engine>;
type RunKernel = Engine["runKernel"];

/** Marks the method that is wrapped already, by this copy of the package or by another; all copies share its record. */
const mark = Symbol.for("@gradlab/core: attributes of fused kernels");

type RepairedRunKernel = RunKernel & { [mark]?: WeakMap<object, NamedAttrMap> };
const runKernelOf = () => engine() as Engine & { runKernel: RepairedRunKernel };

/** The ops that differentiate their fused kernel themselves and keep its attributes from the tape. */
const fused = new Set(["FusedConv2D", "FusedDepthwiseConv2D", "_FusedMatMul"]);

/** The attributes that a fused kernel was called with, by its result or a clone of it. */
export function fusedAttributes(result: Tensor): NamedAttrMap | undefined {
  return runKernelOf().runKernel[mark]?.get(result.dataId);
}

/** The inputs without those that are missing: the tape looks at each of them. */
function present(inputs: NamedTensorMap): NamedTensorMap {
  if (Array.isArray(inputs)) return inputs;
  const entries = Object.entries(inputs) as [string, Tensor | undefined][];
  if (entries.every(([, x]) => x !== undefined && x !== null)) return inputs;
  return Object.fromEntries(entries.filter((entry): entry is [string, Tensor] => entry[1] != null));
}

/** The inputs that are saved for a gradient have to be there. */
function complete(kernelName: string, inputs: NamedTensorMap): NamedTensorMap {
  if (kernelName !== "FusedBatchNorm") return inputs;
  const { mean, scale = ones(mean!.shape), offset = zeros(mean!.shape) } = inputs;
  return { ...inputs, scale, offset };
}

/**
 * Repairs what no registered gradient can, once for the engine that all copies of tfjs-core share: the tape of tfjs-core
 * 4.22.0 throws when an optional input of a kernel is missing (`batchNorm` without a scale); the fused convolutions and
 * `fused.matMul` have gradients of their own, which their kernels' attributes do not reach; and complex numbers, whose
 * gradients the tape refuses, are computed with by their parts. Where no gradient is taken nothing changes.
 */
export function repairEngine(): void {
  const shared = runKernelOf();
  if (shared.runKernel[mark] !== undefined) return;
  const attributes = new WeakMap<object, NamedAttrMap>();
  const original = shared.runKernel;
  const repaired = (kernelName: string, inputs: NamedTensorMap, attrs?: NamedAttrMap) => {
    if (shared.state.gradientDepth === 0) return original.call(shared, kernelName, inputs, attrs);
    const taped = shared.state.kernelDepth === 0;
    const there = taped ? present(inputs) : inputs;
    const byParts = taped ? complexArithmetic(kernelName, there, attrs) : null;
    if (byParts !== null) return byParts;
    const result = original.call(shared, kernelName, taped ? complete(kernelName, there) : inputs, attrs);
    if (fused.has(kernelName)) attributes.set((result as Tensor).dataId, attrs!);
    return result;
  };
  shared.runKernel = Object.assign(repaired, { [mark]: attributes }) as RepairedRunKernel;
}
