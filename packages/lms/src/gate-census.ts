import { expectInteger } from "./expect-values.js";
import { gate } from "./gate.js";
import { linearSeparation } from "./linear-separation.js";
import { truthTable } from "./truth-table.js";

/** A linearly separable function of n inputs, and what least squares makes of it. */
export interface SeparableGate {
  /** Its number: bit r is the output for row r of `truthTable(n)`. */
  readonly gate: number;
  /** `[n + 1]`, the least-squares weights, bias first: its Chow parameters by 2^n. */
  readonly weights: Float64Array;
  /** The smallest `t s` over the patterns: above 0 solved, 0 a tie, below 0 wrong; exact. */
  readonly margin: number;
  readonly leastSquares: "strict" | "tie" | "wrong";
}

/** How many of all functions of n inputs a single neuron computes, and how many of those least squares finds. */
export interface GateCensus {
  readonly inputs: number;
  /** 2^(2^n). */
  readonly functions: number;
  readonly separable: number;
  readonly strict: number;
  readonly ties: number;
  readonly wrong: number;
  /** The separable ones, by number. */
  readonly gates: readonly SeparableGate[];
}

/**
 * Every logic function of n inputs: is it linearly separable, and if so, does the least-squares solution (where LMS
 * goes on the full truth table) have the right sign on every pattern, or tie at exactly 0?
 *
 * With ±1 coding the columns of the truth table are orthogonal, so that the weights are `2^-n Xᵀt`: sums of few signs,
 * in which a tie is exactly 0.
 *
 * @param n Number of inputs, in [1, 4].
 * @throws {TypeError | RangeError} when `n` is not as stated.
 * @see Widrow & Lehr 1990, §II (4, 14, 104, 1882 separable functions); Chow 1961,
 *   https://doi.org/10.1109/FOCS.1961.24 (the weights)
 */
export function gateCensus(n: number): GateCensus {
  expectInteger("gateCensus: n", n, 1, 4);
  const X = truthTable(n);
  const { rows, columns: m, data } = X;
  const functions = 2 ** rows;
  const gates: SeparableGate[] = [];
  for (let number = 0; number < functions; number++) {
    const t = gate(number, n);
    if (!linearSeparation(X, t).separable) continue;
    const weights = new Float64Array(m);
    for (let k = 0; k < rows; k++) {
      for (let i = 0; i < m; i++) weights[i]! += (t[k]! * data[k * m + i]!) / rows;
    }
    let margin = Number.POSITIVE_INFINITY;
    for (let k = 0; k < rows; k++) {
      let s = 0;
      for (let i = 0; i < m; i++) s += weights[i]! * data[k * m + i]!;
      margin = Math.min(margin, t[k]! * s);
    }
    const leastSquares = margin > 0 ? "strict" : margin === 0 ? "tie" : "wrong";
    gates.push({ gate: number, weights, margin, leastSquares });
  }
  const count = (kind: SeparableGate["leastSquares"]) => gates.filter((g) => g.leastSquares === kind).length;
  return {
    inputs: n,
    functions,
    separable: gates.length,
    strict: count("strict"),
    ties: count("tie"),
    wrong: count("wrong"),
    gates,
  };
}
