// The build for browsers runs everywhere.
import { parse } from "csv-parse/browser/esm/sync";
import { messageOf, StudyError } from "../../declaration/study-error.js";
import { columnNames, type NumberTable } from "./regression-data.js";

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const notANumber = /^([+-]?(nan|inf|infinity)|)$/i;

/**
 * Reads CSV: comma-separated numbers, the last column the target; the first line may name the columns.
 *
 * @param file Begins the messages.
 */
export function readCsvTable(file: string, bytes: Uint8Array): NumberTable {
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
      data[k * columns + i] = value;
    });
  });
  return { names: hasHeader ? first : columnNames(columns), data };
}
