import { fillNormal, randomStream } from "@gradlab/random";
import { expect, test } from "vitest";
import {
  kronecker,
  kroneckerGradient,
  matrix,
  numericalGradient,
  type TwoLayerGradient,
  twoLayerGradient,
  unvec,
  vec,
} from "../src/backprop.js";
import { expectClose, thrown } from "./close.js";

const params = {
  W1: [
    [3, -1, 1],
    [-5, 2, -1],
  ],
  b1: [1, 2],
  W2: [
    [1, -2],
    [-3, 1],
  ],
  b2: [1, 1],
};
const X = [[0], [1], [2]];
const T = [[1], [2]];

const numbers = ({ W1, b1, W2, b2 }: TwoLayerGradient) => [W1, b1, W2, b2].flatMap(({ data }) => [...data]);
const shapes = ({ W1, b1, W2, b2 }: TwoLayerGradient) =>
  [W1, b1, W2, b2].map(({ rows, columns }) => [rows, columns]);

const ways = [twoLayerGradient, kroneckerGradient, numericalGradient];

test.each(ways)("the example with ReLU has loss 14.5 and whole derivatives (%#)", (gradient) => {
  const { loss, W1, b1, W2, b2 } = gradient(params, X, T, { activation: "relu", layout: "numerator" });
  expect(loss).toBe(14.5);
  expect(W1).toEqual(
    matrix([
      [0, 0],
      [13, -1],
      [26, -2],
    ]),
  );
  expect(W2).toEqual(
    matrix([
      [-4, -10],
      [-4, -10],
    ]),
  );
  expect(b1).toEqual(matrix([[13, -1]]));
  expect(b2).toEqual(matrix([[-2, -5]]));
});

test.each(ways)("the example with sigmoid has loss 4.201102887391705 (%#)", (gradient) => {
  const { loss, W1, b1, W2, b2 } = gradient(params, X, T, { activation: "sigmoid", layout: "numerator" });
  expectClose([loss], [4.201102887391705], 1e-15 * 4);
  // Four digits are given.
  expectClose(W1.data, [0, 0, 0.7774, -0.105, 1.5547, -0.21], 5e-5);
  expectClose(W2.data, [-0.7758, -2.4324, -0.7758, -2.4324], 5e-5);
  expectClose(b1.data, [0.7774, -0.105], 5e-5);
  expectClose(b2.data, [-0.8808, -2.7616], 5e-5);
  // h = σ(2) for both units, y = (1 - σ(2), 1 - 2 σ(2)).
  const h = 1 / (1 + Math.exp(-2));
  const e = [-h, -1 - 2 * h];
  const back = [e[0]! - 3 * e[1]!, -2 * e[0]! + e[1]!].map((value) => value * h * (1 - h));
  expectClose(b2.data, e, 1e-15);
  expectClose(b1.data, back, 1e-15);
  expectClose(W2.data, [h * e[0]!, h * e[1]!, h * e[0]!, h * e[1]!], 1e-15);
});

test("denominator layout is the transpose, with biases as columns", () => {
  const a = twoLayerGradient(params, X, T, { activation: "relu" });
  const b = twoLayerGradient(params, X, T, { activation: "relu", layout: "numerator" });
  expect(shapes(a)).toEqual([
    [2, 3],
    [2, 1],
    [2, 2],
    [2, 1],
  ]);
  expect(shapes(b)).toEqual([
    [3, 2],
    [1, 2],
    [2, 2],
    [1, 2],
  ]);
  expect([...a.W1.data]).toEqual([0, 13, 26, 0, -1, -2]);
  expect([...a.W2.data]).toEqual([-4, -4, -10, -10]);
});

function randomProblem(index: number) {
  const size = (k: number) => 1 + ((index * 7 + k * 5 + ((index * k) >> 1)) % 5);
  const [inputs, hidden, outputs, samples] = [size(1), size(2), size(3), size(4)];
  const stream = randomStream({ seed: 0, purpose: "two layers", index });
  const draw = (rows: number, columns: number) => ({
    rows,
    columns,
    data: fillNormal(stream, new Float64Array(rows * columns)),
  });
  return {
    params: {
      W1: draw(hidden, inputs),
      b1: draw(hidden, 1).data,
      W2: draw(outputs, hidden),
      b2: draw(outputs, 1).data,
    },
    X: draw(inputs, samples),
    T: draw(outputs, samples),
  };
}

test.each(["relu", "sigmoid"] as const)(
  "for random shapes the Kronecker form, backpropagation, dual numbers and differences agree: %s",
  (activation) => {
    for (let index = 0; index < 60; index++) {
      const problem = randomProblem(index);
      const args = [problem.params, problem.X, problem.T] as const;
      for (const layout of ["numerator", "denominator"] as const) {
        const exact = twoLayerGradient(...args, { activation, layout });
        const scale = Math.max(1, ...numbers(exact).map(Math.abs));
        const kron = kroneckerGradient(...args, { activation, layout });
        expect(shapes(kron)).toEqual(shapes(exact));
        expectClose(numbers(kron), numbers(exact), 1e-13 * scale);
        const dual = numericalGradient(...args, { activation, layout, method: "dual" });
        expect(shapes(dual)).toEqual(shapes(exact));
        expectClose(numbers(dual), numbers(exact), 1e-13 * scale);
        const differences = numericalGradient(...args, { activation, layout, method: "central-difference" });
        // Rounding of the loss by the step, and the third derivative by step²: both near 1e-10 of the loss.
        expectClose(numbers(differences), numbers(exact), 1e-8 * (scale + exact.loss));
        expect([kron.loss, dual.loss, differences.loss]).toEqual([exact.loss, exact.loss, exact.loss]);
      }
    }
  },
);

