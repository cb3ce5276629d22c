export { type ApplyOptions, applyNetwork } from "./apply-network.js";
export {
  type ApplyTrainingOptions,
  applyNetworkTraining,
  type TrainingPass,
} from "./apply-network-training.js";
export { type InitNetworkOptions, type InitScheme, initNetwork } from "./init-network.js";
export type { ActivationMap, MapOptions } from "./inspection/activation-map.js";
export { type Histogram, histogram } from "./inspection/histogram.js";
export {
  type InspectOptions,
  inspectNetwork,
  type LayerActivations,
  type NetworkInspection,
  type ParameterHistogram,
} from "./inspection/inspect-network.js";
export {
  type NetworkClassifier,
  type NetworkClassifierOptions,
  networkClassifier,
} from "./network-classifier.js";
export type { NetworkState } from "./network-state.js";
export {
  type CountingPolicy,
  type CountingPolicyName,
  countingPolicies,
  headOf,
  type LayerFact,
  type LayerFactsOptions,
  layerFacts,
  type NetworkName,
  type NetworkOptions,
  network,
  networkNames,
  networkUpTo,
  type OwnNetworkOptions,
  ownNetwork,
  type ParameterFact,
  type ParameterRole,
  type Summary,
  type SummaryOptions,
  type SummaryRow,
  type SummaryTextOptions,
  summary,
  summaryCsv,
  summaryText,
} from "./networks.js";
export {
  type BatchNormTraining,
  type BatchNormTrainingOptions,
  batchNormTraining,
} from "./ops/batch-norm-training.js";
export { type EvaluateOptions, type Evaluation, evaluateNetwork } from "./training/evaluate-network.js";
export type { ImageArrays, ImageBatch, ImageTensors } from "./training/image-batch.js";
export { type Prediction, type PredictOptions, predict, topPredictions } from "./training/predict.js";
export { startNetworkTraining } from "./training/start-network-training.js";
export { type TrainNetworkOptions, trainNetwork } from "./training/train-network.js";
