export type { Attack } from "./attack.js";
export type { BlackBox, BlackBoxAnswer, Bounds, Classifier, Row, Target } from "./classifier.js";
export type { Certificate, Distances } from "./driver/certificate.js";
export type { Draws } from "./driver/draws.js";
export { type Answer, gradientAt, logitsAt, logitsAtAll, type Query, type Steps } from "./driver/query.js";
export type { Labels, PerSample } from "./driver/read-arguments.js";
export type { AttackResult, AttackSummary, SampleResult } from "./driver/result.js";
export { type AttackProgress, attackSteps, type RunOptions, runAttack } from "./driver/run-attack.js";
export type { Found, Sample } from "./driver/sample.js";
export {
  crossEntropy,
  difference,
  dlr,
  type Loss,
  logit,
  margin,
  targetedCrossEntropy,
  targetedDlr,
  targetedMargin,
} from "./losses/loss.js";
export { type FgsmOptions, fgsm } from "./methods/fgsm.js";
export { type PgdOptions, pgd } from "./methods/pgd.js";
export { type Box, distanceOf, type Norm, type NormName, norms } from "./norms/norm.js";
export type { Preflight, PreflightWarning } from "./preflight.js";
export { type Preprocessing, withPreprocessing } from "./with-preprocessing.js";
