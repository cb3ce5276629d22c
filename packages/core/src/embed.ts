import {
  add,
  customGrad,
  expandDims,
  type GradSaveFunc,
  gather,
  reshape,
  scatterND,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { expectDtype } from "./expect-dtype.js";
import { expectShape } from "./expect-shape.js";
import { runFused } from "./fused/run-fused.js";
import { ShapeError } from "./shape-error.js";
import { validIndices } from "./valid-indices.js";

/**
 * Rows of a table: `out[i, …] = table[ids[i, …]]`.
 *
 * The gradient with respect to the table is one scatter-add of the incoming rows into zeros, in which those of
 * repeated ids add up; the gradient of that is these rows again, and so on to any order. (On webgpu the order in
 * which repeated ids are added is not fixed, and so is the last bit of their sum.)
 *
 * An id outside of [0, n) gives a row of NaN: ids cannot be read without waiting on every backend, and a wrong one
 * must not read or write other memory. The loss becomes NaN with it, on which `train` stops before it updates anything.
 *
 * @param table One row per id, `[n, d]`, n at least 1.
 * @param ids Integers in [0, n), int32 of any shape.
 * @returns `[...ids.shape, d]`; the caller disposes it.
 * @throws {ShapeError} when `table` is no table.
 * @throws {TypeError} when `ids` is not int32.
 */
export function embed(table: Tensor2D, ids: Tensor): Tensor {
  expectShape("embed: table", table, [null, null]);
  const [n, d] = table.shape;
  if (n === 0) throw new ShapeError(`embed: table: expected at least one row, got [${n}, ${d}]`);
  expectDtype("embed: ids", ids, "int32");
  return tidy(() => {
    const flat = reshape(ids, [ids.size]);
    const fused = ids.size === 0 ? null : runFused("GradlabEmbed", { table, ids: flat }, {});
    if (fused !== null) return reshape(fused[0]!, [...ids.shape, d]);
    const { safe, penalty } = validIndices(flat, n);
    const rows = add(takeRows(table, safe), expandDims(penalty, 1));
    return reshape(rows, [...ids.shape, d]);
  });
}

/** `[k, d]`: the rows `ids` of a table `[n, d]`. */
function takeRows(table: Tensor2D, ids: Tensor1D): Tensor2D {
  const take = customGrad((x: Tensor | GradSaveFunc, save: Tensor | GradSaveFunc) => {
    (save as GradSaveFunc)([ids]);
    return {
      value: gather(x as Tensor2D, ids),
      gradFunc: (dy, saved) => addRows(dy as Tensor2D, saved[0] as Tensor1D, table.shape[0]),
    };
  });
  return take(table) as Tensor2D;
}

/** `[n, d]`: rows `[k, d]` added up at the places `ids`; the transpose of `takeRows`. */
function addRows(rows: Tensor2D, ids: Tensor1D, n: number): Tensor2D {
  const d = rows.shape[1];
  const scatter = customGrad((x: Tensor | GradSaveFunc, save: Tensor | GradSaveFunc) => {
    (save as GradSaveFunc)([ids]);
    return {
      value: ids.size === 0 ? zeros([n, d]) : scatterND(expandDims(ids, 1), x as Tensor2D, [n, d]),
      gradFunc: (dy, saved) => takeRows(dy as Tensor2D, saved[0] as Tensor1D),
    };
  });
  return scatter(rows) as Tensor2D;
}
