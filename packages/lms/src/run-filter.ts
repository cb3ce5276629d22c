import { rangeMismatch } from "./expect-argument.js";
import { expectInteger, expectPositive, toVector } from "./expect-values.js";
import { copyState, initFilter } from "./filter.js";
import { type MatrixLike, toMatrix } from "./matrix.js";
import { evaluate, meanSquaredErrorOf } from "./mean-squared-error.js";
import { dotAt, type FilterState, type Rule } from "./rule.js";

/** What `run` takes beside the rule and the data. */
export interface RunOptions {
  /** How many times to go through the rows, in their order; 1 unless given. */
  readonly epochs?: number;
  /** `[m]`, where to start; zeros unless given. */
  readonly weights?: ArrayLike<number>;
  /** A state to go on from, instead of `weights`; it is copied. */
  readonly state?: FilterState;
  /** Keep the weights after every update. */
  readonly trajectory?: boolean;
  /** A run has diverged when an error exceeds this many times the largest of the wanted outputs and start errors. */
  readonly divergence?: number;
}

/** What a run has come to. All numbers are finite, those of a diverged run too. */
export interface RunResult {
  /** `"diverged"` when the errors grew beyond the limit; the run ends there. */
  readonly verdict: "done" | "diverged";
  /** The number of updates made; `epochs · K` unless the run diverged. */
  readonly updates: number;
  /** `[m]`, the last weights. */
  readonly weights: Float64Array;
  /** `[updates]`, the error `d - wᵀx` of every sample, before the update that it causes. */
  readonly errors: Float64Array;
  /** `[epochs done]`, `1/(2K) Σ e²` over all rows with the weights at the end of the epoch. */
  readonly mse: Float64Array;
  /** `[epochs done]`, `1/(2K) Σ e²` over the errors made during the epoch. */
  readonly onlineMse: Float64Array;
  /** `[epochs done + 1, m]`, the weights at the start and after every epoch. */
  readonly epochWeights: Float64Array;
  /** `[updates + 1, m]`, the weights at the start and after every update; null unless asked for. */
  readonly trajectory: Float64Array | null;
  /** All that another run needs to go on. */
  readonly state: FilterState;
}

/**
 * Passes over the rows of a data set with a rule, row by row, epoch after epoch: the same core as `step`.
 *
 * @param X `[K, m]`, one sample a row.
 * @param d `[K]`, the wanted outputs.
 * @returns The weights and the curves; memory is 8 bytes an update for the errors and 8 m for a trajectory.
 * @throws {TypeError | RangeError} when rows are ragged, lengths do not match, or something is not a finite number.
 *   A run that diverges is a result, not an error.
 */
export function runFilter(
  rule: Rule,
  X: MatrixLike,
  d: ArrayLike<number>,
  options: RunOptions = {},
): RunResult {
  const { epochs = 1, weights, state: given, trajectory: kept = false, divergence = 1e8 } = options;
  const x = toMatrix("run: X", X);
  const { rows: k, columns: m } = x;
  const target = toVector("run: d", d, k);
  expectInteger("run: epochs", epochs, 1);
  expectPositive("run: divergence", divergence);
  if (given !== undefined && given.weights.length !== m) {
    throw rangeMismatch("run: state.weights", `an array of ${m} numbers`, given.weights);
  }
  const state =
    given === undefined
      ? initFilter(rule, weights === undefined ? m : toVector("run: weights", weights, m))
      : copyState(given);

  const errors = new Float64Array(epochs * k);
  const trajectory = kept ? new Float64Array((epochs * k + 1) * m) : null;
  trajectory?.set(state.weights);
  const mse = new Float64Array(epochs);
  const onlineMse = new Float64Array(epochs);
  const epochWeights = new Float64Array((epochs + 1) * m);
  epochWeights.set(state.weights);
  const limit = divergence * largestStart(x.data, target, state.weights);

  for (let epoch = 0; epoch < epochs; epoch++) {
    const from = epoch * k;
    const before = copyState(state);
    rule.advance(state, x.data, target, k, errors, from, trajectory);
    const online = meanSquaredErrorOf(errors, from, k);
    // Squares of less than limit² in sum hold no error beyond the limit: the search is for runs that go wrong.
    const broken = 2 * k * online < limit * limit ? -1 : firstBeyond(errors, from, from + k, limit);
    const loss = evaluate(x, target, state.weights);
    if (broken >= 0 || !(loss <= limit * limit)) {
      // Again from the start of the epoch, up to the last update that left numbers within the limit.
      let updates = broken >= 0 ? broken : from + k - 1;
      let last = copyState(before);
      rule.advance(last, x.data, target, updates - from, errors, from, trajectory);
      while (!last.weights.every(Number.isFinite) && updates > from) {
        updates -= 1;
        last = copyState(before);
        rule.advance(last, x.data, target, updates - from, errors, from, trajectory);
      }
      return {
        verdict: "diverged",
        updates,
        weights: last.weights.slice(),
        errors: errors.slice(0, updates),
        mse: mse.slice(0, epoch),
        onlineMse: onlineMse.slice(0, epoch),
        epochWeights: epochWeights.slice(0, (epoch + 1) * m),
        trajectory: trajectory?.slice(0, (updates + 1) * m) ?? null,
        state: last,
      };
    }
    mse[epoch] = loss;
    onlineMse[epoch] = online;
    epochWeights.set(state.weights, (epoch + 1) * m);
  }
  return {
    verdict: "done",
    updates: epochs * k,
    weights: state.weights.slice(),
    errors,
    mse,
    onlineMse,
    epochWeights,
    trajectory,
    state,
  };
}

/** The largest of the wanted outputs and of the errors at the start, in absolute value. */
function largestStart(x: Float64Array, d: Float64Array, w: Float64Array): number {
  const m = w.length;
  let largest = 0;
  for (let k = 0; k < d.length; k++) {
    const e = d[k]! - dotAt(w, x, k * m);
    largest = Math.max(largest, Math.abs(d[k]!), Math.abs(e));
  }
  return largest;
}

function firstBeyond(errors: Float64Array, from: number, to: number, limit: number): number {
  for (let i = from; i < to; i++) {
    if (!(Math.abs(errors[i]!) <= limit)) return i;
  }
  return -1;
}
