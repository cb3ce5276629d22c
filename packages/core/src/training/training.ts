import { fill, keep, type Tensor, type Variable, variable } from "@tensorflow/tfjs-core";
import { installGradients } from "../install-gradients.js";
import {
  type FullOptimizerConfig,
  fullConfig,
  type OptimizerConfig,
} from "../optimizers/optimizer-config.js";
import { ruleOf } from "../optimizers/rule-of.js";
import { mapParams } from "../params/map-params.js";
import { entriesOf, type ParamsOf } from "../params/params.js";
import { type AverageOptions, averageLike, averageOf } from "./average.js";
import { type Plateau, type PlateauOptions, plateauOf } from "./plateau.js";
import { trainedPaths } from "./trained-paths.js";

/** What `JSON.stringify` writes and `JSON.parse` gives back the same. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** A training under way: all that the next step depends on. Made by `startTraining` or `loadCheckpoint`. */
export interface Training<S> {
  /** The record that was given, with a `Variable` in the place of each tensor. */
  readonly state: S;
  /** The paths of `state` that are trained, in their order. */
  readonly trained: readonly string[];
  /** The optimizer's configuration, with all defaults. */
  readonly config: FullOptimizerConfig;
  /** The optimizer's memory: for each slot a tensor under each path that is trained. */
  readonly slots: Readonly<Record<string, Readonly<Record<string, Tensor>>>>;
  /** How many updates each path that is trained has had: fewer than `step` where a loss did not use it. */
  readonly counts: Readonly<Record<string, number>>;
  /** The rate that validation drives, see `reportValidation`; null where the training was started without. */
  readonly plateau: Plateau | null;
  /** How the weights are averaged; null where they are not. */
  readonly averaging: AverageOptions | null;
  /**
   * `state` with averages in the place of what is trained, ready to be evaluated; the other tensors are those of `state`
   * themselves. Null without averaging.
   */
  readonly average: S | null;
  /** How many updates have been applied. */
  readonly step: number;
  /** Anything that a checkpoint should hold beside: the place in the data, the state of a random stream. Yours to set. */
  extra: JsonValue;
}

export interface StartTrainingOptions {
  /**
   * Which float32 parameters are trained: all unless given. Paths are those of the whole state (`params.fc.bias`). The
   * others stay as they are, or as `moved` of a loss says, and are saved with the rest.
   */
  readonly trainable?: (path: string, tensor: Tensor) => boolean;
  /** Keep averages of the weights in `training.average`; not, unless given. */
  readonly average?: AverageOptions;
  /** Let `reportValidation` reduce the rate; not, unless given. */
  readonly plateau?: PlateauOptions;
  /** The function that errors name, `"startTraining"` unless given: that which a user has called. */
  readonly caller?: string;
}

/**
 * Makes variables of a state, in the order of its paths, and the memory of an optimizer for them. Installs the
 * gradients (`installGradients`).
 *
 * A state with a `params` (`{params, statistics}`, `{params, carry}`) has parameters there and nowhere else; a record
 * without one is all parameters.
 *
 * @param state float32 parameters are trained. Borrowed: the tensors stay yours and keep their values. Each path has a
 *   tensor of its own; a weight that two layers share stands in the record once.
 * @param config The optimizer, as plain data.
 * @returns The caller gives it to `disposeTraining` in the end.
 * @throws {TypeError | RangeError} when `state` is no record of tensors, holds a tensor twice or none that can be
 *   trained, or `config` is not as stated.
 */
export function startTraining<S extends ParamsOf<S>>(
  state: S,
  config: OptimizerConfig,
  { trainable = () => true, average, plateau, caller = "startTraining" }: StartTrainingOptions = {},
): Training<S> {
  const paths = new Map<Tensor, string>();
  for (const [path, tensor] of entriesOf(`${caller}: state`, state)) {
    const first = paths.get(tensor);
    if (first !== undefined) {
      throw new RangeError(`${caller}: state: ${path}: expected a tensor of its own, got that of ${first}`);
    }
    paths.set(tensor, path);
  }
  const full = fullConfig(`${caller}: optimizer`, config);
  const averaging = average === undefined ? null : averageOf(`${caller}: average`, average);
  const kept = plateau === undefined ? null : plateauOf(`${caller}: plateau`, plateau);
  const trained = trainedPaths(`${caller}: state`, state, trainable);
  return trainingOf(state, full, trained, averaging, kept);
}

export function trainingOf<S extends ParamsOf<S>>(
  state: S,
  config: FullOptimizerConfig,
  trained: readonly string[],
  averaging: AverageOptions | null,
  plateau: Plateau | null,
): Training<S> {
  installGradients();
  const isTrained = new Set(trained);
  const variables = mapParams(state, (tensor, path) => variable(tensor, isTrained.has(path)));
  const tensors = variablesOf(variables);
  const slots = Object.entries(ruleOf(config).slots).map(([slot, value]) => [
    slot,
    Object.fromEntries(trained.map((path) => [path, keep(fill(tensors.get(path)!.shape, value))])),
  ]);
  return {
    state: variables,
    trained,
    config,
    slots: Object.fromEntries(slots),
    counts: Object.fromEntries(trained.map((path) => [path, 0])),
    plateau,
    averaging,
    average: averaging === null ? null : averageLike(variables, trained),
    step: 0,
    extra: null,
  };
}

/** The variables of a training's state by their paths. */
export function variablesOf(state: unknown): Map<string, Variable> {
  return new Map(entriesOf("training: state", state) as [string, Variable][]);
}

/** The paths in a training's slots with their tensors. */
export function slotEntries<S>({ slots }: Training<S>): [slot: string, path: string, tensor: Tensor][] {
  return Object.entries(slots).flatMap(([slot, tensors]) =>
    Object.entries(tensors).map(([path, tensor]): [string, string, Tensor] => [slot, path, tensor]),
  );
}

/** The averages of a training with the paths that are trained; none where there is no averaging. */
export function averageEntries<S>({ average, trained }: Training<S>): [path: string, average: Variable][] {
  if (average === null) return [];
  const all = variablesOf(average);
  return trained.map((path) => [path, all.get(path)!]);
}

/**
 * Disposes the variables of a training and all that it remembers. (A trained record to keep:
 * `mapParams(training.state, (tensor) => tensor.clone())` before.)
 */
export function disposeTraining<S>(training: Training<S>): void {
  for (const [, tensor] of entriesOf("disposeTraining: state", training.state)) tensor.dispose();
  for (const [, tensor] of averageEntries(training)) tensor.dispose();
  for (const [, , tensor] of slotEntries(training)) tensor.dispose();
}
