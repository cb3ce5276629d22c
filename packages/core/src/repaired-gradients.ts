import type { GradConfig } from "@tensorflow/tfjs-core";
import { arithmeticGradients } from "./gradients/arithmetic.js";
import { avgPoolGradients } from "./gradients/avg-pool.js";
import { batchMatMulGradient } from "./gradients/batch-mat-mul.js";
import { bincountGradients } from "./gradients/bincount.js";
import { castGradient } from "./gradients/cast.js";
import { comparisonGradients } from "./gradients/comparison.js";
import { complexGradients } from "./gradients/complex.js";
import { conv2dGradient } from "./gradients/conv2d.js";
import { conv2dBackpropGradients } from "./gradients/conv2d-backprop.js";
import { conv3dGradients } from "./gradients/conv3d.js";
import { cropAndResizeGradient } from "./gradients/crop-and-resize.js";
import { cumprodGradient } from "./gradients/cumprod.js";
import { cumsumGradient } from "./gradients/cumsum.js";
import { depthToSpaceGradient } from "./gradients/depth-to-space.js";
import { depthwiseConv2dGradient } from "./gradients/depthwise-conv2d.js";
import { diagGradient } from "./gradients/diag.js";
import { dilation2dBackpropGradients } from "./gradients/dilation2d-backprop.js";
import { einsumGradient } from "./gradients/einsum.js";
import { eluGradGradient } from "./gradients/elu.js";
import { extremumGradients } from "./gradients/extremum.js";
import { flipLeftRightGradient } from "./gradients/flip-left-right.js";
import { floorDivGradient } from "./gradients/floor-div.js";
import { fusedGradients } from "./gradients/fused.js";
import { fusedBatchNormGradient } from "./gradients/fused-batch-norm.js";
import { gatherGradient } from "./gradients/gather.js";
import { lrnGradGradient } from "./gradients/lrn-backprop.js";
import { maxGradients } from "./gradients/max.js";
import { maxPoolGradients } from "./gradients/max-pool.js";
import { mirrorPadGradient } from "./gradients/mirror-pad.js";
import { poolBackpropGradients } from "./gradients/pool-backprop.js";
import { preluGradient } from "./gradients/prelu.js";
import { prodGradient } from "./gradients/prod.js";
import { resizeBackpropGradients, resizeGradients } from "./gradients/resize.js";
import { rotateWithOffsetGradient } from "./gradients/rotate-with-offset.js";
import { scatterGradients } from "./gradients/scatter.js";
import { softmaxGradient } from "./gradients/softmax.js";
import { sparseGradients } from "./gradients/sparse.js";
import { splitGradients } from "./gradients/split.js";
import { stridedSliceGradient } from "./gradients/strided-slice.js";
import { tileGradient } from "./gradients/tile.js";
import { topkGradient } from "./gradients/topk.js";
import { transformGradient } from "./gradients/transform.js";

/** The gradients that tfjs-core lacks, refuses or gets wrong. */
export const repairedGradients: readonly GradConfig[] = [
  ...arithmeticGradients,
  ...avgPoolGradients,
  batchMatMulGradient,
  ...bincountGradients,
  castGradient,
  ...comparisonGradients,
  ...complexGradients,
  ...conv2dBackpropGradients,
  conv2dGradient,
  ...conv3dGradients,
  cropAndResizeGradient,
  cumprodGradient,
  cumsumGradient,
  depthToSpaceGradient,
  depthwiseConv2dGradient,
  diagGradient,
  ...dilation2dBackpropGradients,
  einsumGradient,
  eluGradGradient,
  ...extremumGradients,
  flipLeftRightGradient,
  floorDivGradient,
  fusedBatchNormGradient,
  ...fusedGradients,
  gatherGradient,
  lrnGradGradient,
  ...maxGradients,
  ...maxPoolGradients,
  mirrorPadGradient,
  ...poolBackpropGradients,
  preluGradient,
  prodGradient,
  ...resizeBackpropGradients,
  ...resizeGradients,
  rotateWithOffsetGradient,
  ...scatterGradients,
  softmaxGradient,
  ...sparseGradients,
  ...splitGradients,
  stridedSliceGradient,
  tileGradient,
  topkGradient,
  transformGradient,
];
