export { clipByGlobalNorm } from "./clip-by-global-norm.js";
export { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.js";
export { dropoutMask, type MaskPart } from "./dropout-mask.js";
export { embed } from "./embed.js";
export { expectShape } from "./expect-shape.js";
export { type FusedKernel, fusedKernels } from "./fused/fused-kernels.js";
export { runFused } from "./fused/run-fused.js";
export { type Fans, fans } from "./initializers/fans.js";
export { type HeOptions, heNormal, heUniform } from "./initializers/he.js";
export { type NormalTensorOptions, normalTensor } from "./initializers/normal-tensor.js";
export { type OrthogonalOptions, orthogonal } from "./initializers/orthogonal.js";
export type { InitKey } from "./initializers/random-tensor.js";
export { type TorchUniformOptions, torchUniform } from "./initializers/torch-uniform.js";
export { type UniformTensorOptions, uniformTensor } from "./initializers/uniform-tensor.js";
export { type XavierOptions, xavierNormal, xavierUniform } from "./initializers/xavier.js";
export { installGradients } from "./install-gradients.js";
export {
  createOptimizer,
  type Optimizer,
  type Slots,
  type UpdateOptions,
} from "./optimizers/create-optimizer.js";
export type { FullOptimizerConfig, OptimizerConfig } from "./optimizers/optimizer-config.js";
export { countParams } from "./params/count-params.js";
export { disposeParams } from "./params/dispose-params.js";
export { expectSameParams } from "./params/expect-same-params.js";
export { flattenParams } from "./params/flatten-params.js";
export { mapParams } from "./params/map-params.js";
export type { Params, ParamsList, ParamsOf } from "./params/params.js";
export { unflattenParams } from "./params/unflatten-params.js";
export {
  type GeneratedId,
  type GenerateOptions,
  generate,
  type SequenceModel,
} from "./sampling/generate.js";
export { greedy } from "./sampling/greedy.js";
export { sample } from "./sampling/sample.js";
export { type SamplingOptions, tokenProbabilities } from "./sampling/token-probabilities.js";
export { constantRate } from "./schedules/constant-rate.js";
export { type CosineRateOptions, cosineRate } from "./schedules/cosine-rate.js";
export { type ExponentialRateOptions, exponentialRate } from "./schedules/exponential-rate.js";
export { type OneCycleRateOptions, oneCycleRate } from "./schedules/one-cycle-rate.js";
export type { Schedule } from "./schedules/schedule.js";
export { type StepRateOptions, stepRate } from "./schedules/step-rate.js";
export { type WarmUpOptions, warmUp } from "./schedules/warm-up.js";
export { ShapeError } from "./shape-error.js";
export type { AverageOptions } from "./training/average.js";
export { breather } from "./training/breather.js";
export { checkpointState } from "./training/checkpoint-state.js";
export { loadCheckpoint } from "./training/load-checkpoint.js";
export { lossAndGradients } from "./training/loss-and-gradients.js";
export { NonFiniteError } from "./training/non-finite-error.js";
export type { Plateau, PlateauOptions } from "./training/plateau.js";
export { type CheckpointHeader, readCheckpointHeader } from "./training/read-checkpoint-header.js";
export { reportValidation } from "./training/report-validation.js";
export { saveCheckpoint } from "./training/save-checkpoint.js";
export { startAverage } from "./training/start-average.js";
export {
  type LossResult,
  type PartOf,
  type TrainingStep,
  type TrainOptions,
  train,
} from "./training/train.js";
export {
  disposeTraining,
  type JsonValue,
  type StartTrainingOptions,
  startTraining,
  type Training,
} from "./training/training.js";
