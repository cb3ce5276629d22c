import type { Matrix } from "@gradlab/lms";

/** Numbers of a file, row after row; the last column is the target. */
export interface NumberTable {
  /** Of the columns. */
  readonly names: readonly string[];
  readonly data: Float64Array;
}

/** Rows `[bias, inputs …]` and their targets. */
export interface RegressionData {
  readonly X: Matrix;
  readonly d: Float64Array;
  /** Of the inputs and, last, of the target. */
  readonly names: readonly string[];
  /** The column of the file that is the bias; null where a 1 was put there. */
  readonly bias: { readonly column: string; readonly value: number } | null;
}

/** The names of columns that have none. */
export const columnNames = (columns: number): string[] =>
  Array.from({ length: columns }, (_, i) => (i === columns - 1 ? "target" : `x${i + 1}`));

/**
 * The rows of a table with a bias in front: a 1, or the first input that has one value (and not 0) in all of several
 * rows, which would be a multiple of that 1.
 */
export function regressionData({ names, data }: NumberTable): RegressionData {
  const width = names.length;
  const rows = data.length / width;
  const inputs = Array.from({ length: width - 1 }, (_, column) => column);
  const isConstant = (column: number) =>
    data[column] !== 0 &&
    Array.from({ length: rows }, (_, k) => data[k * width + column]).every(sameAs(data[column]!));
  const constant = rows > 1 ? inputs.find(isConstant) : undefined;
  const kept = inputs.filter((column) => column !== constant);
  const columns = 1 + kept.length;
  const X = new Float64Array(rows * columns);
  const d = new Float64Array(rows);
  for (let k = 0; k < rows; k++) {
    const row = data.subarray(k * width, (k + 1) * width);
    X[k * columns] = constant === undefined ? 1 : row[constant]!;
    for (const [i, column] of kept.entries()) X[k * columns + i + 1] = row[column]!;
    d[k] = row[width - 1]!;
  }
  return {
    X: { rows, columns, data: X },
    d,
    names: [...kept, width - 1].map((column) => names[column]!),
    bias: constant === undefined ? null : { column: names[constant]!, value: data[constant]! },
  };
}

const sameAs = (first: number) => (value: number | undefined) => value === first;
