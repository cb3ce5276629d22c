import { fillNormal, randomStream } from "@gradlab/random";
import { expectAtLeast0, expectInteger, toVector } from "./expect-values.js";
import type { Matrix } from "./matrix.js";

/** What `courseData` makes: rows and wanted outputs, with what they were made of. */
export interface LinearData {
  /** `[count, weights.length]`; a row is `[1, x₁, x₂, …]`. */
  readonly X: Matrix;
  /** `[count]`. */
  readonly d: Float64Array;
  /** The weights that made `d`. */
  readonly weights: Float64Array;
  /** Standard deviation of what was added to `d`. */
  readonly noise: number;
}

/**
 * A data set for linear regression: rows `[1, x₁, x₂]` with `x ~ N(0, 1)`, wanted output
 * `d = 1 + x₁ - 2 x₂ + N(0, 0.01²)`.
 *
 * @param options `seed`: which of the data sets, 0 unless given. `count`: number of rows, 100. `weights`: bias
 *   first, (1, 1, -2). `noise`: standard deviation, 0.01.
 * @throws {TypeError | RangeError} when an option is out of range.
 */
export function courseData({
  seed = 0,
  count = 100,
  weights = [1, 1, -2],
  noise = 0.01,
}: {
  readonly seed?: number;
  readonly count?: number;
  readonly weights?: ArrayLike<number>;
  readonly noise?: number;
} = {}): LinearData {
  expectInteger("courseData: seed", seed, 0);
  expectInteger("courseData: count", count, 1);
  expectAtLeast0("courseData: noise", noise);
  const w = toVector("courseData: weights", weights).slice();
  const m = w.length;
  const inputs = fillNormal(
    randomStream({ seed, purpose: "lms: inputs" }),
    new Float64Array(count * (m - 1)),
  );
  const d = fillNormal(randomStream({ seed, purpose: "lms: noise" }), new Float64Array(count), 0, noise);
  const data = new Float64Array(count * m);
  for (let k = 0; k < count; k++) {
    data[k * m] = 1;
    for (let i = 1; i < m; i++) data[k * m + i] = inputs[k * (m - 1) + i - 1]!;
    for (let i = 0; i < m; i++) d[k]! += w[i]! * data[k * m + i]!;
  }
  return { X: { rows: count, columns: m, data }, d, weights: w, noise };
}
