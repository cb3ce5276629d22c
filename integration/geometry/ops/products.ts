import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { broadcastShapes, drawn, fill, size } from "../arbitraries.js";
import { add, type Dual, mul, zero } from "../dual.js";
import { type Grid, grid } from "../grid.js";
import type { GeometryCase, GeometryOp } from "../op.js";
import { broadcastShape } from "./elementwise.js";

/** The element of a stack of matrices, whose batch axes broadcast. */
function element(x: Grid, batch: readonly number[], row: number, column: number): Dual {
  const axes = x.shape.length - 2;
  let flat = 0;
  for (let axis = 0; axis < axes; axis++) {
    const n = x.shape[axis]!;
    flat = flat * n + (n === 1 ? 0 : batch[batch.length - axes + axis]!);
  }
  return x.data[(flat * x.shape[axes]! + row) * x.shape[axes + 1]! + column]!;
}

/** `y[…, i, j] = Σ a[…, i, k] · b[…, k, j]`; a transposed operand is read by column. */
export function matMul(a: Grid, b: Grid, transposeA = false, transposeB = false): Grid {
  const [rowsA, colsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, colsB] = b.shape.slice(-2) as [number, number];
  const inner = transposeA ? rowsA : colsA;
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return grid([...batch, transposeA ? colsA : rowsA, transposeB ? rowsB : colsB], (index) => {
    const [i, j] = index.slice(-2) as [number, number];
    const at = index.slice(0, -2);
    let total: Dual = zero;
    for (let k = 0; k < inner; k++) {
      const left = transposeA ? element(a, at, k, i) : element(a, at, i, k);
      const right = transposeB ? element(b, at, j, k) : element(b, at, k, j);
      total = add(total, mul(left, right));
    }
    return total;
  });
}

export const products: readonly GeometryOp[] = [
  {
    name: "matMul",
    cases: fc
      .record({
        batch: broadcastShapes(2),
        m: size(6),
        k: size(9),
        n: size(17),
        transposeA: fc.boolean(),
        transposeB: fc.boolean(),
        fill,
      })
      .map(
        ({ batch: [a, b], m, k, n, transposeA, transposeB, fill }): GeometryCase => ({
          inputs: [
            drawn([...a, ...(transposeA ? [k, m] : [m, k])], fill),
            drawn([...b, ...(transposeB ? [n, k] : [k, n])], fill, -2, 2, 1),
          ],
          attrs: { transposeA, transposeB },
        }),
      ),
    tfjs: ([a, b], { transposeA, transposeB }) => tf.matMul(a, b, transposeA, transposeB),
    definition: ([a, b], { transposeA, transposeB }) => matMul(a!, b!, transposeA, transposeB),
    second: true,
  },
];
