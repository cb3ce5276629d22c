import type { GradConfig } from "@tensorflow/tfjs-core";
import { avgPoolGradients } from "./gradients/avg-pool.js";
import { batchMatMulGradient } from "./gradients/batch-mat-mul.js";
import { comparisonGradients } from "./gradients/comparison.js";
import { conv2dGradient } from "./gradients/conv2d.js";
import { gatherGradient } from "./gradients/gather.js";
import { mirrorPadGradient } from "./gradients/mirror-pad.js";
import { prodGradient } from "./gradients/prod.js";
import { resizeBilinearGradient } from "./gradients/resize-bilinear.js";
import { squaredDifferenceGradient } from "./gradients/squared-difference.js";

/** The gradients that tfjs-core lacks, refuses or gets wrong. */
export const repairedGradients: readonly GradConfig[] = [
  ...comparisonGradients,
  ...avgPoolGradients,
  batchMatMulGradient,
  conv2dGradient,
  gatherGradient,
  mirrorPadGradient,
  prodGradient,
  resizeBilinearGradient,
  squaredDifferenceGradient,
];
