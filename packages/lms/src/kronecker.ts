import { type Matrix, type MatrixLike, toMatrix, zeros } from "./matrix.js";

/**
 * The Kronecker product `A ⊗ B`: the matrix of blocks `a_ij B`. With `vec`, `vec(A X B) = (Bᵀ ⊗ A) vec X`.
 *
 * @param A `[a, b]`.
 * @param B `[c, d]`.
 * @returns `[a c, b d]`.
 * @throws {TypeError | RangeError} when an argument is not a matrix of finite numbers.
 */
export function kronecker(A: MatrixLike, B: MatrixLike): Matrix {
  const a = toMatrix("kronecker: A", A);
  const b = toMatrix("kronecker: B", B);
  const product = zeros(a.rows * b.rows, a.columns * b.columns);
  for (let i = 0; i < product.rows; i++) {
    for (let j = 0; j < product.columns; j++) {
      product.data[i * product.columns + j] =
        a.data[Math.floor(i / b.rows) * a.columns + Math.floor(j / b.columns)]! *
        b.data[(i % b.rows) * b.columns + (j % b.columns)]!;
    }
  }
  return product;
}

/**
 * The columns of a matrix under one another.
 *
 * @returns `[rows · columns, 1]`.
 * @throws {TypeError | RangeError} when `A` is not a matrix of finite numbers.
 */
export function vec(A: MatrixLike): Matrix {
  const { rows, columns, data } = toMatrix("vec: A", A);
  const v = zeros(rows * columns, 1);
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) v.data[j * rows + i] = data[i * columns + j]!;
  }
  return v;
}

/**
 * The matrix with a given `vec`.
 *
 * @param v `[rows · columns, 1]`.
 * @throws {TypeError | RangeError} when `v` is not a column of that length.
 */
export function unvec(v: MatrixLike, rows: number, columns: number): Matrix {
  const column = toMatrix("unvec: v", v);
  if (column.columns !== 1 || column.rows !== rows * columns) {
    throw new RangeError(
      `unvec: v: expected [${rows * columns}, 1], got [${column.rows}, ${column.columns}]`,
    );
  }
  const A = zeros(rows, columns);
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) A.data[i * columns + j] = column.data[j * rows + i]!;
  }
  return A;
}
