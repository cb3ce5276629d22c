import type { Attack } from "../attack.js";
import { type Answer, gradientAt, type Query, type Steps } from "../driver/query.js";
import type { Sample } from "../driver/sample.js";
import { expectInteger, expectNumber } from "../expect-values.js";
import { crossEntropy, dlr, type Loss, targetedDlr } from "../losses/loss.js";
import { definedFor, lossFor } from "../losses/loss-for.js";
import { rankedClasses } from "../losses/of-logits.js";
import { moved } from "../norms/moved.js";
import { differenceOf, type Norm } from "../norms/norm.js";
import { normNamed } from "../norms/norm-named.js";
import { norms } from "../norms/norms.js";

export interface ApgdOptions {
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2" | "l1";
  /** What is raised: the cross-entropy (unless given), or the difference of logits ratio. */
  readonly loss?: "ce" | "dlr";
  /** 100 unless given. */
  readonly steps?: number;
  /** Starts after the first one; 0 unless given. */
  readonly restarts?: number;
  /** The share of steps that must have raised the loss for the step size to stay; 0.75 unless given. */
  readonly rho?: number;
  /**
   * At the first checkpoint, the loss of the start counts as 0, as it does in the authors' program; only comparisons
   * with it need this.
   */
  readonly countsFromZero?: boolean;
}

export interface ApgdTargetedOptions extends Omit<ApgdOptions, "loss"> {
  /** How many classes to aim at, those with the largest logits first; 9 unless given. */
  readonly targets?: number;
}

/**
 * Auto-PGD: PGD with momentum that halves its step where the loss no longer rises, and goes on from the best point.
 *
 * Needs `epsilon`. In L1 steps are sparse, and ε falls from 3 ε over 2 ε during the attack. With fewer classes than a
 * loss needs, the margin takes its place.
 *
 * @see Croce, Hein 2020, Algorithm 1, https://arxiv.org/abs/2003.01690; for L1 Croce, Hein 2021,
 *   https://arxiv.org/abs/2103.01208
 */
export function apgd({ loss = "ce", ...options }: ApgdOptions = {}): Attack {
  const { norm, restarts, climb } = checked("apgd", options);
  if (loss !== "ce" && loss !== "dlr") {
    throw new RangeError(`apgd: loss: expected "ce" or "dlr", got ${String(loss)}`);
  }
  return {
    name: `apgd-${loss}`,
    norm: norm.name,
    goal: "within",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const raised = lossFor(sample, loss === "ce" ? crossEntropy : dlr);
      for (let start = 0; start <= restarts; start++) {
        yield* climb(sample, raised, {}, start === 0 ? sample.start : null, `apgd-${loss} start`);
      }
    },
  };
}

/**
 * Auto-PGD towards one class after the other, by the targeted difference of logits ratio. Any class but the label will
 * do in the end.
 *
 * @see `apgd`
 */
export function apgdTargeted({ targets = 9, ...options }: ApgdTargetedOptions = {}): Attack {
  const { norm, restarts, climb } = checked("apgdTargeted", options);
  expectInteger("apgdTargeted: targets", targets, 1);
  return {
    name: "apgd-t",
    norm: norm.name,
    goal: "within",
    needs: "gradients",
    targeting: "untargeted",
    *run(sample) {
      const { clean, label, classes } = sample;
      const raised = definedFor(targetedDlr, classes);
      const others = rankedClasses(clean).filter((k) => k !== label);
      for (const target of others.slice(0, targets)) {
        for (let start = 0; start <= restarts; start++)
          yield* climb(sample, raised, { target }, null, "apgd-t start");
      }
    },
  };
}

type Climb = (
  sample: Sample,
  loss: Loss,
  classes: Pick<Query, "target">,
  start: Float32Array | null,
  purpose: string,
) => Steps;

function checked(
  caller: string,
  {
    norm: name = "linf",
    steps = 100,
    restarts = 0,
    rho = 0.75,
    countsFromZero = false,
  }: Omit<ApgdOptions, "loss">,
): { norm: Norm; restarts: number; climb: Climb } {
  const norm = normNamed(caller, name);
  expectInteger(`${caller}: steps`, steps, 1);
  expectInteger(`${caller}: restarts`, restarts, 0);
  expectNumber(`${caller}: rho`, rho, "a number in [0, 1]", (x) => x >= 0 && x <= 1);
  const dense: Climb = function* (sample, loss, classes, given, purpose) {
    const start = given ?? denseStart(sample, norm, purpose);
    const first = norm.project(start, sample, sample.epsilon);
    yield* climbDense(sample, norm, first, (x) => gradientAt(x, loss, classes), {
      steps,
      rho,
      countsFromZero,
    });
  };
  const sparse: Climb = function* (sample, loss, classes, given, purpose) {
    const ask = (x: Float32Array) => gradientAt(x, loss, classes);
    let from: ArrayLike<number> = given ?? moved(sample.x, 1, sample.draws(purpose).normal(sample.x.length));
    const third = Math.ceil(0.3 * steps);
    for (const [i, part] of [third, third, steps - 2 * third].entries()) {
      const epsilon = (3 - i) * sample.epsilon;
      const first = norms.l1.project(from, sample, epsilon);
      from = yield* climbSparse(sample, first, ask, { steps: part, epsilon });
    }
  };
  return { norm, restarts, climb: name === "l1" ? sparse : dense };
}

