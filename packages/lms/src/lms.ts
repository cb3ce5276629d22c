import { expectPositive } from "./expect-values.js";
import { addAt, dotAt, noMemory, type Rule } from "./rule.js";

/**
 * Least mean squares: `e = d - wᵀx`, `w += mu e x`, a step down the gradient of `½e²`.
 *
 * Unlike the paper, which writes `2 mu`, this uses Haykin's step: halve Widrow's bounds to get these.
 *
 * @param options `mu`: step size, positive. `stabilityBounds` and `cyclicBound` tell how large it may be.
 * @throws {TypeError | RangeError} when `mu` is not a positive number.
 * @see Widrow & Hoff 1960, "Adaptive switching circuits"; Haykin, "Adaptive Filter Theory", ch. 5 (4th edition)
 */
export function lms({ mu }: { readonly mu: number }): Rule {
  expectPositive("lms: mu", mu);
  return {
    name: "lms",
    parameters: { mu },
    memory: noMemory,
    advance({ weights }, x, d, count, errors, from, trajectory) {
      if (weights.length === 3) advance3(mu, weights, x, d, count, errors, from, trajectory);
      else advance(mu, weights, x, d, count, errors, from, trajectory);
    },
  };
}

type Advance = (
  mu: number,
  w: Float64Array,
  x: Float64Array,
  d: Float64Array,
  count: number,
  errors: Float64Array,
  from: number,
  trajectory: Float64Array | null,
) => void;

const advance: Advance = (mu, w, x, d, count, errors, from, trajectory) => {
  const m = w.length;
  for (let k = 0, at = 0, row = (from + 1) * m; k < count; k++, at += m, row += m) {
    const e = d[k]! - dotAt(w, x, at);
    errors[from + k] = e;
    addAt(w, mu * e, x, at);
    if (trajectory !== null) {
      for (let i = 0; i < m; i++) trajectory[row + i] = w[i]!;
    }
  }
};

/** Two inputs and a bias are the common case: their weights stay in registers. */
const advance3: Advance = (mu, w, x, d, count, errors, from, trajectory) => {
  let w0 = w[0]!;
  let w1 = w[1]!;
  let w2 = w[2]!;
  for (let k = 0, at = 0, row = 3 * (from + 1); k < count; k++, at += 3, row += 3) {
    const x0 = x[at]!;
    const x1 = x[at + 1]!;
    const x2 = x[at + 2]!;
    const e = d[k]! - w0 * x0 - (w1 * x1 + w2 * x2); // two short sums side by side
    errors[from + k] = e;
    const g = mu * e;
    w0 += g * x0;
    w1 += g * x1;
    w2 += g * x2;
    if (trajectory !== null) {
      trajectory[row] = w0;
      trajectory[row + 1] = w1;
      trajectory[row + 2] = w2;
    }
  }
  w[0] = w0;
  w[1] = w1;
  w[2] = w2;
};
