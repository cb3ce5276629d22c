export {
  type EffectiveField,
  type EffectiveFieldOptions,
  effectiveField,
  type MassContour,
} from "./effective-field.js";
export { type ExecuteOptions, executeGraph, type GraphOps, type LayerCall } from "./execute-graph.js";
export { type MeasuredField, measureField, positiveOps } from "./measure-field.js";
