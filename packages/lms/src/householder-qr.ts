import type { Matrix } from "./matrix.js";

/** `a = Q [r; 0]` with orthogonal `Q`, and `Qᵀ d` beside it. */
export interface QrFactors {
  /** Upper triangular, `[m, m]`. */
  readonly r: Matrix;
  /** The first `m` entries of `Qᵀ d`. */
  readonly z: Float64Array;
}

/**
 * Householder's QR factorisation of a tall matrix, applied to a right-hand side as it goes: `a = Q [r; 0]`,
 * `z = (Qᵀ d)[0 … m)`.
 *
 * @param a `[k, m]`, k ≥ m. Left as it is.
 * @param d `[k]`. Left as it is.
 * @see Golub & Van Loan, "Matrix Computations", 4th edition, §5.2.2; Householder 1958,
 *   https://doi.org/10.1145/320941.320947
 */
export function householderQr(a: Matrix, d: Float64Array): QrFactors {
  const { rows: k, columns: m } = a;
  const work = a.data.slice();
  const rhs = d.slice();
  for (let j = 0; j < m; j++) {
    // Scaled, so that no square overflows or vanishes.
    let scale = 0;
    for (let i = j; i < k; i++) scale = Math.max(scale, Math.abs(work[i * m + j]!));
    if (scale === 0) continue;
    let sum = 0;
    for (let i = j; i < k; i++) sum += (work[i * m + j]! / scale) ** 2;
    const head = work[j * m + j]!;
    const alpha = head > 0 ? -scale * Math.sqrt(sum) : scale * Math.sqrt(sum);
    // v = column - alpha e_j, divided by scale; the reflection is I - v vᵀ / beta.
    const v = new Float64Array(k - j);
    for (let i = j; i < k; i++) v[i - j] = work[i * m + j]! / scale;
    v[0]! -= alpha / scale;
    const beta = -(alpha / scale) * v[0]!;
    for (let c = j + 1; c < m; c++) {
      let dot = 0;
      for (let i = j; i < k; i++) dot += v[i - j]! * work[i * m + c]!;
      const factor = dot / beta;
      for (let i = j; i < k; i++) work[i * m + c]! -= factor * v[i - j]!;
    }
    let dot = 0;
    for (let i = j; i < k; i++) dot += v[i - j]! * rhs[i]!;
    const factor = dot / beta;
    for (let i = j; i < k; i++) rhs[i]! -= factor * v[i - j]!;
    work[j * m + j] = alpha;
    for (let i = j + 1; i < k; i++) work[i * m + j] = 0;
  }
  return { r: { rows: m, columns: m, data: work.slice(0, m * m) }, z: rhs.slice(0, m) };
}

/** Solves `r w = z` for an upper triangular `r` without a zero on its diagonal. */
export function backSubstitute(r: Matrix, z: Float64Array): Float64Array {
  const m = r.columns;
  const w = new Float64Array(m);
  for (let i = m - 1; i >= 0; i--) {
    let sum = z[i]!;
    for (let j = i + 1; j < m; j++) sum -= r.data[i * m + j]! * w[j]!;
    w[i] = sum / r.data[i * m + i]!;
  }
  return w;
}
