export { type CountingPolicy, type CountingPolicyName, countingPolicies } from "./counting-policy.js";
export { headOf } from "./head-of.js";
export {
  type LayerFact,
  type LayerFactsOptions,
  layerFacts,
  type ParameterFact,
  type ParameterRole,
} from "./layer-facts.js";
export { networkUpTo } from "./network-up-to.js";
export { type NetworkName, network, networkNames } from "./networks/network.js";
export type { NetworkOptions } from "./networks/network-options.js";
export { type OwnNetworkOptions, ownNetwork } from "./networks/own-network.js";
export { type Summary, type SummaryOptions, type SummaryRow, summary } from "./summary.js";
export { type SummaryTextOptions, summaryCsv, summaryText } from "./summary-text.js";
