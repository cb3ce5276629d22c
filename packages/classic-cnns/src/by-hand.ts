export { composeKernels } from "./by-hand/compose-kernels.js";
export { type ConvCost, type ConvCostOptions, convCost, type ThereAndBack } from "./by-hand/conv-cost.js";
export { type Conv2dOptions, conv2d } from "./by-hand/conv2d.js";
export { type Conv2dGradients, conv2dGradients } from "./by-hand/conv2d-gradients.js";
export { convolve, convolve1d } from "./by-hand/convolve.js";
export { type ConvolutionOptions1d, crossCorrelate, crossCorrelate1d } from "./by-hand/cross-correlate.js";
export { col2im, conv2dByMatMul, type Im2colOptions, im2col } from "./by-hand/im2col.js";
export {
  derivativeKernel,
  edgeKernel,
  gaussianKernel,
  gaussianKernel1d,
  laplacianKernel,
} from "./by-hand/kernels.js";
export { type LearnedKernel, type LearnKernelOptions, learnKernel } from "./by-hand/learn-kernel.js";
export { matMul } from "./by-hand/mat-mul.js";
export { type MaxPoolLayer, maxFromRelu, maxPoolFromRelu, maxPoolLayers } from "./by-hand/max-from-relu.js";
export { type PaddingMode, pad } from "./by-hand/pad.js";
export { type Filters, type Plane, type Size, transpose, type Volume } from "./by-hand/plane.js";
export { pointwiseConv2d } from "./by-hand/pointwise-conv2d.js";
export {
  type AveragePoolOptions,
  averageKernel,
  averagePool,
  maxPool,
  minPool,
  type PoolOptions,
} from "./by-hand/pool.js";
export { crossCorrelateSeparably, type SeparableKernel, separate } from "./by-hand/separate.js";
export type { ConvolutionOptions, LayerOptions } from "./by-hand/taps.js";
export { toeplitz } from "./by-hand/toeplitz.js";
export {
  type TransposedConv2dOptions,
  transposedConv2d,
  transposedConvolve,
} from "./by-hand/transposed-conv2d.js";
export type { Padding, PerAxis, WindowOptions } from "./by-hand/window.js";
