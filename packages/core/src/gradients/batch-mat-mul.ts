import {
  type BatchMatMulAttrs,
  broadcastTo,
  type GradConfig,
  matMul,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { unbroadcast } from "./unbroadcast.js";

/**
 * Repeats the matrices of `x` along the batch dimensions, unless `matMul` does so by itself.
 * It walks the smaller batch round and round: right for `[3]` against `[2, 3]`, wrong for `[2, 1]`.
 */
function broadcastBatch(x: Tensor, batch: number[]): Tensor {
  const own = x.shape.slice(0, -2);
  const repeated = own.slice(own.findIndex((n) => n !== 1));
  const round = own.every((n) => n === 1) || repeated.join() === batch.slice(-repeated.length).join();
  return round ? x : broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
}

/**
 * The gradient of `matMul(a, b)` with all four ways to transpose: `da = dy bᵀ`, `db = aᵀ dy`.
 *
 * Unlike tfjs-core, an input whose batch dimensions were broadcast gets a
 * gradient of its own shape, the sum over the copies; tfjs-core throws.
 */
export const batchMatMulGradient: GradConfig = {
  kernelName: "BatchMatMul",
  inputsToSave: ["a", "b"],
  gradFunc: (dy, saved, attrs) => {
    const { transposeA, transposeB } = attrs as unknown as BatchMatMulAttrs;
    const g = dy as Tensor;
    const [a, b] = saved.map((x) => broadcastBatch(x, g.shape.slice(0, -2))) as [Tensor, Tensor];
    const da = () => (transposeA ? matMul(b, g, transposeB, true) : matMul(g, b, false, !transposeB));
    const db = () => (transposeB ? matMul(g, a, true, transposeA) : matMul(a, g, !transposeA, false));
    return {
      a: () => unbroadcast(da(), saved[0]!.shape),
      b: () => unbroadcast(db(), saved[1]!.shape),
    };
  },
};
