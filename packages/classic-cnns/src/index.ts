export {
  type BatchNormTraining,
  type BatchNormTrainingOptions,
  batchNormTraining,
} from "./ops/batch-norm-training.js";
