export { type Check, check, checkTable, checkVerdict, type Value } from "./declaration/check.js";
export type {
  DecodeOptions,
  InputFiles,
  InputOption,
  InputsOf,
  NumberOption,
  Option,
  OptionsOf,
  OptionTable,
  Picture,
  Range,
} from "./declaration/option.js";
export { isInput, seedOption } from "./declaration/option.js";
export { flagName, labelName } from "./declaration/option-names.js";
export { expectedNumber, parseOption } from "./declaration/parse-option.js";
export { recordJson } from "./declaration/record-json.js";
export {
  type Backend,
  type Column,
  defineStudy,
  type Figure,
  type Study,
  type StudyContext,
  type StudyEvent,
  type Table,
} from "./declaration/study.js";
export { addressOptions, addressVersion, studyAddress } from "./declaration/study-address.js";
export { shellWord, studyCommandLine } from "./declaration/study-command-line.js";
export {
  blame,
  blamed,
  messageOf,
  StudyError,
  type StudyErrorKind,
  withOptionNames,
} from "./declaration/study-error.js";
export { type StudyFlag, studyFlags } from "./declaration/study-flags.js";
export { type FormField, studyForm } from "./declaration/study-form.js";
export { describeBackend, duration, grouped, lines, perAxis, percent, short } from "./declaration/wording.js";
export {
  bothAxes,
  type ClassicNetwork,
  classicNetwork,
  loadNetwork,
  type NetworkSource,
  refuseBesideCheckpoint,
  type ShapeOptions,
} from "./networks/network-source.js";
export { studies } from "./registry.js";
export { backpropCheck } from "./studies/backprop-check/backprop-check.js";
export {
  exampleChecks,
  exampleGradient,
  gradientChecks,
  rowsOf,
} from "./studies/backprop-check/backprop-checks.js";
export { doctor } from "./studies/doctor.js";
export { gates } from "./studies/gates.js";
export { learningCurveOf } from "./studies/lms/learning-curve.js";
export { lms } from "./studies/lms/lms.js";
export { growthOf } from "./studies/receptive-field/growth-of.js";
export { type Reached, reached } from "./studies/receptive-field/reached.js";
export { receptiveField } from "./studies/receptive-field/receptive-field.js";
export { middleUnits } from "./studies/receptive-field/unit-boxes.js";
