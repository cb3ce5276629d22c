export { type ApplyOptions, applyNetwork } from "./apply-network.js";
export {
  type ApplyTrainingOptions,
  applyNetworkTraining,
  type TrainingPass,
} from "./apply-network-training.js";
export { type CountingPolicy, type CountingPolicyName, countingPolicies } from "./counting-policy.js";
export { type InitNetworkOptions, type InitScheme, initNetwork, initStatistics } from "./init-network.js";
export { type LayerFact, layerFacts, type ParameterFact, type ParameterRole } from "./layer-facts.js";
export { type NetworkName, network, networkNames } from "./networks/network.js";
export type { NetworkOptions } from "./networks/network-options.js";
export { type Summary, type SummaryOptions, type SummaryRow, summary } from "./summary.js";
