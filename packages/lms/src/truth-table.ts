import { expectInteger } from "./expect-values.js";
import { type Matrix, zeros } from "./matrix.js";

/**
 * All patterns of n logic inputs in ±1 coding, bias first: `[2^n, n + 1]`. Row r is `[1, x₁, …, xₙ]` with the bits of r,
 * most significant first, -1 for 0: the rows count −−, −+, +−, ++.
 *
 * Its columns are orthogonal and all of length `2^(n/2)`: `R = I`.
 *
 * @param n Number of inputs, in [1, 20].
 * @throws {TypeError | RangeError} when `n` is not as stated.
 */
export function truthTable(n: number): Matrix {
  expectInteger("truthTable: n", n, 1, 20);
  const table = zeros(2 ** n, n + 1);
  for (let row = 0; row < table.rows; row++) {
    table.data[row * (n + 1)] = 1;
    for (let i = 1; i <= n; i++) table.data[row * (n + 1) + i] = (row >> (n - i)) & 1 ? 1 : -1;
  }
  return table;
}
