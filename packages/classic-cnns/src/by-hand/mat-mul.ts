import { expectPlane, type Plane } from "./plane.js";

/**
 * The matrix product, `y[i][j] = Σ_k a[i][k] b[k][j]`.
 *
 * @param a `[m][n]`.
 * @param b `[n][p]`.
 * @returns `[m][p]`.
 * @throws {TypeError | RangeError} when an argument is not a matrix of finite numbers, or they do not line up.
 */
export function matMul(a: Plane, b: Plane): number[][] {
  expectPlane("matMul: a", a);
  expectPlane("matMul: b", b);
  if (a[0]!.length !== b.length) {
    throw new RangeError(
      `matMul: b: expected ${a[0]!.length} rows, as many as a has columns, got ${b.length}`,
    );
  }
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}
