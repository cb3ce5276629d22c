import { add, cast, dispose, keep, type Scalar, stack, Tensor, tidy, util } from "@tensorflow/tfjs-core";
import { expectMaxNorm, globalNorm } from "../clip-by-global-norm.js";
import { typeMismatch } from "../expect-argument.js";
import { expectDtype } from "../expect-dtype.js";
import { expectShape } from "../expect-shape.js";
import { expectAtLeast0, expectInteger, expectPositive } from "../expect-values.js";
import { moveTensor } from "../optimizers/move-tensor.js";
import { ruleOf } from "../optimizers/rule-of.js";
import { mapParams } from "../params/map-params.js";
import { entriesOf } from "../params/params.js";
import type { Schedule } from "../schedules/schedule.js";
import { takeIntoAverage } from "./average.js";
import { breather } from "./breather.js";
import { differentiate } from "./differentiate.js";
import { NonFiniteError } from "./non-finite-error.js";
import { averageEntries, type Training, variablesOf } from "./training.js";

/** Some of the tensors of a record, at their paths. (Their shapes are checked, not typed: ops return `Tensor`.) */
export type PartOf<T> = T extends Tensor ? Tensor : { readonly [K in keyof T]?: PartOf<T[K]> };

/** What a loss may return beside the number that is minimized. */
export interface LossResult<S> {
  /** A float32 scalar. */
  readonly loss: Scalar;
  /**
   * New values of tensors that are not trained, at their paths in the state: running statistics, a carried hidden state.
   * They are assigned with the update, and dropped when it is rejected.
   */
  readonly moved?: PartOf<S>;
  /** Scalars to be read in the same transfer as the loss, by any name. */
  readonly seen?: Readonly<Record<string, Tensor>>;
}

export interface TrainOptions<S, Batch> {
  /**
   * The loss of one step: a float32 scalar, or `{loss, moved, seen}`; called in a `tidy`. `step` counts the updates
   * before it, from 0: key random numbers (dropout) by it.
   */
  readonly loss: (state: S, batch: Batch, step: number) => Scalar | LossResult<S>;
  /**
   * The data of a step, or `null` to end the training. As a pure function of `step` it needs no cursor to resume. What
   * it returns (tensors in records and lists, or anything else) belongs to `train`, which disposes the tensors after
   * the step. Without it `loss` gets `undefined`.
   */
  readonly batch?: (step: number) => Batch | null | Promise<Batch | null>;
  /** Ends when `training.step` is this many, counted from the very first update; never, unless given. */
  readonly steps?: number;
  /**
   * How many batches make one update, of the mean of their losses; 1 unless given. `batch` and `loss` get
   * `step · accumulate + i`, and each sees what the one before it moved. A `null` in the middle ends the training
   * without that update.
   */
  readonly accumulate?: number;
  /** The learning rate of each step; the optimizer's own unless given. A plateau multiplies it. */
  readonly schedule?: Schedule;
  /** Multiplies the learning rate of a tensor; at least 0; 1 unless given. */
  readonly rates?: (path: string, tensor: Tensor) => number;
  /** Clips the gradients by their global norm, as `clipByGlobalNorm` does; not, unless given. */
  readonly maxNorm?: number;
  /** Clips every element of the gradients to [-maxValue, maxValue]; not, unless given. Not together with `maxNorm`. */
  readonly maxValue?: number;
  /**
   * Decoupled weight decay, at least 0: a weight becomes `(1 - learningRate · weightDecay)` of itself before its update.
   * That of `adamw`, or 0, unless given.
   */
  readonly weightDecay?: number;
  /** Which tensors decay: all unless given. (Usual is `(path, { rank }) => rank > 1`: no biases.) */
  readonly decays?: (path: string, tensor: Tensor) => boolean;
  /** Stops the training before the next update with the signal's reason as the error. */
  readonly signal?: AbortSignal;
  /** The function that errors about options and steps name, `"train"` unless given: that which a user has called. */
  readonly caller?: string;
}

/** What one step did. */
export interface TrainingStep {
  /** How many updates have been applied, this one included: 1 after the first of a training. */
  readonly step: number;
  /** The loss before the update. */
  readonly loss: number;
  /** The norm of the gradients of all tensors together, before clipping. */
  readonly gradientNorm: number;
  /** The learning rate of the update. */
  readonly learningRate: number;
  /** What the loss gave as `seen`; of several batches the means. */
  readonly seen: Readonly<Record<string, number>>;
  /** How long the step took, `batch` included. */
  readonly seconds: number;
}

/**
 * Trains, one step each time the next result is asked for: `for await (const { step, loss } of train(…))`.
 *
 * The loss and the norm of the gradients are read (without blocking) and checked before an update is applied. When one
 * of them is not finite, a step throws anywhere, or the signal says so, the training stands where the last applied
 * update left it, ready to be saved or trained on. To pause, stop asking; between two steps `train` holds no tensor,
 * so leaving the loop with `break` needs no cleaning up. A parameter that the loss does not use is left alone.
 *
 * Timers, messages and aborts are heard between two steps, at least every 30 ms, on backends that compute at once too.
 *
 * @param training Changed: its variables, its slots, its step.
 * @throws {NonFiniteError} when the loss or the norm of the gradients is not a finite number.
 * @throws {ShapeError} when the loss is no scalar, or what `moved` gives has another shape.
 * @throws {TypeError | RangeError} when an option is out of range: at the call, before any step.
 */
