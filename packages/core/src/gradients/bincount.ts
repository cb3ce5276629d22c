import {
  add,
  cast,
  type DenseBincountAttrs,
  type GradConfig,
  gather,
  less,
  minimum,
  mul,
  range,
  reshape,
  scalar,
  type Tensor,
  zeros,
} from "@tensorflow/tfjs-core";

/**
 * The gradients of the weights of `bincount` and `denseBincount`: what arrives at the bin that each was added to, and
 * nothing where there is no bin or where only presence counts. tfjs-core has none.
 */
export const bincountGradients: readonly GradConfig[] = ["Bincount", "DenseBincount"].map((kernelName) => ({
  kernelName,
  inputsToSave: ["x", "weights"],
  gradFunc: (gradient, saved, attrs) => {
    const [x, weights] = saved as [Tensor, Tensor];
    const dy = gradient as Tensor;
    const { size, binaryOutput = false } = attrs as unknown as DenseBincountAttrs;
    return {
      weights: () => {
        if (binaryOutput || weights.size === 0 || size === 0) return zeros(weights.shape);
        // One row of bins for each row of a matrix.
        const rows = dy.rank === 2 ? dy.shape[0]! : 1;
        const bins = reshape(x, [rows, x.size / rows]);
        const first = reshape(range(0, rows * size, size, "int32"), [rows, 1]);
        const at = add(minimum(bins, scalar(size - 1, "int32")), first);
        const arrived = gather(reshape(dy, [rows * size]), reshape(at, [x.size]));
        const counted = cast(less(reshape(x, [x.size]), scalar(size, "int32")), "float32");
        return reshape(mul(arrived, counted), weights.shape);
      },
      x: () => zeros(x.shape),
    };
  },
}));