/** At the end of the ball: uniform in the cube and stretched for L∞, a random direction for L2. */
function denseStart(sample: Sample, norm: Norm, purpose: string): Float64Array {
  const draws = sample.draws(purpose);
  const { length } = sample.x;
  const direction = norm.name === "linf" ? draws.uniform(length, -1, 1) : draws.normal(length);
  return moved(sample.x, sample.epsilon / (norm.size(direction) + 1e-12), direction);
}

type Ask = (x: Float32Array) => Steps<Answer>;

function* climbDense(
  sample: Sample,
  norm: Norm,
  start: Float32Array,
  ask: Ask,
  {
    steps,
    rho,
    countsFromZero,
  }: { readonly steps: number; readonly rho: number; readonly countsFromZero: boolean },
): Steps {
  const { epsilon } = sample;
  const project = (point: Float64Array) => norm.project(point, sample, epsilon);
  let x = start;
  let { loss, gradient } = yield* ask(x);
  const losses = [countsFromZero ? 0 : loss];
  let best = { x, loss, gradient };
  let atLastCheck = { best: loss, wasReduced: true };
  let step = 2 * epsilon;
  let before = x;
  let period = Math.max(Math.floor(0.22 * steps), 1);
  for (let k = 0, sinceCheck = 0; k < steps; k++) {
    const momentum = differenceOf(x, before);
    before = x;
    const a = k === 0 ? 1 : 0.75;
    const ahead = project(moved(x, step, norm.steepest(gradient)));
    const blend = momentum.map((value, i) => x[i]! + a * (ahead[i]! - x[i]!) + (1 - a) * value);
    x = project(blend);
    ({ loss, gradient } = yield* ask(x));
    losses.push(loss);
    if (loss > best.loss) best = { x, loss, gradient };
    sinceCheck++;
    if (sinceCheck < period) continue;
    let raised = 0;
    for (let i = losses.length - period; i < losses.length; i++) if (losses[i]! > losses[i - 1]!) raised++;
    const stands = !atLastCheck.wasReduced && atLastCheck.best >= best.loss;
    const isReduced = raised <= rho * period || stands;
    if (isReduced) {
      step /= 2;
      ({ x, gradient } = best);
    }
    atLastCheck = { best: best.loss, wasReduced: isReduced };
    sinceCheck = 0;
    period = Math.max(period - Math.max(Math.floor(0.03 * steps), 1), Math.max(Math.floor(0.06 * steps), 1));
  }
}

/** For L1: steps along the largest numbers of the gradient, of which fewer are taken as the best point is sparser. */
function* climbSparse(
  sample: Sample,
  start: Float32Array,
  ask: Ask,
  { steps, epsilon }: { readonly steps: number; readonly epsilon: number },
): Steps<Float32Array> {
  const n = sample.x.length;
  const changed = (x: Float32Array) => norms.l0.size(differenceOf(x, sample.x));
  let x = start;
  let { loss, gradient } = yield* ask(x);
  let best = { x, loss, gradient };
  let changedBefore = changed(x);
  let share = changedBefore / n / 1.5;
  let step = epsilon;
  const period = Math.max(Math.floor(0.04 * steps), 1);
  for (let k = 1; k <= steps; k++) {
    x = norms.l1.project(moved(x, step, largestShare(gradient, share)), sample, epsilon);
    ({ loss, gradient } = yield* ask(x));
    if (loss > best.loss) best = { x, loss, gradient };
    if (k % period !== 0) continue;
    const changedNow = changed(best.x);
    const isSparser = changedNow / changedBefore < 0.95;
    share = changedNow / n / 1.5;
    step = isSparser ? epsilon : Math.max(step / 1.5, epsilon / 10);
    changedBefore = changedNow;
    if (isSparser) ({ x, gradient } = best);
  }
  return best.x;
}

/** Signs of the largest numbers, a share of all, of size 1 in L1; at least one. */
function largestShare(gradient: Float32Array, share: number): Float64Array {
  const n = gradient.length;
  const sizes = gradient.map(Math.abs).sort();
  const least = sizes[Math.min(Math.max(Math.floor((1 - share) * n), 0), n - 1)]!;
  const direction = new Float64Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) {
    if (gradient[i] === 0 || Math.abs(gradient[i]!) < least) continue;
    direction[i] = Math.sign(gradient[i]!);
    count++;
  }
  return count === 0 ? direction : direction.map((value) => value / count);
}
