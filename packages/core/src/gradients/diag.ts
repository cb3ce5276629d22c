import { type GradConfig, pad, reshape, slice, type Tensor, util } from "@tensorflow/tfjs-core";

/** The gradient of `diag`: the diagonal. tfjs-core has none. */
export const diagGradient: GradConfig = {
  kernelName: "Diag",
  gradFunc: (dy) => {
    const shape = (dy as Tensor).shape.slice(0, (dy as Tensor).rank / 2);
    const size = util.sizeFromShape(shape);
    return {
      x: () => {
        // Rows of one element more begin on the diagonal.
        const longer = reshape(pad(reshape(dy as Tensor, [size * size]), [[0, size]]), [size, size + 1]);
        return reshape(slice(longer, [0, 0], [size, 1]), shape);
      },
    };
  },
};
