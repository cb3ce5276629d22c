import { fillNormal, randomStream } from "@gradlab/random";
import { expectInteger, expectPositive, toVector } from "./expect-values.js";
import { initFilter } from "./filter.js";
import { lms } from "./lms.js";
import { type Environment, intoModes, type Performance, toModes } from "./predict-performance.js";
import type { Rule } from "./rule.js";
import type { TimeConstants } from "./time-constants.js";

/** A measured `Performance`, with how far its means may be off. */
export interface Simulation extends Performance {
  readonly runs: number;
  /** How many runs had an error beyond 1e8 times the largest at the start. */
  readonly divergedRuns: number;
  /** Standard deviations of the means above, from the spread between the runs. */
  readonly standardErrors: {
    /** `[n]`, of `learningCurve`. */
    readonly learningCurve: Float64Array;
    /** `[n]`, of `excess`. */
    readonly excess: Float64Array;
    /** Of `misadjustment`. */
    readonly misadjustment: number | null;
  };
}

/** What `simulate` takes beside the environment. */
export interface SimulateOptions {
  /** Step size, positive: that of the `rule` where one is given. */
  readonly mu: number;
  /** Number of updates of a run. */
  readonly steps: number;
  /** Number of independent runs, at least 2; 200 unless given. */
  readonly runs?: number;
  /** From this step on a run counts as settled; half of `steps` unless given. */
  readonly settled?: number;
  /** `[m]`, the start; zeros unless given. */
  readonly weights?: ArrayLike<number>;
  /** 0 unless given. */
  readonly seed?: number;
  /** Another rule to measure; `lms({mu})` unless given. */
  readonly rule?: Rule;
}

