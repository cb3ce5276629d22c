import { expectInteger, toVector } from "./expect-values.js";
import { type Matrix, zeros } from "./matrix.js";

/**
 * The rows that a filter of a signal sees: row n is `[s_n, s_{n-1}, …, s_{n-taps+1}]`, with zeros before the
 * signal begins. Weights on such rows are the impulse response of a finite filter.
 *
 * @param signal `[K]`.
 * @param taps Length of the filter, at least 1.
 * @returns `[K, taps]`.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function delayLine(signal: ArrayLike<number>, taps: number): Matrix {
  const s = toVector("delayLine: signal", signal);
  expectInteger("delayLine: taps", taps, 1);
  const rows = zeros(s.length, taps);
  for (let n = 0; n < s.length; n++) {
    for (let i = 0; i < taps && i <= n; i++) rows.data[n * taps + i] = s[n - i]!;
  }
  return rows;
}
