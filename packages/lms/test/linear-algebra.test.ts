import { fillNormal, randomStream } from "@gradlab/random";
import { expect, test } from "vitest";
import {
  cyclicRadius,
  eigenvalues,
  inputMoments,
  leastSquares,
  matrix,
  singularValues,
  stabilityBounds,
  symmetricEigen,
  wiener,
} from "../src/index.js";
import { inverseEnergyOf } from "../src/inverse-energy.js";
import { expectClose, norm } from "./close.js";
import golden from "./golden/linear-algebra.json" with { type: "json" };

const EPSILON = Number.EPSILON;

const normals = (index: number, rows: number, columns: number) => ({
  rows,
  columns,
  data: fillNormal(randomStream({ seed: 0, purpose: "test", index }), new Float64Array(rows * columns)),
});

test.each(golden.eigenvalues)(
  "the eigenvalues of a matrix are those of 60 digits: $name",
  ({ a, values }) => {
    const { re, im } = eigenvalues(a);
    const left = values.map(([x, y]) => [x!, y!] as const);
    // QR is backward stable: off by a modest multiple of ε‖A‖ times the condition of the eigenvalue; that of the worst
    // case here, the companion matrix of 1 … 6, is about 1e5 (Wilkinson's example in small).
    const tolerance = 2e5 * EPSILON * norm(a.flat());
    for (let i = 0; i < re.length; i++) {
      const distances = left.map(([x, y]) => Math.hypot(x - re[i]!, y - im[i]!));
      const nearest = distances.indexOf(Math.min(...distances));
      expect(distances[nearest]).toBeLessThan(isGraded(a) ? 1e-9 : tolerance);
      left.splice(nearest, 1);
    }
    expect(left).toEqual([]);
  },
);

/** The graded matrix: a similarity by powers of ten away from one whose eigenvalues are well conditioned. */
const isGraded = (a: readonly (readonly number[])[]) => a[0]![1] === 1e6;

test("eigenvalues of a triangular matrix are its diagonal, of a defective one its repeated value", () => {
  const { re, im } = eigenvalues([
    [3, 5, 7],
    [0, -2, 11],
    [0, 0, 1],
  ]);
  expect([...re].sort((a, b) => a - b)).toEqual([-2, 1, 3]);
  expect([...im]).toEqual([0, 0, 0]);
  const jordan = eigenvalues([
    [2, 1],
    [0, 2],
  ]);
  expect([...jordan.re, ...jordan.im]).toEqual([2, 2, 0, 0]);
});

test("conjugate pairs stand side by side, and the sum of the eigenvalues is the trace", () => {
  for (let index = 0; index < 40; index++) {
    const a = normals(index, 2 + (index % 9), 2 + (index % 9));
    const { re, im } = eigenvalues(a);
    let trace = 0;
    for (let i = 0; i < a.rows; i++) trace += a.data[i * a.rows + i]!;
    expectClose([re.reduce((sum, x) => sum + x, 0)], [trace], 1e-12 * a.rows);
    for (let i = 0; i < im.length; i++) {
      if (im[i] === 0) continue;
      expect([re[i + 1], im[i + 1]]).toEqual([re[i], -im[i]!]);
      i += 1;
    }
  }
});

test.each(golden.singularValues)("singular values are those of LAPACK: $name", ({ a, values }) => {
  const { values: got, vectors } = singularValues(a);
  expectClose(got, values, 20 * EPSILON * values[0]!);
  // A v = σ u: the image of every right singular vector has the length of its singular value.
  for (let j = 0; j < got.length; j++) {
    const image = a.map((row) => row.reduce((sum, x, i) => sum + x * vectors.data[i * got.length + j]!, 0));
    expectClose([norm(image)], [got[j]!], 20 * EPSILON * values[0]!);
  }
});

test("a symmetric matrix is rebuilt from its eigenvectors, which are orthonormal", () => {
  const b = normals(3, 6, 6);
  const { R } = inputMoments(b, new Float64Array(6));
  const { values, vectors } = symmetricEigen(R);
  expect([...values]).toEqual([...values].sort((x, y) => x - y));
  const at = (i: number, j: number) => vectors.data[i * 6 + j]!;
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 6; j++) {
      const [rebuilt, product] = [0, 1, 2, 3, 4, 5].reduce(
        ([r, p], k) => [r! + at(i, k) * values[k]! * at(j, k), p! + at(k, i) * at(k, j)],
        [0, 0],
      );
      expectClose([rebuilt!, product!], [R.data[i * 6 + j]!, +(i === j)], 40 * EPSILON * values[5]!);
    }
  }
});

test("the eigenvalues of the second-difference matrix are 2 - 2 cos(π j / (m + 1))", () => {
  const m = 12;
  const a = Array.from({ length: m }, (_, i) =>
    Array.from({ length: m }, (_, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)),
  );
  const exact = Array.from({ length: m }, (_, j) => 2 - 2 * Math.cos((Math.PI * (j + 1)) / (m + 1)));
  expectClose(symmetricEigen(a).values, exact, 20 * EPSILON * 4);
  expectClose(eigenvalues(a).re.toSorted(), exact, 50 * EPSILON * 4);
});

