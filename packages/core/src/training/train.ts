import {
  dispose,
  engine,
  mul,
  type Optimizer,
  type Scalar,
  stack,
  Tensor,
  tidy,
  util,
  type Variable,
  variableGrads,
} from "@tensorflow/tfjs-core";
import { expectMaxNorm, globalNorm } from "../clip-by-global-norm.js";
import { expectAtLeast0, expectInteger, typeMismatch } from "../expect-argument.js";
import { expectShape } from "../expect-shape.js";
import type { Schedule } from "../schedules/schedule.js";
import { setLearningRate } from "./create-optimizer.js";
import { decayWeights } from "./decay-weights.js";
import { NonFiniteError } from "./non-finite-error.js";
import { type Training, trainedVariables } from "./training.js";

export interface TrainOptions<P, Batch> {
  /**
   * The loss of one step, a float32 scalar; called in a `tidy`. `step` counts the updates before it, from 0: key
   * random numbers (dropout) by it.
   */
  readonly loss: (params: P, batch: Batch, step: number) => Scalar;
  /**
   * The data of a step, or `null` to end the training. As a pure function of `step` it needs no cursor to resume. What
   * it returns (tensors in records and lists, or anything else) belongs to `train`, which disposes the tensors after
   * the step. Without it `loss` gets `undefined`.
   */
  readonly batch?: (step: number) => Batch | null | Promise<Batch | null>;
  /** Ends when `training.step` is this many, counted from the very first update; never, unless given. */
  readonly steps?: number;
  /** The learning rate of each step; the optimizer's own unless given. */
  readonly schedule?: Schedule;
  /** Clips the gradients by their global norm, as `clipByGlobalNorm` does; not, unless given. */
  readonly maxNorm?: number;
  /** Decoupled weight decay, at least 0, see `decayWeights`; 0 unless given. */
  readonly weightDecay?: number;
  /** Which tensors decay: all unless given. (Usual is `(path, { rank }) => rank > 1`: no biases.) */
  readonly decays?: (path: string, tensor: Tensor) => boolean;
  /** Stops the training before the next update with the signal's reason as the error. */
  readonly signal?: AbortSignal;
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
 * @param training Changed: its variables, its optimizer, its step.
 * @throws {NonFiniteError} when the loss or the norm of the gradients is not a finite number.
 * @throws {ShapeError} when the loss is no scalar.
 * @throws {TypeError | RangeError} when an option is out of range: at the call, before any step.
 */
export function train<P, Batch = undefined>(
  training: Training<P>,
  options: TrainOptions<P, Batch>,
): AsyncGenerator<TrainingStep, void, undefined> {
  const { loss, batch, steps = Number.MAX_SAFE_INTEGER, maxNorm, weightDecay = 0 } = options;
  if (typeof loss !== "function") throw typeMismatch("train: loss", "a function", loss);
  if (batch !== undefined && typeof batch !== "function") {
    throw typeMismatch("train: batch", "a function", batch);
  }
  expectInteger("train: steps", steps, 0);
  if (maxNorm !== undefined) expectMaxNorm("train", maxNorm);
  expectAtLeast0("train: weightDecay", weightDecay);
  return run(training, options, steps);
}

async function* run<P, Batch>(
  training: Training<P>,
  options: TrainOptions<P, Batch>,
  steps: number,
): AsyncGenerator<TrainingStep, void, undefined> {
  while (training.step < steps) {
    const result = await oneStep(training, options);
    if (result === null) return;
    yield result;
  }
}

/** Trainings in the middle of a step: a second loop over one of them would apply a gradient of other weights. */
const busy = /* @__PURE__ */ new WeakSet<object>();

async function oneStep<P, Batch>(
  training: Training<P>,
  options: TrainOptions<P, Batch>,
): Promise<TrainingStep | null> {
  const { loss, schedule, maxNorm, signal } = options;
  if (busy.has(training)) throw new Error("train: training: expected no other step under way, got one");
  const begin = util.now();
  const { step } = training;
  const held: Tensor[] = [];
  busy.add(training);
  try {
    signal?.throwIfAborted();
    const learningRate = schedule === undefined ? training.config.learningRate : schedule(step);
    expectAtLeast0("train: learning rate", learningRate);
    const batch = await options.batch?.(step);
    if (batch === null) return null;
    collectTensors(batch, held);
    signal?.throwIfAborted();
    const variables = trainedVariables(training);
    const { value, grads } = differentiate(
      () => loss(training.params, batch as Batch, step),
      variables.map(([, variable]) => variable),
    );
    const gradients = Object.values(grads);
    held.push(value, ...gradients);
    const read = tidy(() => stack([value, globalNorm(gradients)]));
    held.push(read);
    const [lossNumber, gradientNorm] = (await read.data()) as unknown as [number, number];
    signal?.throwIfAborted();
    if (!Number.isFinite(lossNumber) || !Number.isFinite(gradientNorm)) {
      throw new NonFiniteError(step, lossNumber, gradientNorm);
    }
    const factor = maxNorm !== undefined && gradientNorm > maxNorm ? maxNorm / gradientNorm : 1;
    update(training, variables, grads, factor, learningRate, options);
    const seconds = (util.now() - begin) / 1000;
    return { step: training.step, loss: lossNumber, gradientNorm, learningRate, seconds };
  } finally {
    busy.delete(training);
    dispose(held);
  }
}

/** The value of a loss and its gradients by the names of the variables; when it throws, nothing is left behind. */
function differentiate(
  loss: () => Scalar,
  variables: Variable[],
): { value: Scalar; grads: Record<string, Tensor> } {
  try {
    return tidy(() =>
      variableGrads(() => {
        const value = loss();
        if (!(value instanceof Tensor)) throw typeMismatch("train: loss", "a scalar", value);
        expectShape("train: loss", value, []);
        return value;
      }, variables),
    );
  } catch (error) {
    // tfjs-core disposes what it has saved for the gradient only when it gets that far.
    for (const { saved } of engine().state.activeTape ?? []) dispose(saved);
    throw error;
  }
}

function update<P, Batch>(
  training: Training<P>,
  variables: readonly [string, Variable][],
  grads: Readonly<Record<string, Tensor>>,
  factor: number,
  learningRate: number,
  { weightDecay = 0, decays = () => true }: TrainOptions<P, Batch>,
): void {
  if (weightDecay > 0) {
    const decaying = variables.filter(
      ([path, variable]) => grads[variable.name] !== undefined && decays(path, variable),
    );
    decayWeights(
      decaying.map(([, variable]) => variable),
      learningRate * weightDecay,
    );
  }
  const { optimizer } = training;
  setLearningRate(optimizer, learningRate);
  tidy(() => {
    // One entry per variable, a missing gradient too: the optimizer's moments go by the place in this list.
    const named = variables.map(([, { name }]) => {
      const gradient = grads[name];
      return { name, tensor: gradient === undefined || factor === 1 ? gradient : mul(gradient, factor) };
    });
    optimizer.applyGradients(named as Parameters<Optimizer["applyGradients"]>[0]);
  });
  (training as { step: number }).step += 1;
}

/** All tensors in a batch; typed arrays and objects of classes are looked at from outside only. */
function collectTensors(value: unknown, into: Tensor[]): void {
  if (value instanceof Tensor) into.push(value);
  else if (Array.isArray(value)) for (const item of value) collectTensors(item, into);
  else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collectTensors(item, into);
  }
}
