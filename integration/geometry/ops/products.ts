import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { broadcastShapes, drawn, fill, size, smoothFill } from "../arbitraries.js";
import { add, type Dual, mul, zero } from "../dual.js";
import { at, type Grid, grid, indices } from "../grid.js";
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
  {
    name: "matMul of empty tensors",
    cases: fc
      .record({ sizes: fc.tuple(size(3), size(3), size(3)), none: fc.nat(2), fill: smoothFill })
      .map(({ sizes, none, fill }): GeometryCase => {
        const [m, k, n] = sizes.map((s, i) => (i === none ? 0 : s)) as [number, number, number];
        return {
          inputs: [drawn([m, k], fill), drawn([k, n], fill, -2, 2, 1)],
          attrs: { transposeA: false, transposeB: false },
        };
      }),
    tfjs: ([a, b], { transposeA, transposeB }) => tf.matMul(a, b, transposeA, transposeB),
    definition: ([a, b], { transposeA, transposeB }) => matMul(a!, b!, transposeA, transposeB),
  },
  {
    name: "dot",
    cases: fc
      .record({
        ranks: fc.constantFrom([1, 1], [1, 2], [2, 1], [2, 2]),
        m: size(4),
        k: size(6),
        n: size(4),
        fill: smoothFill,
      })
      .map(
        ({ ranks: [a, b], m, k, n, fill }): GeometryCase => ({
          inputs: [drawn(a === 1 ? [k] : [m, k], fill), drawn(b === 1 ? [k] : [k, n], fill, -2, 2, 1)],
          attrs: {},
        }),
      ),
    tfjs: ([a, b]) => tf.dot(a, b),
    definition: ([a, b]) => {
      const [left, right] = [a!.shape.slice(0, -1), b!.shape.slice(1)];
      return grid([...left, ...right], (index) => {
        let total: Dual = zero;
        for (let k = 0; k < b!.shape[0]!; k++)
          total = add(
            total,
            mul(at(a!, ...index.slice(0, left.length), k), at(b!, k, ...index.slice(left.length))),
          );
        return total;
      });
    },
  },
  {
    name: "outerProduct",
    cases: fc.record({ m: size(6), n: size(6), fill: smoothFill }).map(
      ({ m, n, fill }): GeometryCase => ({
        inputs: [drawn([m], fill), drawn([n], fill, -2, 2, 1)],
        attrs: {},
      }),
    ),
    tfjs: ([a, b]) => tf.outerProduct(a, b),
    definition: ([a, b]) => grid([a!.shape[0]!, b!.shape[0]!], ([i, j]) => mul(at(a!, i!), at(b!, j!))),
  },
  {
    name: "einsum",
    cases: fc
      .record({
        sizes: fc.tuple(size(3), size(3), size(4), size(4)),
        first: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 }),
        second: fc.shuffledSubarray([0, 1, 2, 3]),
        output: fc.shuffledSubarray([0, 1, 2, 3]),
        fill: smoothFill,
      })
      .map(({ sizes, first, second, output, fill }): GeometryCase => {
        const letters = (axes: readonly number[]) => axes.map((axis) => "abcd"[axis]).join("");
        const terms = second.length > 0 ? [first, second] : [first];
        const kept = output.filter((axis) => terms.some((term) => term.includes(axis)));
        return {
          inputs: terms.map((term, i) =>
            drawn(
              term.map((axis) => sizes[axis]!),
              fill,
              -2,
              2,
              i,
            ),
          ),
          attrs: { equation: `${terms.map(letters).join(",")}->${letters(kept)}` },
        };
      }),
    tfjs: (xs, { equation }) => tf.einsum(equation, ...xs),
    definition: (xs, { equation }) => {
      const [left, output] = (equation as string).split("->") as [string, string];
      const terms = left.split(",");
      const sizeAt = (letter: string) => {
        const i = terms.findIndex((term) => term.includes(letter));
        return xs[i]!.shape[terms[i]!.indexOf(letter)]!;
      };
      const summed = [...new Set(left.replaceAll(",", ""))].filter((letter) => !output.includes(letter));
      return grid([...output].map(sizeAt), (index) => {
        const kept = [...index];
        let total: Dual = zero;
        for (const rest of indices(summed.map(sizeAt))) {
          const of = (letter: string) =>
            output.includes(letter) ? kept[output.indexOf(letter)]! : rest[summed.indexOf(letter)]!;
          total = add(total, xs.map((x, i) => at(x, ...[...terms[i]!].map(of))).reduce(mul));
        }
        return total;
      });
    },
    leavesOut: [
      "more than two operands, an axis twice in one operand, an ellipsis: tfjs's documented limits",
    ],
  },
];
