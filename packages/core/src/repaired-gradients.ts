import type { GradConfig } from "@tensorflow/tfjs-core";
import { batchMatMulGradient } from "./gradients/batch-mat-mul.js";
import { comparisonGradients } from "./gradients/comparison.js";
import { conv2dGradient } from "./gradients/conv2d.js";
import { gatherGradient } from "./gradients/gather.js";
import { prodGradient } from "./gradients/prod.js";

/** The gradients that tfjs-core lacks, refuses or gets wrong. */
export const repairedGradients: readonly GradConfig[] = [
  ...comparisonGradients,
  batchMatMulGradient,
  conv2dGradient,
  gatherGradient,
  prodGradient,
];
