import type { GradConfig } from "@tensorflow/tfjs-core";
import { avgPoolGradients } from "./gradients/avg-pool.js";
import { batchMatMulGradient } from "./gradients/batch-mat-mul.js";
import { castGradient } from "./gradients/cast.js";
import { comparisonGradients } from "./gradients/comparison.js";
import { conv2dGradient } from "./gradients/conv2d.js";
import { cumsumGradient } from "./gradients/cumsum.js";
import { depthwiseConv2dGradient } from "./gradients/depthwise-conv2d.js";
import { extremumGradients } from "./gradients/extremum.js";
import { floorDivGradient } from "./gradients/floor-div.js";
import { fusedGradients } from "./gradients/fused.js";
import { fusedBatchNormGradient } from "./gradients/fused-batch-norm.js";
import { gatherGradient } from "./gradients/gather.js";
import { maxGradients } from "./gradients/max.js";
import { maxPoolGradients } from "./gradients/max-pool.js";
import { mirrorPadGradient } from "./gradients/mirror-pad.js";
import { preluGradient } from "./gradients/prelu.js";
import { prodGradient } from "./gradients/prod.js";
import { resizeGradients } from "./gradients/resize.js";
import { splitGradients } from "./gradients/split.js";
import { squaredDifferenceGradient } from "./gradients/squared-difference.js";
import { tileGradient } from "./gradients/tile.js";

/** The gradients that tfjs-core lacks, refuses or gets wrong. */
export const repairedGradients: readonly GradConfig[] = [
  ...comparisonGradients,
  ...avgPoolGradients,
  batchMatMulGradient,
  castGradient,
  conv2dGradient,
  cumsumGradient,
  depthwiseConv2dGradient,
  ...extremumGradients,
  floorDivGradient,
  fusedBatchNormGradient,
  ...fusedGradients,
  gatherGradient,
  ...maxGradients,
  ...maxPoolGradients,
  mirrorPadGradient,
  preluGradient,
  prodGradient,
  ...resizeGradients,
  ...splitGradients,
  squaredDifferenceGradient,
  tileGradient,
];
