import { type Matrix, type MatrixLike, toSymmetric, zeros } from "./matrix.js";

/** Eigenvalues of a symmetric matrix in rising order, and the orthonormal eigenvectors that belong to them. */
export interface SymmetricEigen {
  /** `[m]`, rising. */
  readonly values: Float64Array;
  /** `[m, m]`: column `j` is the eigenvector of `values[j]`. */
  readonly vectors: Matrix;
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, `a = V diag(λ) Vᵀ`, by Jacobi's cyclic rotations.
 *
 * @param a `[m, m]`, symmetric.
 * @throws {TypeError | RangeError} when `a` is not a symmetric matrix of finite numbers.
 * @see Golub & Van Loan, "Matrix Computations", 4th edition, §8.5
 */
export function symmetricEigen(a: MatrixLike): SymmetricEigen {
  const { rows: m, data } = toSymmetric("symmetricEigen: a", a);
  const work = data.slice();
  const basis = zeros(m, m).data;
  for (let i = 0; i < m; i++) basis[i * m + i] = 1;
  let scale = 0;
  for (const entry of work) scale = Math.max(scale, Math.abs(entry));
  for (let sweep = 0; sweep < 60 && offDiagonal(work, m) > 1e-17 * scale; sweep++) {
    for (let p = 0; p < m; p++) {
      for (let q = p + 1; q < m; q++) {
        const apq = work[p * m + q]!;
        if (apq === 0) continue;
        const theta = (work[q * m + q]! - work[p * m + p]!) / (2 * apq);
        const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(1, theta));
        const cosine = 1 / Math.hypot(1, tangent);
        const sine = cosine * tangent;
        for (let i = 0; i < m; i++) {
          const [x, y] = [work[i * m + p]!, work[i * m + q]!];
          work[i * m + p] = cosine * x - sine * y;
          work[i * m + q] = sine * x + cosine * y;
        }
        for (let i = 0; i < m; i++) {
          const [x, y] = [work[p * m + i]!, work[q * m + i]!];
          work[p * m + i] = cosine * x - sine * y;
          work[q * m + i] = sine * x + cosine * y;
          const [u, v] = [basis[i * m + p]!, basis[i * m + q]!];
          basis[i * m + p] = cosine * u - sine * v;
          basis[i * m + q] = sine * u + cosine * v;
        }
        work[p * m + q] = 0;
        work[q * m + p] = 0;
      }
    }
  }
  const diagonal = Array.from({ length: m }, (_, i) => work[i * m + i]!);
  const order = diagonal.map((_, j) => j).sort((i, j) => diagonal[i]! - diagonal[j]!);
  const vectors = zeros(m, m);
  order.forEach((from, j) => {
    for (let i = 0; i < m; i++) vectors.data[i * m + j] = basis[i * m + from]!;
  });
  return { values: Float64Array.from(order, (j) => diagonal[j]!), vectors };
}

function offDiagonal(work: Float64Array, m: number): number {
  let largest = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < i; j++) largest = Math.max(largest, Math.abs(work[i * m + j]!));
  }
  return largest;
}
