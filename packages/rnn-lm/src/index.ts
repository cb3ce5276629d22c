export type { CellName } from "./cells/recurrent-rule.js";
export {
  type EmbeddingTable,
  embeddingDistance,
  type Neighbour,
  nearestNeighbours,
  type VectorDistance,
} from "./embedding-distances.js";
export { type GradientFlow, gradientFlow } from "./gradient-flow.js";
export {
  type ApplyLanguageModelOptions,
  applyLanguageModel,
  type DropoutMasks,
  type DropoutRates,
  type InitLanguageModelOptions,
  initLanguageModel,
  initLanguageModelState,
  type LanguageModelParams,
  type LanguageModelSpec,
  type LanguageModelState,
  languageModelLoss,
  recurrentSpec,
} from "./model/language-model.js";
export { languageModelFlow } from "./model/language-model-flow.js";
export { sequenceModel } from "./model/sequence-model.js";
export { perplexityOf, type SurprisesOptions, surprises } from "./model/surprises.js";
export {
  type ApplyRecurrentOptions,
  applyRecurrent,
  type Carry,
  type InitRecurrentOptions,
  initCarry,
  initRecurrent,
  type LayerCarry,
  type RecurrentDropout,
  type RecurrentLayerParams,
  type RecurrentParams,
  type RecurrentSpec,
} from "./recurrent-network.js";
export {
  languageModelFromTorch,
  languageModelToTorch,
  type TorchLanguageModelNames,
} from "./torch/torch-language-model.js";
export { recurrentFromTorch, recurrentToTorch, type TorchPrefix } from "./torch/torch-recurrent.js";
export { type BpttGradients, type BpttOptions, bpttGradients } from "./training/bptt-gradients.js";
export {
  type Feeding,
  freeRunning,
  type ScheduledSamplingOptions,
  scheduledSampling,
  teacherForcing,
} from "./training/feeding.js";
export { type GradientNoise, gradientNoise } from "./training/gradient-noise.js";
export type { SampledSoftmax } from "./training/sampled-loss.js";
export {
  type TokenBatch,
  type TrainLanguageModelOptions,
  trainLanguageModel,
} from "./training/train-language-model.js";
