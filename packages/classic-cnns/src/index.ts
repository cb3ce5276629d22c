export { type ApplyOptions, applyNetwork } from "./apply-network.js";
export {
  type ApplyTrainingOptions,
  applyNetworkTraining,
  type TrainingPass,
} from "./apply-network-training.js";
export { type CountingPolicy, type CountingPolicyName, countingPolicies } from "./counting-policy.js";
export { type InitNetworkOptions, type InitScheme, initNetwork, initStatistics } from "./init-network.js";
export { type Histogram, histogram } from "./inspection/histogram.js";
export {
  type ActivationMap,
  type InspectOptions,
  inspectNetwork,
  type LayerActivations,
  type NetworkInspection,
  type ParameterHistogram,
} from "./inspection/inspect-network.js";
export { type LayerFact, layerFacts, type ParameterFact, type ParameterRole } from "./layer-facts.js";
export {
  type NetworkClassifier,
  type NetworkClassifierOptions,
  networkClassifier,
} from "./network-classifier.js";
export { type NetworkName, network, networkNames } from "./networks/network.js";
export type { NetworkOptions } from "./networks/network-options.js";
export {
  type BatchNormTraining,
  type BatchNormTrainingOptions,
  batchNormTraining,
} from "./ops/batch-norm-training.js";
export { type Summary, type SummaryOptions, type SummaryRow, summary } from "./summary.js";
export { type EvaluateOptions, type Evaluation, evaluateNetwork } from "./training/evaluate-network.js";
export { type Prediction, type PredictOptions, predict } from "./training/predict.js";
export {
  type ImageBatch,
  type NetworkState,
  startNetworkTraining,
  type TrainNetworkOptions,
  trainNetwork,
} from "./training/train-network.js";
