export { type Check, check, checkTable, checkVerdict, type Value } from "./declaration/check.js";
export { exampleOptions } from "./declaration/example-options.js";
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
  type OptionValues,
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
export {
  describeBackend,
  duration,
  grouped,
  lines,
  perAxis,
  percent,
  short,
  shortened,
} from "./declaration/wording.js";
export { type ImageData, loadImageData } from "./networks/image-data.js";
export { studies } from "./registry.js";
export { type AttackRecord, attack } from "./studies/attack/attack.js";
export { openAttacked } from "./studies/attack/open-attacked.js";
export {
  exampleChecks,
  exampleGradient,
  gradientChecks,
  rowsOf,
} from "./studies/backprop-check/backprop-checks.js";
export { type ClassifyRecord, classify } from "./studies/classify/classify.js";
export { doctor } from "./studies/doctor.js";
export { learningCurveOf } from "./studies/lms/learning-curve.js";
export { growthOf } from "./studies/receptive-field/growth-of.js";
export { type Reached, reached } from "./studies/receptive-field/reached.js";
export { middleUnits } from "./studies/receptive-field/unit-boxes.js";
export { trainCnn } from "./studies/train-cnn/train-cnn.js";
export type { TrainCnnRecord } from "./studies/train-cnn/train-cnn-record.js";
export { trainGpt } from "./studies/train-gpt/train-gpt.js";
export { trainLm } from "./studies/train-lm/train-lm.js";