test("the differences leave the weights as they were", () => {
  const { params: given, X: x, T: t } = randomProblem(3);
  const before = JSON.stringify(given);
  numericalGradient(given, x, t, { activation: "relu", method: "central-difference" });
  expect(JSON.stringify(given)).toBe(before);
});

test("a step down the gradient lowers the loss by its squared length, to first order", () => {
  const { params: given, X: x, T: t } = randomProblem(11);
  const options = { activation: "sigmoid" } as const;
  const gradient = twoLayerGradient(given, x, t, options);
  const step = 1e-6;
  const moved = {
    W1: { ...given.W1, data: given.W1.data.map((w, i) => w - step * gradient.W1.data[i]!) },
    b1: given.b1.map((b, i) => b - step * gradient.b1.data[i]!),
    W2: { ...given.W2, data: given.W2.data.map((w, i) => w - step * gradient.W2.data[i]!) },
    b2: given.b2.map((b, i) => b - step * gradient.b2.data[i]!),
  };
  const squared = numbers(gradient).reduce((sum, g) => sum + g * g, 0);
  const fall = (gradient.loss - twoLayerGradient(moved, x, t, options).loss) / step;
  expect(Math.abs(fall / squared - 1)).toBeLessThan(1e-3);
});

test("vec stacks columns, and vec(A X B) = (Bᵀ ⊗ A) vec X", () => {
  expect(
    vec([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
  ).toEqual(matrix([[1], [3], [5], [2], [4], [6]]));
  expect(
    kronecker(
      [[1, 2]],
      [
        [0, 3],
        [4, 5],
      ],
    ),
  ).toEqual(
    matrix([
      [0, 3, 0, 6],
      [4, 5, 8, 10],
    ]),
  );
  const A = [
    [1, -2, 0],
    [3, 1, 4],
  ];
  const M = [
    [2, 1],
    [0, -1],
    [5, 3],
  ];
  const B = [
    [1, 0, 2, -1],
    [3, 1, -2, 0],
  ];
  const times = (P: number[][], Q: number[][]) =>
    P.map((row) => Q[0]!.map((_, j) => row.reduce((sum, p, k) => sum + p * Q[k]![j]!, 0)));
  const transposed = B[0]!.map((_, j) => B.map((row) => row[j]!));
  const map = kronecker(transposed, A);
  const v = vec(M);
  const product = Array.from({ length: map.rows }, (_, i) => [
    v.data.reduce((sum, x, j) => sum + map.data[i * map.columns + j]! * x, 0),
  ]);
  const AMB = times(times(A, M), B);
  expect(matrix(product)).toEqual(vec(AMB));
  expect(unvec(vec(AMB), 2, 4)).toEqual(matrix(AMB));
});

test("the slope of ReLU at 0 is 0", () => {
  const gradient = (way: (typeof ways)[number]) =>
    way({ W1: [[1]], b1: [0], W2: [[1]], b2: [0] }, [[0]], [[1]], { activation: "relu" }).b1.data[0]! + 0;
  expect(ways.map(gradient)).toEqual([0, 0, 0]);
});

test.each<[() => unknown, string]>([
  [
    () => twoLayerGradient(params, [[0], [1]], T, { activation: "relu" }),
    "twoLayerGradient: X: expected [3, 1], got [2, 1]",
  ],
  [
    () => kroneckerGradient({ ...params, b1: [1] }, X, T, { activation: "relu" }),
    "kroneckerGradient: b1: expected [2, 1], got [1, 1]",
  ],
  [
    () => numericalGradient({ ...params, W2: [[1]] }, X, T, { activation: "relu" }),
    "numericalGradient: W2: expected [1, 2], got [1, 1]",
  ],
  [
    () =>
      twoLayerGradient(
        params,
        X,
        [
          [1, 2],
          [1, 2],
        ],
        { activation: "relu" },
      ),
    "twoLayerGradient: T: expected [2, 1], got [2, 2]",
  ],
  [
    () => twoLayerGradient(params, X, T, { activation: "tanh" as never }),
    'twoLayerGradient: activation: expected one of "relu", "sigmoid", got "tanh"',
  ],
  [
    () => twoLayerGradient(params, X, T, { activation: "relu", layout: "x" as never }),
    'twoLayerGradient: layout: expected one of "numerator", "denominator", got "x"',
  ],
  [
    () => twoLayerGradient({ ...params, b2: [1, Number.NaN] }, X, T, { activation: "relu" }),
    "twoLayerGradient: b2[1]: expected a finite number, got NaN",
  ],
  [() => unvec([[1], [2]], 2, 2), "unvec: v: expected [4, 1], got [2, 1]"],
])("a bad argument of backprop is named (%#)", (call, message) => {
  expect(thrown(call)).toBe(message);
});