/**
 * How LMS, or any other rule, fares on average, measured: an ensemble of runs on independent Gaussian inputs of
 * correlation `R`, with the fields of `predict`.
 *
 * `learningCurve` is the mean of `e²` as a user would measure it. `excess` is the mean of `(w - w*)ᵀ R (w - w*)`, which
 * estimates `J - Jmin` without the noise of `v`; `excessMse` and `misadjustment` are its mean over the settled steps.
 * Beyond the mean-square bound most runs may look quiet while rare ones burst: the verdict is `"diverged"` when a run
 * exceeds its limit, or when the mean of the settled steps is over 100 times the start and `Jmin`.
 * Time constants are read off where a mode has fallen to 1/e of its start (`null` for one that does not fall, or
 * starts too near its end).
 *
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function simulate(
  environment: Environment,
  { mu, steps, runs = 200, settled = steps >> 1, weights, seed = 0, rule = lms({ mu }) }: SimulateOptions,
): Simulation {
  const { values, vectors, optimum, jmin } = toModes("simulate", environment);
  const m = values.length;
  expectPositive("simulate: mu", mu);
  expectInteger("simulate: steps", steps, 1);
  expectInteger("simulate: runs", runs, 2);
  expectInteger("simulate: settled", settled, 0, steps);
  expectInteger("simulate: seed", seed, 0);
  const start = weights === undefined ? new Float64Array(m) : toVector("simulate: weights", weights, m);

  const n1 = steps + 1;
  const sums = {
    squares: new Float64Array(n1),
    squares2: new Float64Array(n1),
    excess: new Float64Array(n1),
    excess2: new Float64Array(n1),
    deviation: new Float64Array(n1),
    meanWeights: new Float64Array(n1 * m),
    modes: new Float64Array(n1 * m),
    modes2: new Float64Array(n1 * m),
  };
  const coordinates = new Float64Array(n1 * m);
  const x = new Float64Array(n1 * m);
  const d = new Float64Array(n1);
  const errors = new Float64Array(n1);
  const trajectory = new Float64Array((n1 + 1) * m);
  const mode = new Float64Array(m);
  const roots = values.map(Math.sqrt);
  let [settledSum, settledSum2, divergedRuns] = [0, 0, 0];

  for (let index = 0; index < runs; index++) {
    fillNormal(randomStream({ seed, purpose: "lms: simulated inputs", index }), coordinates);
    fillNormal(randomStream({ seed, purpose: "lms: simulated noise", index }), d, 0, Math.sqrt(jmin));
    let largest = 0;
    for (let n = 0; n < n1; n++) {
      for (let i = 0; i < m; i++) {
        let sum = 0;
        for (let j = 0; j < m; j++) sum += vectors.data[i * m + j]! * roots[j]! * coordinates[n * m + j]!;
        x[n * m + i] = sum;
        d[n]! += optimum[i]! * sum;
      }
      largest = Math.max(largest, Math.abs(d[n]!));
    }
    const state = initFilter(rule, start);
    trajectory.set(start);
    rule.advance(state, x, d, n1, errors, 0, trajectory);
    if (errors.some((e) => !(Math.abs(e) <= 1e8 * largest))) {
      divergedRuns += 1;
      continue;
    }
    let tail = 0;
    for (let n = 0; n < n1; n++) {
      const square = errors[n]! ** 2;
      sums.squares[n]! += square;
      sums.squares2[n]! += square * square;
      mode.fill(0);
      for (let i = 0; i < m; i++) {
        const weight = trajectory[n * m + i]!;
        sums.meanWeights[n * m + i]! += weight;
        const difference = weight - optimum[i]!;
        for (let j = 0; j < m; j++) mode[j]! += vectors.data[i * m + j]! * difference;
      }
      let [excess, deviation] = [0, 0];
      for (let j = 0; j < m; j++) {
        const power = mode[j]! * mode[j]!;
        sums.modes[n * m + j]! += mode[j]!;
        sums.modes2[n * m + j]! += power;
        deviation += power;
        excess += values[j]! * power;
      }
      sums.excess[n]! += excess;
      sums.excess2[n]! += excess * excess;
      sums.deviation[n]! += deviation;
      if (n >= settled) tail += excess;
    }
    tail /= n1 - settled;
    settledSum += tail;
    settledSum2 += tail * tail;
  }

  const counted = runs - divergedRuns;
  const excessMse = settledSum / counted;
  const stable = divergedRuns === 0 && !(excessMse > 100 * Math.max(jmin, sums.excess[0]! / counted));
  const mean = (values: Float64Array) =>
    counted > 0 ? values.map((sum) => sum / counted) : new Float64Array(0);
  const standardError = (sum: number, squares: number) =>
    counted > 1 ? Math.sqrt(Math.max(0, squares / counted - (sum / counted) ** 2) / (counted - 1)) : 0;
  return {
    mu,
    verdict: stable ? "stable" : "diverged",
    learningCurve: mean(sums.squares),
    excess: mean(sums.excess),
    deviation: mean(sums.deviation),
    meanWeights: mean(sums.meanWeights),
    excessMse: stable ? excessMse : null,
    misadjustment: stable && jmin > 0 ? excessMse / jmin : null,
    timeConstants: measured(mean(sums.modes), mean(sums.modes2), intoModes(vectors, start, optimum), settled),
    runs,
    divergedRuns,
    standardErrors: {
      learningCurve: mean(sums.squares).map((_, n) => standardError(sums.squares[n]!, sums.squares2[n]!)),
      excess: mean(sums.excess).map((_, n) => standardError(sums.excess[n]!, sums.excess2[n]!)),
      misadjustment: stable && jmin > 0 ? standardError(settledSum, settledSum2) / jmin : null,
    },
  };
}

/** Where the mean of each mode, and its power above the settled one, first fall to 1/e of the start. */
function measured(
  modes: Float64Array,
  powers: Float64Array,
  start: Float64Array,
  settled: number,
): TimeConstants {
  const m = start.length;
  const rows = modes.length / m;
  const fall = (curve: (n: number) => number): number | null => {
    const first = curve(0);
    let before = 1;
    for (let n = 1; n < rows && first > 0; n++) {
      const now = curve(n) / first;
      if (now <= Math.exp(-1)) {
        if (now <= 0) return n;
        return n - 1 + (Math.log(before) + 1) / (Math.log(before) - Math.log(now));
      }
      before = now;
    }
    return null;
  };
  const weights = Array.from(start, (value, j) =>
    rows > 0 ? fall((n) => modes[n * m + j]! * Math.sign(value)) : null,
  );
  const mse = Array.from(start, (value, j) => {
    if (rows === 0) return null;
    let floor = 0;
    for (let n = settled; n < rows; n++) floor += powers[n * m + j]! / (rows - settled);
    return value * value > 10 * floor ? fall((n) => powers[n * m + j]! - floor) : null;
  });
  return { weights, mse };
}
