export {
  type GraphClassifierOptions,
  type GraphModelLike,
  type GraphNode,
  graphClassifier,
} from "./adapters/graph-classifier.js";
export {
  type LayerLike,
  type LayersClassifierOptions,
  type LayersModelLike,
  layersClassifier,
} from "./adapters/layers-classifier.js";
export type { Attack } from "./attack.js";
export {
  type CertifiedMargin,
  type CertifyOptions,
  certifiedMargins,
  type ReluLayer,
  type ReluNetwork,
  reluClassifier,
} from "./bounds/certified-margins.js";
export { type ProvenShares, proveOrBreak } from "./bounds/prove-or-break.js";
export type { BlackBox, BlackBoxAnswer, Bounds, Classifier, Row, Target } from "./classifier.js";
export {
  type AdversarialTrainingOptions,
  adversarialTraining,
  type LabelledImages,
} from "./defence/adversarial-training.js";
export { type PerturbOptions, perturb } from "./defence/perturb.js";
export type { Certificate, Distances } from "./driver/certificate.js";
export type { Draws } from "./driver/draws.js";
export { type Answer, gradientAt, logitsAt, logitsAtAll, type Query, type Steps } from "./driver/query.js";
export type { Labels, PerSample } from "./driver/read-arguments.js";
export type { AttackResult, AttackSummary, SampleResult } from "./driver/result.js";
export { type AttackProgress, attackSteps, runAttack } from "./driver/run-attack.js";
export type { RunOptions } from "./driver/run-options.js";
export type { Found, Sample } from "./driver/sample.js";
export { type DiagnoseOptions, type Diagnosis, diagnose, type Finding } from "./evaluation/diagnose.js";
export {
  type CurvePoint,
  type EvaluateOptions,
  evaluateRobustness,
  type RobustnessResult,
  type RobustnessSummary,
  type SampleRobustness,
  summarizeRobustness,
} from "./evaluation/evaluate-robustness.js";
export { type Transfer, transfer } from "./evaluation/transfer.js";
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
export { type ApgdOptions, type ApgdTargetedOptions, apgd, apgdTargeted } from "./methods/apgd.js";
export { type BimOptions, bim } from "./methods/bim.js";
export { type BoundaryAttackOptions, boundaryAttack } from "./methods/boundary-attack.js";
export { type CarliniWagnerOptions, carliniWagner } from "./methods/carlini-wagner.js";
export { type DdnOptions, ddn } from "./methods/ddn.js";
export { type DeepFoolOptions, deepFool } from "./methods/deep-fool.js";
export { type ElasticNetOptions, elasticNet } from "./methods/elastic-net.js";
export { type AutoAttackOptions, autoAttack, ensemble } from "./methods/ensemble.js";
export { type FabOptions, fab } from "./methods/fab.js";
export { type FgsmOptions, fgsm } from "./methods/fgsm.js";
export { type HopSkipJumpOptions, hopSkipJump } from "./methods/hop-skip-jump.js";
export { type JsmaOptions, jsma } from "./methods/jsma.js";
export { type MiFgsmOptions, miFgsm } from "./methods/mi-fgsm.js";
export { type OnePixelOptions, onePixel } from "./methods/one-pixel.js";
export { type PgdOptions, pgd } from "./methods/pgd.js";
export { type PixelOptimizationOptions, pixelOptimization } from "./methods/pixel-optimization.js";
export { type RefinedOptions, refined } from "./methods/refined.js";
export { type SparseFoolOptions, sparseFool } from "./methods/sparse-fool.js";
export { type SpsaOptions, spsa } from "./methods/spsa.js";
export { type SquareOptions, square } from "./methods/square.js";
export {
  type UniversalOptions,
  type UniversalPerturbation,
  universalPerturbation,
} from "./methods/universal-perturbation.js";
export { type Box, distanceOf, type Norm, type NormName } from "./norms/norm.js";
export { norms } from "./norms/norms.js";
export { ontoHyperplane } from "./norms/onto-hyperplane.js";
export type { Preflight, PreflightWarning } from "./preflight.js";
export { withBackwardPass } from "./with-backward-pass.js";
export { type Preprocessing, withPreprocessing } from "./with-preprocessing.js";
export { type TransformationOptions, withTransformation } from "./with-transformation.js";