export function train<S, Batch = undefined>(
  training: Training<S>,
  options: TrainOptions<S, Batch>,
): AsyncGenerator<TrainingStep, void, undefined> {
  const { loss, batch, steps = Number.MAX_SAFE_INTEGER, accumulate = 1 } = options;
  const { maxNorm, maxValue, weightDecay = 0, caller = "train" } = options;
  if (typeof loss !== "function") throw typeMismatch(`${caller}: loss`, "a function", loss);
  if (batch !== undefined && typeof batch !== "function") {
    throw typeMismatch(`${caller}: batch`, "a function", batch);
  }
  expectInteger(`${caller}: steps`, steps, 0);
  expectInteger(`${caller}: accumulate`, accumulate, 1);
  if (maxNorm !== undefined) expectMaxNorm(caller, maxNorm);
  if (maxValue !== undefined) expectPositive(`${caller}: maxValue`, maxValue);
  if (maxNorm !== undefined && maxValue !== undefined) {
    throw new RangeError(`${caller}: maxNorm, maxValue: expected one of them, got both`);
  }
  expectAtLeast0(`${caller}: weightDecay`, weightDecay);
  return run(training, options, steps);
}

async function* run<S, Batch>(
  training: Training<S>,
  options: TrainOptions<S, Batch>,
  steps: number,
): AsyncGenerator<TrainingStep, void, undefined> {
  const breathe = breather();
  while (training.step < steps) {
    const result = await oneStep(training, options, breathe);
    if (result === null) return;
    yield result;
  }
}

/** Trainings in the middle of a step: a second loop over one of them would apply a gradient of other weights. */
const busy = /* @__PURE__ */ new WeakSet<object>();

async function oneStep<S, Batch>(
  training: Training<S>,
  options: TrainOptions<S, Batch>,
  breathe: () => Promise<void>,
): Promise<TrainingStep | null> {
  const { schedule, maxNorm, signal, accumulate = 1, caller = "train" } = options;
  if (busy.has(training)) {
    throw new Error(`${caller}: training: expected no other step under way, got one`);
  }
  const begin = util.now();
  const { step } = training;
  const sums: Sums = { scalars: new Map(), gradients: new Map(), moved: new Map() };
  busy.add(training);
  try {
    const planned = schedule === undefined ? training.config.learningRate : schedule(step);
    expectAtLeast0(`${caller}: learning rate`, planned);
    const learningRate = planned * (training.plateau?.scale ?? 1);
    for (let i = 0; i < accumulate; i++) {
      await breathe();
      signal?.throwIfAborted();
      if (!(await accumulatePass(training, options, step * accumulate + i, sums))) return null;
    }
    const read = tidy(() => stack([...sums.scalars.values(), globalNorm([...sums.gradients.values()])]));
    const numbers = await read.data().finally(() => read.dispose());
    signal?.throwIfAborted();
    const means = Array.from(numbers, (sum) => sum / accumulate);
    const [loss, gradientNorm] = [means[0]!, means.at(-1)!];
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      throw new NonFiniteError(step, loss, gradientNorm, caller);
    }
    const factor = maxNorm !== undefined && gradientNorm > maxNorm ? maxNorm / gradientNorm : 1;
    applyUpdate(training, sums, factor / accumulate, learningRate, options);
    const seen = Object.fromEntries(
      [...sums.scalars.keys()].slice(1).map((name, i) => [name, means[i + 1]!]),
    );
    const seconds = (util.now() - begin) / 1000;
    return { step: training.step, loss, gradientNorm, learningRate, seen, seconds };
  } finally {
    busy.delete(training);
    for (const tensors of Object.values(sums)) dispose([...tensors.values()]);
  }
}

/** What the batches of one update have given so far; each map owns its tensors. */
interface Sums {
  /** The loss under "", then what is seen. */
  readonly scalars: Map<string, Tensor>;
  readonly gradients: Map<string, Tensor>;
  readonly moved: Map<string, Tensor>;
}

