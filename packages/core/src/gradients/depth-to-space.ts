import {
  type DepthToSpaceAttrs,
  type GradConfig,
  reshape,
  type Tensor4D,
  transpose,
} from "@tensorflow/tfjs-core";

/** The gradient of `depthToSpace`: space back to depth. tfjs-core has none. */
export const depthToSpaceGradient: GradConfig = {
  kernelName: "DepthToSpace",
  gradFunc: (gradient, _saved, attrs) => {
    const dy = gradient as Tensor4D;
    const { blockSize: s, dataFormat } = attrs as unknown as DepthToSpaceAttrs;
    return {
      x: () => {
        if (dataFormat === "NCHW") {
          const [batch, channels, height, width] = dy.shape;
          const blocks = reshape(dy, [batch, channels, height / s, s, width / s, s]);
          return reshape(transpose(blocks, [0, 3, 5, 1, 2, 4]), [
            batch,
            channels * s * s,
            height / s,
            width / s,
          ]);
        }
        const [batch, height, width, channels] = dy.shape;
        const blocks = reshape(dy, [batch, height / s, s, width / s, s, channels]);
        return reshape(transpose(blocks, [0, 1, 3, 2, 4, 5]), [
          batch,
          height / s,
          width / s,
          channels * s * s,
        ]);
      },
    };
  },
};
