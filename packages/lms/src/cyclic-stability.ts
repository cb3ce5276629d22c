import { spectralRadius } from "./eigenvalues.js";
import { expectPositive, toVector } from "./expect-values.js";
import { backSubstitute, householderQr } from "./householder-qr.js";
import { type Matrix, type MatrixLike, toMatrix, zeros } from "./matrix.js";
import { singularValues } from "./singular-values.js";

/**
 * By how much a pass of LMS over a finite data set shrinks what is left to learn: the spectral radius of
 * `Π_k (I - mu x_k x_kᵀ)`, the last row leftmost. Cyclic LMS converges, to a periodic orbit, exactly when it is
 * below 1: no assumption about the inputs, and no average.
 *
 * Directions that no row excites never change; they are left out.
 *
 * @param X `[K, m]`, the rows in the order of the pass.
 * @param mu Step size, positive.
 * @returns The radius of one pass; `Infinity` beyond the range of numbers. Its K-th root is the factor of one update.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Widrow & Stearns 1985, "Adaptive Signal Processing", ch. 6 (the update as a product); the criterion is that of
 *   any affine iteration, Golub & Van Loan, 4th edition, §11.2
 */
export function cyclicRadius(X: MatrixLike, mu: number): number {
  const x = toMatrix("cyclicRadius: X", X);
  expectPositive("cyclicRadius: mu", mu);
  return radiusOf(excited(x), mu);
}

/** The largest step size up to which cyclic LMS over a data set converges, and what it was found by. */
export interface CyclicBound {
  /** Cyclic LMS converges for every step size in (0, limit), and not at the limit. */
  readonly limit: number;
  /** `2 / max ‖x_k‖²`: below it every single update is a contraction or leaves the weights. */
  readonly safe: number;
}

/**
 * The step size at which the spectral radius of a pass, `cyclicRadius(X, mu)`, first reaches 1.
 *
 * It is at least `2 / max ‖x‖²` and at most where `Π |1 - mu ‖x_k‖²|`, the determinant of the pass, reaches 1. The
 * interval between is searched in steps of 1/1000 of it, and the first crossing refined by bisection, to 1e-12 of its
 * value: a window of divergence narrower than a step could be overlooked, which `cyclicRadius` of a given `mu` cannot.
 *
 * @param X `[K, m]`, the rows in the order of the pass, not all 0. Time: about 1000 K m² steps.
 * @throws {TypeError | RangeError} when `X` is not as stated.
 */
export function cyclicBound(X: MatrixLike): CyclicBound {
  const x = toMatrix("cyclicBound: X", X);
  const energies: number[] = [];
  for (let k = 0; k < x.rows; k++) {
    let energy = 0;
    for (let i = 0; i < x.columns; i++) energy += x.data[k * x.columns + i]! ** 2;
    if (energy > 0) energies.push(energy);
  }
  if (energies.length === 0) throw new RangeError("cyclicBound: X: expected a row that is not 0, got none");
  const safe = 2 / energies.reduce((a, b) => Math.max(a, b));
  const determinant = (mu: number) =>
    energies.reduce((sum, energy) => sum + Math.log(Math.abs(1 - mu * energy)), 0);
  const reduced = excited(x);
  const unstable = (mu: number) => radiusOf(reduced, mu) >= 1;
  // |1 - mu ‖x‖²| ≥ 1 for all rows beyond 2 / min ‖x‖², so this ends.
  let high = safe;
  while (determinant(high) < 0) high *= 1.05;
  let [stable, broken] = [safe, high];
  const width = (high - safe) / 1000;
  for (let i = 1; i <= 1000; i++) {
    const mu = safe + i * width;
    if (unstable(mu)) {
      broken = mu;
      break;
    }
    stable = mu;
  }
  while (broken - stable > 1e-12 * broken) {
    const middle = (stable + broken) / 2;
    if (middle <= stable || middle >= broken) break;
    if (unstable(middle)) broken = middle;
    else stable = middle;
  }
  return { limit: broken, safe };
}

