export {
  type ExecuteOptions,
  executeGraph,
  executePlan,
  type GraphOps,
  type GraphPlan,
  type LayerCall,
  type PlannedLayer,
  type PlanOptions,
  planGraph,
} from "./execute-graph.js";
export type {
  AdaptivePoolLayer,
  AxisPadding,
  ConvLayer,
  DenseLayer,
  FlattenLayer,
  GlobalPoolLayer,
  GraphInput,
  Layer,
  LayerGraph,
  LayerOp,
  MergeLayer,
  Padding,
  PadLayer,
  PerAxis,
  PointwiseLayer,
  PoolLayer,
  ResizeLayer,
  TransposedConvLayer,
} from "./layer-graph.js";
export { layerOutputSize } from "./layer-output-size.js";
export { type LayerRow, type Origin, originOffset, type PhaseTable, type ResidueRow } from "./layer-table.js";
export { networkText } from "./network-text.js";
export { exampleNetworks } from "./networks.js";
export type { Misalignment } from "./propagate.js";
export {
  type ReceptiveField,
  type ReceptiveFieldOptions,
  type RunProduct,
  receptiveField,
  type Unit,
  type UnitAxis,
  type UnitsSeeing,
} from "./receptive-field.js";
export { checkLayerGraph } from "./resolve-graph.js";
export { parseNetwork } from "./text-notation.js";
