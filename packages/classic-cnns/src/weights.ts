export { fromTorchState, type TorchWeights } from "./weights/from-torch-state.js";
export { type ParseLabelsOptions, parseLabels } from "./weights/parse-labels.js";
export { type ReadWeightsOptions, readWeights, type WeightsFile } from "./weights/read-weights.js";
export { toTorchState } from "./weights/to-torch-state.js";
export { transformInput } from "./weights/transform-input.js";
export { type WriteWeightsOptions, writeWeights } from "./weights/write-weights.js";
