import {
  broadcast_util,
  type Conv2DAttrs,
  type DepthwiseConv2dNativeAttrs,
  type GradConfig,
  type NamedAttrMap,
  reshape,
  sum,
  type Tensor,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import { fusedAttributes } from "../repair-engine.js";
import { batchMatMulGradient } from "./batch-mat-mul.js";
import { conv2dGradients } from "./conv2d.js";
import { depthwiseConv2dGradients } from "./depthwise-conv2d.js";
import { unbroadcast } from "./unbroadcast.js";

type NamedParts = Record<"a" | "b", () => Tensor>;

/** The gradients of an op's inputs, from that of the kernel's result (4-D or 3-D, whatever was asked for). */
type Differentiate = (dy: Tensor, saved: Tensor[], attrs: NamedAttrMap) => (() => Tensor)[];

/**
 * A fused op differentiates itself on the tape, under the name of its scope, where a registered gradient goes first.
 * It is fused there only without an activation; with one tfjs-core composes the op of its parts.
 */
function fusedGradient(op: string, differentiate: Differentiate): GradConfig {
  return {
    kernelName: `${op}__op`,
    gradFunc: (gradient, saved) => {
      const dy = gradient as Tensor;
      const [, , y, bias] = saved;
      // A clone made in the scope of the op has its name.
      if (y === undefined) return { x: () => dy.clone() };
      const attrs = fusedAttributes(y);
      if (attrs === undefined) throw new Error(`${op}: its kernel was called before installGradients`);
      const inner = reshape(dy, y.shape);
      const parts = differentiate(inner, saved, attrs);
      const all =
        bias === undefined
          ? parts
          : [...parts, () => biasGradient(op === "fusedMatMul" ? dy : inner, bias, attrs)];
      return Object.fromEntries(all.map((part, i) => [i, part]));
    },
  };
}

function biasGradient(dy: Tensor, bias: Tensor, { dataFormat }: NamedAttrMap): Tensor {
  const perChannel = dataFormat === "NCHW" && bias.rank === 1 && bias.size > 1;
  return perChannel ? sum(dy, [0, 2, 3]) : unbroadcast(dy, bias.shape);
}

/**
 * The gradients of `fused.conv2d`, `fused.depthwiseConv2d` and `fused.matMul`, without the limits that tfjs-core sets
 * them: dilation, channels first, images without a batch, `dimRoundingMode`, numeric paddings around windows that are
 * not square, and batches of matrices that are repeated.
 */
export const fusedGradients: readonly GradConfig[] = [
  fusedGradient("fusedConv2d", (dy, [filter, x], attrs) => {
    const { dx, dw } = conv2dGradients(
      dy as Tensor4D,
      x as Tensor4D,
      filter as Tensor4D,
      attrs as unknown as Conv2DAttrs,
    );
    return [dx, dw];
  }),
  fusedGradient("fusedDepthwiseConv2d", (dy, [filter, x], attrs) => {
    const { dx, dw } = depthwiseConv2dGradients(
      dy as Tensor4D,
      x as Tensor4D,
      filter as Tensor4D,
      attrs as unknown as DepthwiseConv2dNativeAttrs,
    );
    return [dx, dw];
  }),
  fusedGradient("fusedMatMul", (dy, saved, attrs) => {
    const [a, b] = saved as [Tensor, Tensor];
    // The batches as they were before the op laid them flat, where they are not the same.
    const { batchA = [a.shape[0]!], batchB = [b.shape[0]!] } = attrs as {
      batchA?: number[];
      batchB?: number[];
    };
    const unflat = (x: Tensor, batch: number[]) => reshape(x, [...batch, ...x.shape.slice(1)]);
    const operands = [unflat(a, batchA), unflat(b, batchB)];
    const batch = broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
    const parts = batchMatMulGradient.gradFunc(unflat(dy, batch), operands, attrs) as NamedParts;
    return [() => reshape(parts.a(), a.shape), () => reshape(parts.b(), b.shape)];
  }),
];
