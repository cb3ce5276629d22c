import { expectInteger, toVector } from "./expect-values.js";
import { type Matrix, type MatrixLike, toMatrix } from "./matrix.js";

/** The answer to whether a plane separates two classes, with the proof of it. */
export type LinearSeparation =
  /** `t_k wᵀx_k > 0` for every row. */
  | { readonly separable: true; readonly weights: Float64Array }
  /** `Σ_k c_k t_k x_k = 0` with integers `c_k ≥ 0`, not all 0: then no w can have all `t_k wᵀx_k > 0`. */
  | { readonly separable: false; readonly combination: Float64Array };

/**
 * Whether some weights have `t_k wᵀx_k > 0` for all rows of integers, decided with a proof either way.
 *
 * The perceptron rule from zero weights takes integer steps, so that nothing is rounded. Where the classes are
 * separable it ends (Novikoff); where they are not its weights stay bounded (the cycling theorem), so that they must
 * return to where they were, and the corrections between the two visits add up to 0 (Gordan's alternative).
 *
 * @param X `[K, m]`, integers, a constant 1 among the columns where a threshold is wanted (as in `truthTable`).
 * @param t `[K]`, each -1 or 1.
 * @param options `maxPasses`: 1,000,000 unless given.
 * @throws {TypeError | RangeError} when an argument is not as stated; {Error} when `maxPasses` passes decided nothing.
 * @see Novikoff 1962; Block & Levin 1970 (cycling)
 */
export function linearSeparation(
  X: MatrixLike,
  t: ArrayLike<number>,
  { maxPasses = 1_000_000 }: { readonly maxPasses?: number } = {},
): LinearSeparation {
  const x = toMatrix("linearSeparation: X", X);
  const target = toVector("linearSeparation: t", t, x.rows);
  x.data.forEach((entry, i) => {
    if (!Number.isInteger(entry)) expectInteger(`linearSeparation: X.data[${i}]`, entry, -(2 ** 31), 2 ** 31);
  });
  target.forEach((value, k) => {
    if (Math.abs(value) !== 1)
      throw new RangeError(`linearSeparation: t[${k}]: expected -1 or 1, got ${value}`);
  });
  expectInteger("linearSeparation: maxPasses", maxPasses, 1);
  return separate(x, target, maxPasses);
}

function separate(x: Matrix, t: Float64Array, maxPasses: number): LinearSeparation {
  const { rows, columns: m, data } = x;
  const w = new Float64Array(m);
  // Brent's way of finding a cycle: wait at the passes 1, 2, 4, 8, … for the weights to come by again.
  const waiting = w.slice();
  const combination = new Float64Array(rows);
  for (let pass = 1, next = 1; pass <= maxPasses; pass++) {
    let corrected = false;
    for (let k = 0; k < rows; k++) {
      let s = 0;
      for (let i = 0; i < m; i++) s += w[i]! * data[k * m + i]!;
      if (t[k]! * s > 0) continue;
      corrected = true;
      combination[k]! += 1;
      for (let i = 0; i < m; i++) w[i]! += t[k]! * data[k * m + i]!;
    }
    if (!corrected) return { separable: true, weights: w };
    if (w.every((value, i) => value === waiting[i])) return { separable: false, combination };
    if (pass === next) {
      waiting.set(w);
      combination.fill(0);
      next *= 2;
    }
  }
  throw new Error(`linearSeparation: expected a decision within ${maxPasses} passes, got none`);
}