/**
 * Where cyclic LMS ends: the weights after the last row of a pass, in the limit of many passes. They are the fixed
 * point of the pass, `w = Φ w + c`, and tend to the least-squares weights as `mu` tends to 0.
 *
 * @param X `[K, m]`, columns linearly independent.
 * @param d `[K]`.
 * @returns `[m]`, or null where the passes diverge (`cyclicRadius` is 1 or more).
 * @throws {TypeError | RangeError} when an argument is not as stated.
 */
export function cyclicLimit(X: MatrixLike, d: ArrayLike<number>, mu: number): Float64Array | null {
  const x = toMatrix("cyclicLimit: X", X);
  const target = toVector("cyclicLimit: d", d, x.rows);
  expectPositive("cyclicLimit: mu", mu);
  if (excited(x) !== x) {
    throw new RangeError("cyclicLimit: X: expected linearly independent columns, got dependent ones");
  }
  if (!(radiusOf(x, mu) < 1)) return null;
  const m = x.columns;
  const { product } = passOf(x, mu);
  const offset = new Float64Array(m);
  for (let k = 0; k < x.rows; k++) {
    let e = target[k]!;
    for (let i = 0; i < m; i++) e -= offset[i]! * x.data[k * m + i]!;
    for (let i = 0; i < m; i++) offset[i]! += mu * e * x.data[k * m + i]!;
  }
  // (I - Φ) w = c; the pass did not need a scale, being a contraction in the end.
  const left = product.data.map((entry, i) => (i % (m + 1) === 0 ? 1 : 0) - entry);
  const { r, z } = householderQr({ rows: m, columns: m, data: left }, offset);
  return backSubstitute(r, z);
}

/** The rows in an orthonormal basis of the space they span: no direction is left that none of them excites. */
function excited(x: Matrix): Matrix {
  const { rows, columns: m, data } = x;
  const { values, vectors } = singularValues(x);
  const rank = values.filter((s) => s > Math.max(rows, m) * Number.EPSILON * values[0]!).length;
  if (rank === m) return x;
  const reduced = zeros(rows, Math.max(1, rank));
  for (let k = 0; k < rows; k++) {
    for (let j = 0; j < rank; j++) {
      let sum = 0;
      for (let i = 0; i < m; i++) sum += data[k * m + i]! * vectors.data[i * m + j]!;
      reduced.data[k * reduced.columns + j] = sum;
    }
  }
  return reduced;
}

function radiusOf(x: Matrix, mu: number): number {
  const { product, log2Scale } = passOf(x, mu);
  return spectralRadius(product) * 2 ** log2Scale;
}

/** `Π_k (I - mu x_k x_kᵀ)`, as a matrix times a power of two that keeps the matrix in range. */
function passOf({ rows, columns: m, data }: Matrix, mu: number): { product: Matrix; log2Scale: number } {
  const product = zeros(m, m);
  const p = product.data;
  for (let i = 0; i < m; i++) p[i * m + i] = 1;
  let log2Scale = 0;
  const projection = new Float64Array(m);
  for (let k = 0; k < rows; k++) {
    const at = k * m;
    projection.fill(0);
    for (let i = 0; i < m; i++) {
      const xi = data[at + i]!;
      for (let j = 0; j < m; j++) projection[j]! += xi * p[i * m + j]!;
    }
    let largest = 0;
    for (let i = 0; i < m; i++) {
      const g = mu * data[at + i]!;
      for (let j = 0; j < m; j++) {
        p[i * m + j]! -= g * projection[j]!;
        largest = Math.max(largest, Math.abs(p[i * m + j]!));
      }
    }
    if (largest > 2 ** 300) {
      for (let i = 0; i < p.length; i++) p[i]! *= 2 ** -300;
      log2Scale += 300;
    }
  }
  return { product, log2Scale };
}
