export type { Activation } from "./activation.js";
export { type AlibiOptions, alibiBias, alibiSlopes } from "./alibi.js";
export { type Attended, type AttendOptions, attend, attendWithWeights } from "./attend.js";
export { type AttendInChunksOptions, attendInChunks } from "./attend-in-chunks.js";
export {
  type CheckEquivarianceOptions,
  checkEquivariance,
  type EquivarianceReport,
} from "./check-equivariance.js";
export { type Dropout, dropout } from "./dropout.js";
export {
  type ConvolutionParams,
  convolutionOf,
  denseOf,
  type FeedForwardOptions,
  type FeedForwardParams,
  feedForward,
  feedForwardByConvolution,
  initFeedForward,
} from "./feed-forward.js";
export { type GeluForm, gelu } from "./gelu.js";
export {
  type ApplyGptOptions,
  applyGpt,
  applyGptCached,
  type GptCache,
  type GptParams,
  type GptState,
  gptModel,
  type InitGptOptions,
  initGpt,
} from "./gpt.js";
export type { GptConfig } from "./gpt-config.js";
export {
  type AxisOptions,
  cyclicShifts,
  flips,
  type GroupElement,
  type PermutationsOptions,
  tokenPermutations,
} from "./group-elements.js";
export {
  initLayerNorm,
  initRmsNorm,
  type LayerNormParams,
  layerNorm,
  type NormOptions,
  type RmsNormParams,
  rmsNorm,
} from "./layer-norm.js";
export { type InitLinearOptions, initLinear, type LinearParams, linear } from "./linear.js";
export {
  type InitMultiHeadAttentionOptions,
  initMultiHeadAttention,
  type KeyValueCache,
  type MultiHeadAttentionOptions,
  type MultiHeadAttentionParams,
  multiHeadAttention,
  multiHeadAttentionCached,
  multiHeadAttentionWithWeights,
  type ScorePosition,
} from "./multi-head-attention.js";
export type { NormParams } from "./norm.js";
export { rotary } from "./rotary.js";
export { type Masking, maskFromDropped } from "./score-mask.js";
export {
  type AttentionPoolingParams,
  attentionPool,
  type InducedBlockParams,
  type InitSetBlockOptions,
  inducedBlock,
  initAttentionPooling,
  initInducedBlock,
  meanPool,
  type PoolOptions,
  type SetBlockOptions,
  sumPool,
} from "./set-pooling.js";
export { type SinusoidalOptions, sinusoidalPositions } from "./sinusoidal-positions.js";
export {
  type InitTransformerOptions,
  initTransformer,
  type TransformerCache,
  type TransformerParams,
  transformer,
  transformerCached,
} from "./transformer.js";
export {
  crossBlock,
  type InitTransformerBlockOptions,
  initTransformerBlock,
  type TransformerBlockOptions,
  type TransformerBlockParams,
  transformerBlock,
  transformerBlockCached,
} from "./transformer-block.js";
export {
  applyVisionTransformer,
  initVisionTransformer,
  type VisionTransformerConfig,
  type VisionTransformerParams,
} from "./vision-transformer.js";
