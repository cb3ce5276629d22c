import { expect, test } from "vitest";
import {
  courseData,
  cyclicBound,
  cyclicLimit,
  cyclicRadius,
  inputMoments,
  leastSquares,
  lms,
  meanSquaredError,
  runFilter,
  stabilityBounds,
  sweep,
  wiener,
} from "../src/index.js";
import { expectClose, NORMAL_LIMIT, norm } from "./close.js";

const STEPS = [0.005, 0.01, 0.05, 0.5, 0.7, 1];

test("the course data are 100 rows [1, x1, x2] with d = 1 + x1 - 2 x2 + noise of 0.01", () => {
  const { X, d, weights, noise } = courseData();
  expect([X.rows, X.columns, d.length, [...weights], noise]).toEqual([100, 3, 100, [1, 1, -2], 0.01]);
  let [sum, square] = [0, 0];
  for (let k = 0; k < 100; k++) {
    const [one, x1, x2] = X.data.subarray(3 * k, 3 * k + 3);
    expect(one).toBe(1);
    const v = d[k]! - (1 + x1! - 2 * x2!);
    sum += v;
    square += v * v;
  }
  expect(Math.abs(sum / 100)).toBeLessThan((NORMAL_LIMIT * 0.01) / 10);
  // The variance of v² is 2 σ⁴.
  expect(Math.abs(square / 100 / 1e-4 - 1)).toBeLessThan(NORMAL_LIMIT * Math.sqrt(2 / 100));
  expect(courseData({ seed: 1 }).d[0]).not.toBe(d[0]);
});

test("on the course data the Wiener solution is that of the normal equations, within 0.005 of (1, 1, -2)", () => {
  for (let seed = 0; seed < 100; seed++) {
    const { X, d } = courseData({ seed });
    const fit = leastSquares(X, d);
    expectClose(fit.weights, wiener(inputMoments(X, d)).weights, 1e-10);
    // A weight is off by about σ / √K = 0.001; 5 of those with room for 300 draws.
    expectClose(fit.weights, [1, 1, -2], 0.005);
  }
});

test("over seeds the MSE of the Wiener solution has the mean σ² (K - 3) / 2K = 4.85e-5", () => {
  const seeds = 1000;
  let sum = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const { X, d } = courseData({ seed });
    sum += leastSquares(X, d).mse;
  }
  // σ² χ²(97) / 2K: mean 97, variance 194.
  const tolerance = (NORMAL_LIMIT * 1e-4 * Math.sqrt(194 / seeds)) / 200;
  expectClose([sum / seeds], [4.85e-5], tolerance);
});

test("LMS from zero with mu = 0.01 is within 0.01 of the Wiener solution after 20 epochs", () => {
  for (let seed = 0; seed < 20; seed++) {
    const { X, d } = courseData({ seed });
    const { weights, mse, verdict } = runFilter(lms({ mu: 0.01 }), X, d, { epochs: 20 });
    const fit = leastSquares(X, d);
    expect(verdict).toBe("done");
    expectClose(weights, fit.weights, 0.01);
    expect(mse.at(-1)).toBeGreaterThanOrEqual(fit.mse);
    expect(mse.at(-1)! - fit.mse).toBeLessThan(1e-4);
  }
});

test("in a sweep every step size ends as the spectral radius of its pass says", () => {
  for (let seed = 0; seed < 20; seed++) {
    const { X, d } = courseData({ seed });
    const { limit } = cyclicBound(X);
    const rows = sweep(X, d, { mus: STEPS });
    for (const { mu, verdict, radius, run: result, limit: end, weights } of rows) {
      expect([mu, verdict]).toEqual([mu, radius < 1 ? "converges" : "diverges"]);
      if (mu < limit) expect(verdict).toBe("converges");
      expect(end === null).toBe(radius >= 1);
      if (end !== null) expectClose(weights, end, 1e-8);
      const numbers = [...result.weights, ...result.mse, ...result.errors, ...result.epochWeights];
      expect(numbers.every(Number.isFinite)).toBe(true);
    }
    const byStep = new Map(rows.map((row) => [row.mu, row]));
    // Slow steps are slow: the radius of a pass is e^(-2 mu λmin K) at best.
    expect(byStep.get(0.005)!.run.mse[0]).toBeGreaterThan(byStep.get(0.01)!.run.mse[0]!);
    expect(byStep.get(0.01)!.run.mse[0]).toBeGreaterThan(byStep.get(0.05)!.run.mse[0]!);
    // Large steps that converge end higher.
    const { mse: wienerMse } = leastSquares(X, d);
    const excess = (mu: number) => byStep.get(mu)!.run.mse.at(-1)! - wienerMse;
    expect(excess(0.05)).toBeGreaterThan(excess(0.01));
    if (byStep.get(0.5)!.radius < 1) expect(excess(0.5)).toBeGreaterThan(excess(0.05));
  }
});

