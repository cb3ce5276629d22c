import { type GradConfig, pad, reshape, slice, type Tensor } from "@tensorflow/tfjs-core";

/** The gradient of `diag`: the diagonal. tfjs-core has none. */
export const diagGradient: GradConfig = {
  kernelName: "Diag",
  inputsToSave: ["x"],
  gradFunc: (dy, saved) => {
    const { shape, size } = saved[0]!;
    return {
      x: () => {
        // Rows of one element more begin on the diagonal.
        const longer = reshape(pad(reshape(dy as Tensor, [size * size]), [[0, size]]), [size, size + 1]);
        return reshape(slice(longer, [0, 0], [size, 1]), shape);
      },
    };
  },
};