/** Adds one batch to the sums; false when there is none. */
async function accumulatePass<S, Batch>(
  training: Training<S>,
  options: TrainOptions<S, Batch>,
  step: number,
  sums: Sums,
): Promise<boolean> {
  const held: Tensor[] = [];
  try {
    const batch = await options.batch?.(step);
    if (batch === null) return false;
    collectTensors(batch, held);
    options.signal?.throwIfAborted();
    const variables = variablesOf(training.state);
    const state =
      sums.moved.size === 0
        ? training.state
        : (mapParams(training.state as never, (tensor, path) => sums.moved.get(path) ?? tensor) as S);
    const kept: [Map<string, Tensor>, string, Tensor][] = [];
    const hold = (map: Map<string, Tensor>, name: string, tensor: Tensor) => {
      const copy = keep(tensor.clone());
      held.push(copy);
      kept.push([map, name, copy]);
    };
    const { value, gradients } = differentiate(
      "train: loss",
      () => {
        const result = options.loss(state, batch as Batch, step);
        if (result instanceof Tensor || typeof result !== "object" || result === null) return result;
        for (const [path, tensor] of entriesOf("train: moved", result.moved ?? {})) {
          expectMovable(training, variables, path, tensor);
          hold(sums.moved, path, tensor);
        }
        for (const [name, tensor] of Object.entries(result.seen ?? {})) {
          expectSeen(name, tensor);
          hold(sums.scalars, name, cast(tensor, "float32"));
        }
        return result.loss;
      },
      training.trained.map((path) => variables.get(path)!),
    );
    for (const tensor of [value, ...gradients]) if (tensor !== undefined) held.push(tensor);
    addTo(sums.scalars, "", value);
    for (const [map, name, tensor] of kept) {
      if (map === sums.moved) replace(map, name, tensor.clone());
      else addTo(map, name, tensor);
    }
    for (const [i, path] of training.trained.entries()) {
      if (gradients[i] !== undefined) addTo(sums.gradients, path, gradients[i]);
    }
    return true;
  } finally {
    dispose(held);
  }
}

/** Adds a tensor to that of a name; the tensor stays the caller's. */
function addTo(sums: Map<string, Tensor>, name: string, tensor: Tensor): void {
  const before = sums.get(name);
  replace(sums, name, before === undefined ? tensor.clone() : add(before, tensor));
}

function replace(map: Map<string, Tensor>, name: string, tensor: Tensor): void {
  map.get(name)?.dispose();
  map.set(name, tensor);
}

function expectMovable<S>(
  { trained }: Training<S>,
  variables: ReadonlyMap<string, Tensor>,
  path: string,
  tensor: Tensor,
): void {
  const place = variables.get(path);
  if (place === undefined || trained.includes(path)) {
    const got = place === undefined ? "none of this path" : "one that is trained";
    throw new RangeError(
      `train: moved: ${path}: expected a tensor of the state that is not trained, got ${got}`,
    );
  }
  expectShape(`train: moved: ${path}`, tensor, place.shape);
  expectDtype(`train: moved: ${path}`, tensor, place.dtype);
}

function expectSeen(name: string, tensor: unknown): void {
  const where = `train: seen: ${name}`;
  if (name === "") throw new RangeError('train: seen: expected names other than "", got ""');
  if (!(tensor instanceof Tensor)) throw typeMismatch(where, "a scalar", tensor);
  expectShape(where, tensor, []);
}

function applyUpdate<S, Batch>(
  training: Training<S>,
  { gradients, moved }: Sums,
  scale: number,
  learningRate: number,
  options: TrainOptions<S, Batch>,
): void {
  const { config } = training;
  const { maxValue = Number.POSITIVE_INFINITY, rates = () => 1, decays = () => true } = options;
  const { caller = "train" } = options;
  const { weightDecay = config.name === "adamw" ? config.weightDecay : 0 } = options;
  const rule = ruleOf(config);
  const slots = training.slots as Record<string, Record<string, Tensor>>;
  const counts = training.counts as Record<string, number>;
  const variables = variablesOf(training.state);
  const factors = new Map([...gradients.keys()].map((path) => [path, rates(path, variables.get(path)!)]));
  for (const [path, factor] of factors) expectAtLeast0(`${caller}: rates: ${path}`, factor);
  for (const [path, gradient] of gradients) {
    const variable = variables.get(path)!;
    const count = counts[path]! + 1;
    tidy(() => {
      const own = Object.fromEntries(Object.entries(slots).map(([slot, tensors]) => [slot, tensors[path]!]));
      const next = moveTensor(rule, variable, gradient, own, {
        learningRate: learningRate * factors.get(path)!,
        count,
        scale,
        maxValue,
        decay: decays(path, variable) ? weightDecay : 0,
      });
      variable.assign(next.value);
      for (const [slot, tensor] of Object.entries(next.slots)) {
        slots[slot]![path]!.dispose();
        slots[slot]![path] = keep(tensor);
      }
    });
    counts[path] = count;
  }
  for (const [path, tensor] of moved) variables.get(path)!.assign(tensor);
  const step = training.step + 1;
  for (const [path, average] of averageEntries(training)) {
    takeIntoAverage(average, variables.get(path)!, training.averaging!, step);
  }
  (training as { step: number }).step = step;
}

/** All tensors in a batch; typed arrays and objects of classes are looked at from outside only. */
function collectTensors(value: unknown, into: Tensor[]): void {
  if (value instanceof Tensor) into.push(value);
  else if (Array.isArray(value)) for (const item of value) collectTensors(item, into);
  else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collectTensors(item, into);
  }
}
