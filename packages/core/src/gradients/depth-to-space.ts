import {
  type DepthToSpaceAttrs,
  type GradConfig,
  reshape,
  type Tensor,
  transpose,
} from "@tensorflow/tfjs-core";

/** The gradient of `depthToSpace`: space back to depth. tfjs-core has none. */
export const depthToSpaceGradient: GradConfig = {
  kernelName: "DepthToSpace",
  inputsToSave: ["x"],
  gradFunc: (dy, saved, attrs) => {
    const { shape } = saved[0]!;
    const { blockSize: s, dataFormat } = attrs as unknown as DepthToSpaceAttrs;
    return {
      x: () => {
        if (dataFormat === "NCHW") {
          const [batch, channels, height, width] = shape as [number, number, number, number];
          const blocks = reshape(dy as Tensor, [batch, channels / (s * s), height, s, width, s]);
          return reshape(transpose(blocks, [0, 3, 5, 1, 2, 4]), shape);
        }
        const [batch, height, width, channels] = shape as [number, number, number, number];
        const blocks = reshape(dy as Tensor, [batch, height, s, width, s, channels / (s * s)]);
        return reshape(transpose(blocks, [0, 1, 3, 2, 4, 5]), shape);
      },
    };
  },
};
