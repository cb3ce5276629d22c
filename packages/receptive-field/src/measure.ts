export {
  type EffectiveField,
  type EffectiveFieldOptions,
  effectiveField,
  type MassContour,
} from "./effective-field.js";
export { type MeasuredField, measureField, positiveOps } from "./measure-field.js";
