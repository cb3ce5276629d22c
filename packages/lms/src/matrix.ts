import { expectFinite, rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";

/** A dense matrix: entry `(i, j)` is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row after row, `rows * columns` numbers. */
  readonly data: Float64Array;
}

/** A matrix, or its rows. */
export type MatrixLike = Matrix | readonly ArrayLike<number>[];

/**
 * The matrix with these rows, copied into one array.
 *
 * @param rows At least one row; all of one length, at least 1; finite numbers.
 * @throws {TypeError | RangeError} when a row is missing, longer or shorter than the first, or holds something
 *   that is not a finite number.
 */
export function matrix(rows: readonly ArrayLike<number>[]): Matrix {
  return pack("matrix", rows);
}

/** The matrix itself, checked, or the matrix with the given rows. */
export function toMatrix(where: string, value: MatrixLike): Matrix {
  if (typeof value !== "object" || value === null) throw typeMismatch(where, "a matrix or its rows", value);
  if (!("data" in value)) return pack(where, value);
  const { rows, columns, data } = value;
  if (!(data instanceof Float64Array)) throw typeMismatch(`${where}.data`, "a Float64Array", data);
  expectInteger(`${where}.rows`, rows, 1);
  expectInteger(`${where}.columns`, columns, 1);
  if (data.length !== rows * columns) {
    throw rangeMismatch(`${where}.data`, `${rows} times ${columns} numbers`, data);
  }
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) expectFinite(`${where}.data[${i}]`, data[i]);
  }
  return value;
}

function pack(where: string, rows: readonly ArrayLike<number>[]): Matrix {
  if (!Number.isSafeInteger(rows.length)) throw typeMismatch(where, "a matrix or its rows", rows);
  if (rows.length === 0) throw rangeMismatch(where, "at least one row", rows);
  const columns = rows[0]?.length ?? 0;
  const data = new Float64Array(rows.length * columns);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (typeof row !== "object" || row === null || !Number.isSafeInteger(row.length)) {
      throw typeMismatch(`${where}[${i}]`, "a row of numbers", row);
    }
    if (row.length === 0) throw rangeMismatch(`${where}[${i}]`, "a row of at least one number", row);
    if (row.length !== columns) {
      throw rangeMismatch(`${where}[${i}]`, `a row of ${columns} numbers like the first`, row);
    }
    for (let j = 0; j < columns; j++) {
      if (!Number.isFinite(row[j])) expectFinite(`${where}[${i}][${j}]`, row[j]);
      data[i * columns + j] = row[j]!;
    }
  }
  return { rows: rows.length, columns, data };
}

/** A matrix of zeros. */
export function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

/** A square matrix that equals its transpose up to rounding, and so has an orthogonal basis of eigenvectors. */
export function toSymmetric(where: string, value: MatrixLike): Matrix {
  const checked = toMatrix(where, value);
  const { rows, columns, data } = checked;
  if (rows !== columns) {
    throw new RangeError(`${where}: expected a square matrix, got ${rows} rows and ${columns} columns`);
  }
  let scale = 0;
  for (const entry of data) scale = Math.max(scale, Math.abs(entry));
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < i; j++) {
      const [below, above] = [data[i * columns + j]!, data[j * columns + i]!];
      if (Math.abs(below - above) > 1e-12 * scale) {
        throw new RangeError(
          `${where}: expected a symmetric matrix, got ${below} at (${i}, ${j}) and ${above} at (${j}, ${i})`,
        );
      }
    }
  }
  return checked;
}
