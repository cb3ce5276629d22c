import {
  AdadeltaOptimizer,
  AdagradOptimizer,
  AdamaxOptimizer,
  AdamOptimizer,
  MomentumOptimizer,
  type Optimizer,
  RMSPropOptimizer,
  SGDOptimizer,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { CenteredRmspropOptimizer } from "./centered-rmsprop-optimizer.js";
import type { FullOptimizerConfig } from "./optimizer-config.js";

export function createOptimizer(config: FullOptimizerConfig): Optimizer {
  const { learningRate } = config;
  switch (config.name) {
    case "sgd":
      return new SGDOptimizer(learningRate);
    case "momentum":
      return new MomentumOptimizer(learningRate, config.momentum, config.nesterov);
    case "adam":
      return new AdamOptimizer(learningRate, config.beta1, config.beta2, config.epsilon);
    case "adamax":
      return new AdamaxOptimizer(learningRate, config.beta1, config.beta2, config.epsilon, config.decay);
    case "rmsprop":
      return new (config.centered ? CenteredRmspropOptimizer : RMSPropOptimizer)(
        learningRate,
        config.decay,
        config.momentum,
        config.epsilon,
        config.centered,
      );
    case "adagrad":
      return new AdagradOptimizer(learningRate, config.initialAccumulator);
    case "adadelta":
      return new AdadeltaOptimizer(learningRate, config.rho, config.epsilon);
  }
}

/** What the classes keep to themselves. (`instanceof` cannot tell them apart: every optimizer is one of each.) */
interface OptimizerFields {
  learningRate: number;
  setLearningRate?(learningRate: number): void;
  /** The rate as a tensor, of SGD and momentum. */
  readonly c?: Tensor;
}

/** Sets the rate of the updates to come. */
export function setLearningRate(optimizer: Optimizer, learningRate: number): void {
  const fields = optimizer as unknown as OptimizerFields;
  if (fields.setLearningRate === undefined) fields.learningRate = learningRate;
  else fields.setLearningRate(learningRate);
}

/** Disposes all that an optimizer holds. */
export function disposeOptimizer(optimizer: Optimizer): void {
  optimizer.dispose();
  // MomentumOptimizer disposes its momentum and forgets the rate that it inherited.
  (optimizer as unknown as OptimizerFields).c?.dispose();
}
