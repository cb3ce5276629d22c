import {
  add,
  expandDims,
  type GradConfig,
  range,
  reshape,
  scatterND,
  type Tensor,
  zeros,
} from "@tensorflow/tfjs-core";

/** The gradient of the values of `topk`: back to the elements that they are; their indices have none. tfjs-core has none. */
export const topkGradient: GradConfig = {
  kernelName: "TopK",
  inputsToSave: ["x"],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [x, indices] = saved as [Tensor, Tensor];
    const [dy] = dys as Tensor[];
    return {
      x: () => {
        if (indices.size === 0) return zeros(x.shape);
        const n = x.shape.at(-1)!;
        const rows = x.size / n;
        const first = reshape(range(0, rows * n, n, "int32"), [rows, 1]);
        const at = add(reshape(indices, [rows, indices.size / rows]), first);
        return reshape(
          scatterND(expandDims(reshape(at, [indices.size]), 1), reshape(dy!, [indices.size]), [x.size]),
          x.shape,
        );
      },
    };
  },
};
