import { type Matrix, type MatrixLike, toMatrix, zeros } from "./matrix.js";

/** Singular values in falling order, and the right singular vectors that belong to them. */
export interface SingularValues {
  /** `[m]`, falling, at least 0. */
  readonly values: Float64Array;
  /** `[m, m]`: column `j` is the right singular vector of `values[j]`. */
  readonly vectors: Matrix;
}

/**
 * The singular values of a matrix, and its right singular vectors, by one-sided Jacobi rotations: columns are
 * rotated in pairs until all are orthogonal; their lengths are the singular values. Small singular values come
 * out as exact as the columns allow, which is what a condition number needs.
 *
 * @param a `[k, m]`.
 * @returns `values` `[m]` (with zeros where k < m) and `vectors` `[m, m]`.
 * @throws {TypeError | RangeError} when `a` is not a matrix of finite numbers.
 * @see Hestenes 1958, https://doi.org/10.1137/0106005; Demmel & Veselić 1992 (its accuracy),
 *   https://doi.org/10.1137/0613074
 */
export function singularValues(a: MatrixLike): SingularValues {
  const { rows: k, columns: m, data } = toMatrix("singularValues: a", a);
  let scale = 0;
  for (const entry of data) scale = Math.max(scale, Math.abs(entry));
  const factor = scale > 0 ? 1 / 2 ** Math.floor(Math.log2(scale)) : 1;
  const columns = Array.from({ length: m }, (_, j) =>
    Float64Array.from({ length: k }, (_, i) => data[i * m + j]! * factor),
  );
  const basis = Array.from({ length: m }, (_, j) => Float64Array.from({ length: m }, (_, i) => +(i === j)));
  for (let sweep = 0, rotated = true; rotated && sweep < 60; sweep++) {
    rotated = false;
    for (let p = 0; p < m; p++) {
      for (let q = p + 1; q < m; q++) {
        const [u, v] = [columns[p]!, columns[q]!];
        const [uu, vv, uv] = [dot(u, u), dot(v, v), dot(u, v)];
        if (uv === 0 || Math.abs(uv) <= 1e-15 * Math.sqrt(uu * vv)) continue;
        rotated = true;
        const zeta = (vv - uu) / (2 * uv);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        rotate(u, v, cosine, cosine * tangent);
        rotate(basis[p]!, basis[q]!, cosine, cosine * tangent);
      }
    }
  }
  const lengths = columns.map((column) => Math.sqrt(dot(column, column)) / factor);
  const order = lengths.map((_, j) => j).sort((i, j) => lengths[j]! - lengths[i]!);
  const vectors = zeros(m, m);
  order.forEach((from, j) => {
    for (let i = 0; i < m; i++) vectors.data[i * m + j] = basis[from]![i]!;
  });
  return { values: Float64Array.from(order, (j) => lengths[j]!), vectors };
}

function dot(u: Float64Array, v: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < u.length; i++) sum += u[i]! * v[i]!;
  return sum;
}

function rotate(u: Float64Array, v: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < u.length; i++) {
    const [a, b] = [u[i]!, v[i]!];
    u[i] = cosine * a - sine * b;
    v[i] = sine * a + cosine * b;
  }
}
