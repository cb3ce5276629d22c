import {
  type AvgPool3DAttrs,
  type AvgPoolAttrs,
  backend_util,
  engine,
  type GradConfig,
  mul,
  type Tensor,
  tensor,
} from "@tensorflow/tfjs-core";

/** How many elements of each window along one axis lie inside of the image. */
function inside(size: number, outputs: number, taps: number, stride: number, before: number): number[] {
  return Array.from({ length: outputs }, (_, i) => {
    const start = i * stride - before;
    return Math.min(size, start + taps) - Math.max(0, start);
  });
}

/** For each window, the ratio of its size to the number of elements inside of the image. */
function windowShares(shape: number[], axes: number[][], taps: number): Tensor {
  const shares = axes.reduce((all, axis) => all.flatMap((n) => axis.map((m) => n / m)), [taps]);
  return tensor(shares, shape);
}

/**
 * The gradients of `avgPool` and `avgPool3d`: each output is shared equally by the elements of its window.
 *
 * Unlike tfjs-core, whose kernels divide by the size of the window even where
 * padding takes part of it: the forward pass divides by the number of elements inside.
 */
export const avgPoolGradients: readonly GradConfig[] = [
  {
    kernelName: "AvgPool",
    inputsToSave: ["x"],
    gradFunc: (dy, saved, attrs) => {
      const x = saved[0] as Tensor;
      return {
        x: () => {
          const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as AvgPoolAttrs;
          const info = backend_util.computePool2DInfo(
            x.shape as [number, number, number, number],
            filterSize,
            strides,
            1,
            pad,
            dimRoundingMode,
          );
          const { inHeight, inWidth, outHeight, outWidth, padInfo } = info;
          const axes = [
            inside(inHeight, outHeight, info.filterHeight, info.strideHeight, padInfo.top),
            inside(inWidth, outWidth, info.filterWidth, info.strideWidth, padInfo.left),
          ];
          const shares = windowShares(
            [1, outHeight, outWidth, 1],
            axes,
            info.filterHeight * info.filterWidth,
          );
          return engine().runKernel(
            "AvgPoolGrad",
            { dy: mul(dy as Tensor, shares), input: x },
            attrs,
          ) as Tensor;
        },
      };
    },
  },
  {
    kernelName: "AvgPool3D",
    inputsToSave: ["x"],
    gradFunc: (dy, saved, attrs) => {
      const x = saved[0] as Tensor;
      return {
        x: () => {
          const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as AvgPool3DAttrs;
          const info = backend_util.computePool3DInfo(
            x.shape as [number, number, number, number, number],
            filterSize,
            strides,
            1,
            pad,
            dimRoundingMode,
          );
          const { inDepth, inHeight, inWidth, outDepth, outHeight, outWidth, padInfo } = info;
          const axes = [
            inside(inDepth, outDepth, info.filterDepth, info.strideDepth, padInfo.front),
            inside(inHeight, outHeight, info.filterHeight, info.strideHeight, padInfo.top),
            inside(inWidth, outWidth, info.filterWidth, info.strideWidth, padInfo.left),
          ];
          const taps = info.filterDepth * info.filterHeight * info.filterWidth;
          const shares = windowShares([1, outDepth, outHeight, outWidth, 1], axes, taps);
          const inputs = { dy: mul(dy as Tensor, shares), input: x };
          return engine().runKernel("AvgPool3DGrad", inputs, attrs) as Tensor;
        },
      };
    },
  },
];