test.each(golden.leastSquares)(
  "least squares is that of 60 digits: $name",
  ({ x, d, weights, condition }) => {
    const fit = leastSquares(x, d);
    expect(Math.abs(fit.condition / condition - 1)).toBeLessThan(1e-6);
    // Householder QR is backward stable: the relative error is a modest multiple of ε (κ + κ² ‖r‖ / (‖A‖ ‖w‖)); columns
    // count at one length, so that the last case, whose κ is only that of its units, is as exact as the first.
    const residual = norm(fit.errors);
    const kappa = Math.min(condition, condition > 1e15 ? 10 : condition);
    const amplification = kappa + (kappa ** 2 * residual) / (fit.singularValues[0]! * norm(weights));
    for (let i = 0; i < weights.length; i++) {
      const scale = condition > 1e15 ? Math.abs(weights[i]!) : norm(weights);
      expectClose([fit.weights[i]!], [weights[i]!], 20 * EPSILON * amplification * scale);
    }
    // The errors are orthogonal to every column.
    for (let j = 0; j < weights.length; j++) {
      const column = x.map((row) => row[j]!);
      const product = column.reduce((sum, entry, k) => sum + entry * fit.errors[k]!, 0);
      expect(Math.abs(product)).toBeLessThan(
        100 * EPSILON * norm(column) * (norm(d) + fit.singularValues[0]! * norm(weights)),
      );
    }
  },
);

test("the Wiener filter solves R w = p, and its surface is Jmin + (w - w*)ᵀ R (w - w*)", () => {
  const X = normals(7, 50, 3);
  const d = normals(8, 50, 1).data;
  const { R, p, power } = inputMoments(X, d);
  const filter = wiener({ R, p, power });
  const fit = leastSquares(X, d);
  expectClose(filter.weights, fit.weights, 1e-13 * filter.condition);
  expectClose([filter.jmin], [2 * fit.mse], 1e-13);
  expect(Math.abs(filter.condition / fit.condition ** 2 - 1)).toBeLessThan(1e-12);
  const w = [0.3, -1, 2];
  let error = 0;
  for (let k = 0; k < 50; k++) {
    error += (d[k]! - w.reduce((sum, weight, i) => sum + weight * X.data[k * 3 + i]!, 0)) ** 2 / 50;
  }
  const v = w.map((weight, i) => weight - filter.weights[i]!);
  let surface = filter.jmin;
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) surface += v[i]! * R.data[i * 3 + j]! * v[j]!;
  expectClose([surface], [error], 1e-13);
});

test("the Wiener filter of an AR(2) process predicts with the coefficients of the process", () => {
  // u_n = -a1 u_{n-1} - a2 u_{n-2} + v: with a1 = -0.1, a2 = -0.8 and unit power, r(1) = 0.5, r(2) = 0.85.
  const { weights, jmin } = wiener({
    R: [
      [1, 0.5],
      [0.5, 1],
    ],
    p: [0.5, 0.85],
    power: 1,
  });
  expectClose(weights, [0.1, 0.8], 1e-15);
  expectClose([jmin], [0.27], 1e-15);
});

test("singular inputs are errors that tell the rank, whatever the units of the columns", () => {
  const rows = [1, 2, 3, 4].map((t) => [1, t, 3 * t - 2]);
  expect(() => leastSquares(rows, [1, 2, 3, 5])).toThrow(
    /^leastSquares: X: expected linearly independent columns, got rank 2 of 3 \(condition number .*\)$/,
  );
  const scaled = rows.map(([a, b, c]) => [1e-9 * a!, b!, 1e9 * c!]);
  expect(() => leastSquares(scaled, [1, 2, 3, 5])).toThrow("got rank 2 of 3");
  expect(() => leastSquares([[1, 2, 3]], [1])).toThrow(
    "leastSquares: X: expected at least as many rows as its 3 columns, got 1",
  );
  expect(() => leastSquares([[0], [0]], [1, 2])).toThrow("got rank 0 of 1");
  expect(() =>
    wiener({
      R: [
        [1, 1],
        [1, 1],
      ],
      p: [1, 1],
      power: 1,
    }),
  ).toThrow("wiener: R: expected a positive definite matrix, got eigenvalues from");
});

test("X may be given as rows or packed, and packing copies", () => {
  const rows = [
    [1, 2],
    [3, 4],
    [5, 7],
  ];
  const packed = matrix(rows);
  expect(packed).toEqual({ rows: 3, columns: 2, data: Float64Array.from([1, 2, 3, 4, 5, 7]) });
  expect(leastSquares(packed, [1, 2, 3])).toEqual(leastSquares(rows, [1, 2, 3]));
});

test("the exact Gaussian bound is that of 60 digits", () => {
  for (const { values, limit } of golden.gaussianBound) {
    const R = values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
    const bounds = stabilityBounds(R);
    expect(Math.abs(bounds.meanSquareGaussian.limit / limit - 1)).toBeLessThan(4 * EPSILON);
  }
});

test("the inverse energy of Gaussian inputs is that of numerical integration in 30 digits", () => {
  for (const { values, expectation } of golden.inverseEnergy) {
    expect(Math.abs(inverseEnergyOf(Float64Array.from(values))! / expectation - 1)).toBeLessThan(1e-12);
  }
  // White: 1 / (M - 2); with two weights the expectation is infinite.
  expectClose([inverseEnergyOf(new Float64Array(64).fill(0.5))!], [1 / 31], 1e-14);
  expect(inverseEnergyOf(Float64Array.from([1, 2]))).toBe(null);
});

test("the spectral radius of a cyclic pass is that of 60 digits", () => {
  for (const { x, mu, radius } of golden.cyclicRadius) {
    expect(Math.abs(cyclicRadius(x, mu) / radius - 1)).toBeLessThan(1e-12);
  }
});