test("cyclic LMS ends at the fixed point of its pass, which tends to the Wiener solution for small steps", () => {
  const { X, d } = courseData();
  for (const mu of [0.01, 0.05, 0.2]) {
    const { epochWeights } = runFilter(lms({ mu }), X, d, { epochs: 400 });
    expectClose(epochWeights.slice(-3), cyclicLimit(X, d, mu)!, 1e-13);
  }
  const { weights, mse } = leastSquares(X, d);
  const distance = (mu: number) => norm(cyclicLimit(X, d, mu)!.map((w, i) => w - weights[i]!));
  // To first order the distance is proportional to mu.
  expect(distance(1e-4) / distance(2e-4)).toBeCloseTo(0.5, 2);
  expect(meanSquaredError(X, d, cyclicLimit(X, d, 1e-5)!) / mse - 1).toBeLessThan(1e-6);
});

test("the cyclic bound is where the spectral radius crosses 1, and runs change their verdict there", () => {
  const { X, d } = courseData();
  const { limit, safe } = cyclicBound(X);
  expect(limit).toBeGreaterThan(safe);
  expect(cyclicRadius(X, limit * (1 - 1e-9))).toBeLessThan(1);
  expect(cyclicRadius(X, limit * (1 + 1e-9))).toBeGreaterThan(1);
  const [below, above] = sweep(X, d, { mus: [0.97 * limit, 1.03 * limit] });
  expect([below!.verdict, above!.verdict]).toEqual(["converges", "diverges"]);
});

test("a sweep refuses steps that go nowhere or uphill", () => {
  const { X, d } = courseData();
  for (const mu of [0, -0.1]) {
    expect(() => sweep(X, d, { mus: [0.01, mu] })).toThrow(
      `sweep: mus: expected positive numbers, got ${mu}`,
    );
  }
});

test("a slowly growing run needs more epochs than 20 to show it, and a sweep takes them", () => {
  const { X, d } = courseData();
  const { limit } = cyclicBound(X);
  const [below, above, short] = [
    ...sweep(X, d, { mus: [0.999 * limit, 1.001 * limit] }),
    ...sweep(X, d, { mus: [1.001 * limit], maxEpochs: 20 }),
  ];
  expect([below!.run.verdict, below!.verdict]).toEqual(["done", "converges"]);
  expect([above!.run.verdict, above!.verdict]).toEqual(["done", "diverges"]);
  expect(Math.min(below!.decidedAfter, above!.decidedAfter)).toBeGreaterThan(20);
  expectClose(below!.weights, below!.limit!, 1e-7);
  expect([short!.verdict, short!.decidedAfter]).toEqual(["undecided", 20]);
});

test("no stochastic bound decides what cyclic passes do: the mean bound admits steps that diverge", () => {
  const { X } = courseData();
  const bounds = stabilityBounds(inputMoments(X, new Float64Array(100)).R);
  const { limit } = cyclicBound(X);
  expect(bounds.mean.limit).toBeGreaterThan(limit);
  expect(bounds.meanSquareGaussian.limit).toBeLessThan(limit);
  // One row alone: exactly 2 / ‖x‖², three times the Gaussian bound, which averages over an ensemble.
  expectClose([cyclicBound([[3]]).limit, cyclicBound([[3]]).safe], [2 / 9, 2 / 9], 1e-12);
  expectClose([stabilityBounds([[9]]).meanSquareGaussian.limit], [2 / 27], 1e-15);
});

test("two orthogonal rows are stable up to 2 by the square of the longer", () => {
  // Π (I - mu x xᵀ) = diag(1 - 4 mu, 1 - mu)
  const X = [
    [2, 0],
    [0, 1],
  ];
  expect(cyclicRadius(X, 0.1)).toBeCloseTo(0.9, 15);
  expect(cyclicRadius(X, 0.6)).toBeCloseTo(1.4, 15);
  expect(cyclicBound(X).limit).toBeCloseTo(0.5, 11);
});

test("directions that no row excites do not count for the cyclic bound, and do not move", () => {
  const X = [
    [1, 1],
    [2, 2],
  ];
  // In the direction (1, 1)/√2 the rows are √2 and 2√2: (1 - 2 mu)(1 - 8 mu).
  expect(cyclicRadius(X, 0.1)).toBeCloseTo(0.8 * 0.2, 14);
  const { weights } = runFilter(lms({ mu: 0.1 }), X, [2, 4], { epochs: 100, weights: [1, -1] });
  expectClose(weights, [2, 0], 1e-14);
  expect(() => cyclicLimit(X, [2, 4], 0.1)).toThrow("cyclicLimit: X: expected linearly independent columns");
});

test("the radius of a pass over many rows does not overflow on the way", () => {
  const { X } = courseData({ count: 3000 });
  expect(cyclicRadius(X, 3)).toBe(Number.POSITIVE_INFINITY);
  expect(cyclicRadius(X, 0.001)).toBeLessThan(0.1);
});
