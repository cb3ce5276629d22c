import { engine, type GradConfig, mul, reshape, sub, sum, type Tensor } from "@tensorflow/tfjs-core";
import { runFused } from "../fused/run-fused.js";

/** `y (dy - Σ dy y)`, by the fused kernel of the backend where it has one. */
export const softmaxGradient: GradConfig = {
  kernelName: "Softmax",
  outputsToSave: [true],
  gradFunc: (given, [saved], attributes) => {
    const [dy, y] = [given as Tensor, saved!];
    const { dim } = attributes as unknown as { readonly dim: number };
    return { logits: () => fused(dy, y, dim) ?? mul(y, sub(dy, sum(mul(dy, y), dim, true))) };
  },
};

function fused(dy: Tensor, y: Tensor, dim: number): Tensor | undefined {
  // The kernel has no gradient of its own: not inside another gradient, whose tape is on while this one goes backward.
  if (dim !== y.rank - 1 || engine().state.gradientDepth > 0) return undefined;
  const columns = y.shape[dim]!;
  const rows = [columns === 0 ? 0 : y.size / columns, columns];
  const outputs = runFused("GradlabSoftmaxGrad", { dy: reshape(dy, rows), y: reshape(y, rows) }, {});
  return outputs === null ? undefined : reshape(outputs[0]!, y.shape);
}
