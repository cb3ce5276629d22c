import { type Optimizer, type Tensor, type Variable, variable } from "@tensorflow/tfjs-core";
import { mapParams } from "../params/map-params.js";
import { entriesOf, type ParamsOf } from "../params/params.js";
import { createOptimizer, disposeOptimizer } from "./create-optimizer.js";
import { type FullOptimizerConfig, fullConfig, type OptimizerConfig } from "./optimizer-config.js";

/** What `JSON.stringify` writes and `JSON.parse` gives back the same. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** A training under way: all that the next step depends on. Made by `startTraining` or `loadCheckpoint`. */
export interface Training<P> {
  /** The record that was given, with a `Variable` in the place of each tensor. */
  readonly params: P;
  /** The optimizer's configuration, with all defaults. */
  readonly config: FullOptimizerConfig;
  /** tfjs-core's optimizer; `train` drives it. */
  readonly optimizer: Optimizer;
  /** How many updates have been applied. */
  readonly step: number;
  /** Anything that a checkpoint should hold beside: the place in the data, the state of a random stream. Yours to set. */
  extra: JsonValue;
}

export interface StartTrainingOptions {
  /**
   * Which float32 tensors are trained: all unless given. The others (frozen layers, running statistics) stay as they
   * are, are saved with the rest, and may be `assign`ed between steps.
   */
  readonly trainable?: (path: string, tensor: Tensor) => boolean;
}

/**
 * Makes variables of a parameter record, in the order of its paths, and an optimizer for them.
 *
 * @param params float32 tensors are trained, integers and booleans stay as they are. Borrowed: the tensors stay yours and keep their
 *   values. Each path has a tensor of its own; a weight that two layers share stands in the record once.
 * @param config The optimizer, as plain data.
 * @returns The caller gives it to `disposeTraining` in the end.
 * @throws {TypeError | RangeError} when `params` is no record of tensors, holds a tensor twice or none that can be
 *   trained, or `config` is not as stated.
 */
export function startTraining<P extends ParamsOf<P>>(
  params: P,
  config: OptimizerConfig,
  { trainable = () => true }: StartTrainingOptions = {},
): Training<P> {
  const paths = new Map<Tensor, string>();
  for (const [path, tensor] of entriesOf("startTraining: params", params)) {
    const first = paths.get(tensor);
    if (first !== undefined) {
      throw new RangeError(
        `startTraining: params: ${path}: expected a tensor of its own, got that of ${first}`,
      );
    }
    paths.set(tensor, path);
  }
  return trainingOf("startTraining", params, fullConfig("startTraining: optimizer", config), trainable);
}

export function trainingOf<P extends ParamsOf<P>>(
  where: string,
  params: P,
  config: FullOptimizerConfig,
  trainable: (path: string, tensor: Tensor) => boolean,
): Training<P> {
  const trained = new Set(
    entriesOf(`${where}: params`, params)
      .filter(([path, tensor]) => tensor.dtype === "float32" && trainable(path, tensor))
      .map(([path]) => path),
  );
  if (trained.size === 0) {
    throw new RangeError(`${where}: params: expected at least one float32 tensor to train, got none`);
  }
  return {
    params: mapParams(params, (tensor, path) => variable(tensor, trained.has(path))),
    config,
    optimizer: createOptimizer(config),
    step: 0,
    extra: null,
  };
}

/** The variables that are trained, with their paths and in their order: the optimizer knows them by their places. */
export function trainedVariables<P>(training: Training<P>): [path: string, variable: Variable][] {
  const entries = entriesOf("training: params", training.params) as [string, Variable][];
  return entries.filter(([, { trainable }]) => trainable);
}

/**
 * Disposes the variables of a training and all that its optimizer holds. (A trained record to keep:
 * `mapParams(training.params, (tensor) => tensor.clone())` before.)
 */
export function disposeTraining<P>(training: Training<P>): void {
  for (const [, tensor] of entriesOf("disposeTraining: params", training.params)) tensor.dispose();
  disposeOptimizer(training.optimizer);
}
