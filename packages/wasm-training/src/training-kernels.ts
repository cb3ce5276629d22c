import type { KernelConfig } from "@tensorflow/tfjs-core";
import { batchNormKernel } from "./kernels/batch-norm.js";
import { convKernels } from "./kernels/conv.js";
import { conv2dBackpropFilterKernel, conv3dBackpropFilterKernel } from "./kernels/conv-backprop-filter.js";
import { conv2dBackpropInputKernel, conv3dBackpropInputKernel } from "./kernels/conv-backprop-input.js";
import { depthwiseBackpropKernels } from "./kernels/depthwise-backprop.js";
import { dilation2dKernels } from "./kernels/dilation2d.js";
import { einsumKernel } from "./kernels/einsum.js";
import { elementwiseKernels } from "./kernels/elementwise.js";
import { adamKernel } from "./kernels/fused/adam.js";
import { batchNormTrainingKernels } from "./kernels/fused/batch-norm-training.js";
import { crossEntropyKernels } from "./kernels/fused/cross-entropy.js";
import { embedKernels } from "./kernels/fused/embed.js";
import { geluKernels } from "./kernels/fused/gelu.js";
import { gruKernels } from "./kernels/fused/gru.js";
import { layerNormKernels } from "./kernels/fused/layer-norm.js";
import { lstmKernels } from "./kernels/fused/lstm.js";
import { sgdKernels } from "./kernels/fused/sgd.js";
import { softmaxGradientKernel } from "./kernels/fused/softmax-gradient.js";
import { gatherKernel } from "./kernels/gather.js";
import { identityKernels } from "./kernels/identity.js";
import { imageKernels } from "./kernels/images.js";
import { batchMatMulKernel, fusedMatMulKernel } from "./kernels/mat-mul.js";
import { cpuKernels } from "./kernels/on-cpu.js";
import { oneHotKernel } from "./kernels/one-hot.js";
import { padKernel } from "./kernels/pad.js";
import { poolKernels } from "./kernels/pools.js";
import { reductionKernels } from "./kernels/reductions.js";
import { repeatedRowKernels } from "./kernels/repeated-row.js";
import { resizeKernels } from "./kernels/resize.js";
import { reverseKernel } from "./kernels/reverse.js";
import { selectKernel } from "./kernels/select.js";
import { sliceKernels } from "./kernels/slices.js";
import { softmaxKernel } from "./kernels/softmax.js";
import { stridedSliceKernel } from "./kernels/strided-slice.js";
import { tanhKernel } from "./kernels/tanh.js";
import { tileKernel } from "./kernels/tile.js";
import { transposeKernel } from "./kernels/transpose.js";
import { unsortedSegmentSumKernel } from "./kernels/unsorted-segment-sum.js";

/** Every kernel that this package adds or replaces. */
export function trainingKernels(): KernelConfig[] {
  return [
    // missing in tfjs-backend-wasm 4.22.0
    conv2dBackpropFilterKernel(),
    ...depthwiseBackpropKernels(),
    unsortedSegmentSumKernel(),
    einsumKernel(),
    ...cpuKernels(),
    // wrong there
    ...poolKernels(),
    ...convKernels(),
    ...elementwiseKernels(),
    ...resizeKernels(),
    ...imageKernels(),
    padKernel(),
    selectKernel(),
    stridedSliceKernel(),
    conv3dBackpropInputKernel(),
    conv3dBackpropFilterKernel(),
    ...dilation2dKernels(),
    gatherKernel(),
    oneHotKernel(),
    // slow there
    batchMatMulKernel(),
    fusedMatMulKernel(),
    conv2dBackpropInputKernel(),
    ...identityKernels(),
    ...sliceKernels(),
    ...reductionKernels(),
    ...repeatedRowKernels(),
    batchNormKernel(),
    tileKernel(),
    softmaxKernel(),
    tanhKernel(),
    reverseKernel(),
    transposeKernel(),
  ];
}

/** The fused kernels that `@gradlab/core` asks for by name, which the companion module alone computes. */
export function fusedKernels(): KernelConfig[] {
  return [
    adamKernel(),
    ...batchNormTrainingKernels(),
    ...crossEntropyKernels(),
    ...embedKernels(),
    ...geluKernels(),
    ...gruKernels(),
    ...layerNormKernels(),
    ...lstmKernels(),
    ...sgdKernels(),
    softmaxGradientKernel(),
  ];
}
