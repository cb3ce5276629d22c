import { type BackendWasm, release, type TensorInfo } from "../heap.js";
import { run } from "../kernel.js";

const activations: Readonly<Record<string, string>> = {
  relu: "Relu",
  relu6: "Relu6",
  sigmoid: "Sigmoid",
  elu: "Elu",
};

/** `activation(x)` of the fused kernels; releases `x`. */
export function activate(
  backend: BackendWasm,
  x: TensorInfo,
  { activation = "linear", leakyreluAlpha = 0.2 }: { activation?: string; leakyreluAlpha?: number },
  alpha: TensorInfo | undefined,
): TensorInfo {
  if (activation === "linear") return x;
  const kernelName = activations[activation];
  let out: TensorInfo;
  if (kernelName !== undefined) out = run(backend, kernelName, { x });
  else if (activation === "leakyrelu") out = run(backend, "LeakyRelu", { x }, { alpha: leakyreluAlpha });
  else if (activation === "prelu" && alpha) out = run(backend, "Prelu", { x, alpha });
  else {
    release(backend, x);
    throw new Error(`fused: activation: expected one that tfjs knows, got ${JSON.stringify(activation)}`);
  }
  release(backend, x);
  return out;
}
