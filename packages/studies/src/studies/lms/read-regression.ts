import type { Matrix } from "@gradlab/lms";
// The build for browsers runs everywhere.
import { parse } from "csv-parse/browser/esm/sync";
import { messageOf, StudyError } from "../../declaration/study-error.js";

/** Rows `[1, inputs …]` and their targets. */
export interface RegressionData {
  readonly X: Matrix;
  readonly d: Float64Array;
  /** Of the inputs and, last, of the target. */
  readonly names: readonly string[];
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const notANumber = /^([+-]?(nan|inf|infinity)|)$/i;

/**
 * Reads CSV: comma-separated numbers, the last column the target; the first line may name the columns.
 *
 * @param file Begins the messages.
 */
export function readRegression(file: string, bytes: Uint8Array): RegressionData {
  const text = new TextDecoder().decode(bytes);
  let lines: { record: string[]; info: { lines: number } }[];
  try {
    lines = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as typeof lines;
  } catch (error) {
    throw new StudyError("input", `${file}: ${messageOf(error)}`, { cause: error });
  }
  const first = lines[0]?.record;
  const hasHeader = first?.every((cell) => !decimal.test(cell) && !notANumber.test(cell)) ?? false;
  const rows = hasHeader ? lines.slice(1) : lines;
  if (first === undefined || rows.length === 0) {
    throw new StudyError("input", `${file}: expected rows of numbers, got none`);
  }
  const columns = first.length;
  if (columns < 2) {
    throw new StudyError(
      "input",
      `${file}: expected inputs and a target, separated by commas, got one column`,
    );
  }
  const data = new Float64Array(rows.length * columns);
  const d = new Float64Array(rows.length);
  rows.forEach(({ record, info }, k) => {
    const place = `${file}: line ${info.lines}`;
    if (record.length !== columns) {
      throw new StudyError(
        "input",
        `${place}: expected ${columns} columns as in the first line, got ${record.length}`,
      );
    }
    record.forEach((cell, i) => {
      const value = decimal.test(cell) ? Number(cell) : Number.NaN;
      if (!Number.isFinite(value)) {
        throw new StudyError(
          "input",
          `${place}, column ${i + 1}: expected a finite number, got ${JSON.stringify(cell)}`,
        );
      }
      if (i === columns - 1) d[k] = value;
      else data[k * columns + i + 1] = value;
    });
    data[k * columns] = 1;
  });
  const names = hasHeader ? first : first.map((_, i) => (i === columns - 1 ? "target" : `x${i + 1}`));
  return { X: { rows: rows.length, columns, data }, d, names };
}
