import { cyclicLimit, cyclicRadius } from "./cyclic-stability.js";
import { rangeMismatch } from "./expect-argument.js";
import { expectInteger, toVector } from "./expect-values.js";
import { lms } from "./lms.js";
import { type MatrixLike, toMatrix } from "./matrix.js";
import { type RunResult, runFilter } from "./run-filter.js";

/** What one step size comes to on a data set, and what the theory says of it. */
export interface SweepRow {
  readonly mu: number;
  /** The run of `epochs` epochs. */
  readonly run: RunResult;
  /**
   * What more epochs show, without any theory: `"converges"` when a pass changes the weights by less than 1e-10 of
   * their length, `"diverges"` when the errors exceed the limit of `run`, `"undecided"` after `maxEpochs`.
   */
  readonly verdict: "converges" | "diverges" | "undecided";
  /** How many epochs that took. */
  readonly decidedAfter: number;
  /** `[m]`, the weights after so many epochs, the last ones within the limit where they diverge. */
  readonly weights: Float64Array;
  /** The spectral radius of a pass; below 1 it converges. */
  readonly radius: number;
  /** `[m]`, where the passes end by theory; null where they do not. */
  readonly limit: Float64Array | null;
}

/**
 * LMS with several step sizes on one data set, row after row from zero, each beside its exact bound.
 *
 * @param X `[K, m]`, columns linearly independent.
 * @param d `[K]`.
 * @param options `mus`: step sizes, each positive. `epochs`: of the runs, 20 unless given. `maxEpochs`: how long to go
 *   on for the verdict, 10,000 unless given.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function sweep(
  X: MatrixLike,
  d: ArrayLike<number>,
  {
    mus,
    epochs = 20,
    maxEpochs = 10_000,
  }: { readonly mus: ArrayLike<number>; readonly epochs?: number; readonly maxEpochs?: number },
): SweepRow[] {
  const x = toMatrix("sweep: X", X);
  const target = toVector("sweep: d", d, x.rows);
  const steps = toVector("sweep: mus", mus);
  expectInteger("sweep: epochs", epochs, 1);
  expectInteger("sweep: maxEpochs", maxEpochs, epochs);
  for (const mu of steps) {
    if (mu <= 0) throw rangeMismatch("sweep: mus", "positive numbers", mu);
  }
  return Array.from(steps, (mu) => {
    const rule = lms({ mu });
    const first = runFilter(rule, x, target, { epochs });
    // One limit for all of the way: that of the start from zero.
    let last = first;
    let done = last.mse.length;
    let verdict = verdictOf(last, x.columns);
    const start = first.errors.reduce((largest, e) => Math.max(largest, Math.abs(e)), 0);
    while (verdict === "undecided" && done < maxEpochs) {
      const chunk = Math.min(maxEpochs - done, 1 + (done >> 2));
      last = runFilter(rule, x, target, { epochs: chunk, state: last.state });
      done += last.mse.length;
      verdict = verdictOf(last, x.columns);
      const now = last.errors.reduce((largest, e) => Math.max(largest, Math.abs(e)), 0);
      if (verdict === "undecided" && now > 1e8 * start) verdict = "diverges";
    }
    return {
      mu,
      run: first,
      verdict,
      decidedAfter: done,
      weights: last.weights,
      radius: cyclicRadius(x, mu),
      limit: cyclicLimit(x, target, mu),
    };
  });
}

function verdictOf({ verdict, epochWeights: w }: RunResult, m: number): SweepRow["verdict"] {
  if (verdict === "diverged") return "diverges";
  let [change, size] = [0, 0];
  for (let i = w.length - m; i < w.length; i++) {
    change = Math.max(change, Math.abs(w[i]! - w[i - m]!));
    size = Math.max(size, Math.abs(w[i]!));
  }
  return change <= 1e-10 * size ? "converges" : "undecided";
}
