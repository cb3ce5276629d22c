import { listMat, type MatMatrix, readMat } from "@gradlab/datasets";
import { blamed, StudyError } from "../../declaration/study-error.js";
import { columnNames, type NumberTable } from "./regression-data.js";

/** A table, and what had to be done to its numbers. */
export interface MatTable extends NumberTable {
  readonly warning?: string;
}

/**
 * Reads a table from a file of MATLAB: a matrix whose last column is the target, the only one of the file unless
 * `variable` names it; or with `variable` as `INPUTS,TARGET` two of them, the second with a number for each sample.
 *
 * @param file Begins the messages.
 */
export async function readMatTable(
  file: string,
  bytes: Uint8Array,
  variable: string | undefined,
): Promise<MatTable> {
  const [first, second, ...more] = (variable ?? "").split(",").map((name) => name.trim());
  if (more.length > 0 || (variable !== undefined && first === "") || second === "") {
    throw new StudyError(
      "usage",
      `{variable}: expected NAME or INPUTS,TARGET, got ${JSON.stringify(variable)}`,
    );
  }
  const matrix = await read(file, bytes, first === "" ? undefined : first);
  if (second !== undefined) return apart(file, matrix, await read(file, bytes, second));
  const [rows, columns] = matrix.shape as [number, number];
  if (columns < 2 || rows === 0) {
    throw new StudyError(
      "input",
      `${file}: ${matrix.name}: expected inputs and a target in each row, got ${rows} x ${columns} ({variable} INPUTS,TARGET takes them from two matrices)`,
    );
  }
  return { names: columnNames(columns), data: rowMajor(matrix) };
}

/** A matrix of finite numbers with two axes; the only one of the file where no name is given. */
async function read(file: string, bytes: Uint8Array, variable: string | undefined): Promise<MatMatrix> {
  const refused = (error: unknown): never => {
    throw blamed("input", file, error);
  };
  const all = await listMat(bytes).catch(refused);
  const matrices = all.filter(({ isMatrix }) => isMatrix);
  const listed = matrices.map(({ name, shape }) => `${name} (${shape.join(" x ")})`).join(", ") || "none";
  const isKnown = all.some(({ name }) => name === variable);
  if (variable === undefined ? matrices.length > 1 : !isKnown) {
    const got = variable === undefined ? "nothing" : JSON.stringify(variable);
    throw new StudyError(
      "usage",
      `{variable}: expected NAME or INPUTS,TARGET of the matrices in ${file}: ${listed}; got ${got}`,
    );
  }
  const matrix = await readMat(bytes, { ...(variable !== undefined && { variable }) }).catch(refused);
  const { name, shape, data } = matrix;
  if (shape.length !== 2) {
    throw new StudyError("input", `${file}: ${name}: expected a matrix of rows and columns, got [${shape}]`);
  }
  const odd = data.findIndex((value) => !Number.isFinite(value));
  if (odd < 0) return matrix;
  const place = `${(odd % shape[0]!) + 1},${Math.floor(odd / shape[0]!) + 1}`;
  throw new StudyError("input", `${file}: ${name}(${place}): expected a finite number, got ${data[odd]}`);
}

/** Inputs and targets of two matrices; samples may be columns, where they are as many as the targets. */
function apart(file: string, inputs: MatMatrix, targets: MatMatrix): MatTable {
  const samples = targets.data.length;
  const [rows, columns] = inputs.shape as [number, number];
  if (!targets.shape.includes(1) || samples === 0) {
    throw new StudyError(
      "input",
      `${file}: ${targets.name}: expected a vector of targets, got ${targets.shape.join(" x ")}`,
    );
  }
  const across = rows !== samples && columns === samples;
  if ((rows !== samples && !across) || inputs.data.length === 0) {
    throw new StudyError(
      "input",
      `${file}: ${inputs.name}: expected ${samples} rows, as ${targets.name} has targets, got ${rows} x ${columns}`,
    );
  }
  const width = across ? rows : columns;
  const data = new Float64Array(samples * (width + 1));
  for (let k = 0; k < samples; k++) {
    for (let i = 0; i < width; i++) {
      data[k * (width + 1) + i] = inputs.data[across ? i + k * rows : k + i * rows]!;
    }
    data[k * (width + 1) + width] = targets.data[k]!;
  }
  const names = Array.from({ length: width }, (_, i) =>
    width === 1 ? inputs.name : `${inputs.name}${i + 1}`,
  );
  return {
    names: [...names, targets.name],
    data,
    ...(across && {
      warning: `${file}: the ${samples} columns of ${inputs.name} are taken as samples, as ${targets.name} has as many targets`,
    }),
  };
}

function rowMajor({ shape, data }: MatMatrix): Float64Array {
  const [rows, columns] = shape as [number, number];
  return Float64Array.from(data, (_, at) => data[Math.floor(at / columns) + (at % columns) * rows]!);
}
