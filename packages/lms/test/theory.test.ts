import { expect, test } from "vitest";
import {
  lms,
  lmsMisadjustment,
  nlms,
  nlmsMisadjustment,
  predictPerformance,
  rls,
  rlsMisadjustment,
  runFilter,
  simulate,
  stabilityBounds,
  timeConstants,
} from "../src/index.js";
import { expectClose, NORMAL_LIMIT } from "./close.js";
import golden from "./golden/linear-algebra.json" with { type: "json" };

const VALUES = [0.2, 0.5, 1, 2];

/** `V diag(λ) Vᵀ` with V a product of rotations: no eigenvector lies along a weight. */
function rotated(values: readonly number[]): number[][] {
  const m = values.length;
  let R = values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
  for (let p = 0; p + 1 < m; p++) {
    const [c, s] = [Math.cos(0.5 + p), Math.sin(0.5 + p)];
    const G = R.map((_, i) => R.map((_, j) => +(i === j)));
    [G[p]![p], G[p]![p + 1], G[p + 1]![p], G[p + 1]![p + 1]] = [c, -s, s, c];
    const times = (A: number[][], B: number[][]) =>
      A.map((row) => B[0]!.map((_, j) => row.reduce((sum, a, k) => sum + a * B[k]![j]!, 0)));
    R = times(
      times(G, R),
      G[0]!.map((_, j) => G.map((row) => row[j]!)),
    );
  }
  // Symmetric to the last bit.
  return R.map((row, i) => row.map((_, j) => (R[i]![j]! + R[j]![i]!) / 2));
}

const R = rotated(VALUES);
const environment = { R, optimum: [1, -0.5, 2, 0.3], jmin: 0.01 };
const white = (m: number) =>
  Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_, j) => +(i === j)));

test("the mean of the weights converges below 2 / λmax and diverges above", () => {
  const { mean } = stabilityBounds(R);
  expectClose([mean.limit], [1], 1e-13);
  const deviationAfter = (mu: number, steps: number) => {
    const { meanWeights, learningCurve } = predictPerformance(environment, { mu, steps });
    const last = learningCurve.length - 1;
    return Math.hypot(...environment.optimum.map((w, i) => meanWeights[4 * last + i]! - w));
  };
  // |1 - mu λmax| is 0.98 and 1.02, the start about 2 away: after 300 steps 0.005 and 800. Later the variance, which
  // diverges at both, leaves the range of numbers.
  expect(deviationAfter(0.99 * mean.limit, 300)).toBeLessThan(0.01);
  expect(deviationAfter(1.01 * mean.limit, 300)).toBeGreaterThan(100);
});

test("the four bounds of R with eigenvalues 0.2, 0.5, 1, 2 are 1, 0.541, 0.180 and 0.2885", () => {
  const bounds = stabilityBounds(R);
  expectClose([bounds.meanSquareSafe.limit, bounds.conservative.limit], [2 / 3.7, 2 / 11.1], 1e-14);
  expectClose([bounds.meanSquareGaussian.limit], [golden.gaussianBound[0]!.limit], 1e-13);
  expect(bounds.meanSquareGaussian.limit.toFixed(4)).toBe("0.2885");
});

test("the exact Gaussian bound lies between the conservative and the safe one, whatever the eigenvalues", () => {
  for (const values of [
    [1],
    [1, 1],
    [1, 1e-6],
    [3, 2, 1],
    Array(50).fill(1),
    Array.from({ length: 9 }, (_, i) => 2 ** i),
  ]) {
    const { conservative, meanSquareGaussian, meanSquareSafe, mean } = stabilityBounds(rotated(values));
    expect(meanSquareGaussian.limit).toBeGreaterThanOrEqual(conservative.limit * (1 - 1e-12));
    expect(meanSquareGaussian.limit).toBeLessThan(meanSquareSafe.limit);
    expect(meanSquareSafe.limit).toBeLessThanOrEqual(mean.limit * (1 + 1e-12));
  }
});

test("the predicted variance goes to its end at 0.97 of the exact bound, and beyond all numbers at 1.03", () => {
  const { limit } = stabilityBounds(R).meanSquareGaussian;
  const noiseless = { ...environment, jmin: 0 };
  const below = predictPerformance(noiseless, { mu: 0.97 * limit, steps: 60_000 });
  const above = predictPerformance(noiseless, { mu: 1.03 * limit, steps: 60_000 });
  expect(below.verdict).toBe("stable");
  expect(below.excess.at(-1)).toBeLessThan(1e-100);
  expect(above.verdict).toBe("diverged");
  expect(above.excess.at(-1)).toBeGreaterThan(1e100);
  expect(above.excess.every(Number.isFinite)).toBe(true);
  expect([above.excessMse, above.misadjustment]).toEqual([null, null]);
  // Without noise there is nothing that the excess could be a share of.
  expect([below.excessMse, below.misadjustment]).toEqual([0, null]);
});

test("curves that go beyond all numbers end together, before the steps that were asked for", () => {
  const { limit } = stabilityBounds(R).meanSquareGaussian;
  const { excess, deviation, learningCurve, meanWeights } = predictPerformance(environment, {
    mu: 40 * limit,
    steps: 3000,
  });
  expect(excess.length).toBeGreaterThan(10);
  expect(excess.length).toBeLessThan(3000);
  expect([deviation.length, learningCurve.length]).toEqual([excess.length, excess.length]);
  expect(meanWeights.length).toBe(VALUES.length * excess.length);
  expect([...deviation, ...meanWeights].every(Number.isFinite)).toBe(true);
});

test("stochastic LMS diverges at two thirds of 2 / λmax, where its mean converges, and is stable below the exact bound", () => {
  const bounds = stabilityBounds(R);
  const unstable = simulate(environment, { mu: 0.66 * bounds.mean.limit, steps: 3000, runs: 50 });
  expect([unstable.verdict, unstable.divergedRuns]).toEqual(["diverged", 50]);
  expect(unstable.misadjustment).toBe(null);
  // Between the two bounds single runs burst and calm down again: the mean tells.
  const bursting = simulate(environment, {
    mu: 1.5 * bounds.meanSquareGaussian.limit,
    steps: 3000,
    runs: 50,
  });
  expect([bursting.verdict, bursting.excessMse]).toEqual(["diverged", null]);
  const stable = simulate(environment, { mu: 0.6 * bounds.meanSquareGaussian.limit, steps: 3000, runs: 50 });
  expect(stable.verdict).toBe("stable");
});

test("the bounds of the AR(1) example with 32 taps: 2 / tr R is 0.0625, the exact one 0.0565", () => {
  const toeplitz = Array.from({ length: 32 }, (_, i) =>
    Array.from({ length: 32 }, (_, j) => 0.5 ** Math.abs(i - j)),
  );
  const bounds = stabilityBounds(toeplitz);
  expectClose([bounds.meanSquareSafe.limit], [0.0625], 1e-15);
  expectClose([bounds.meanSquareGaussian.limit], [golden.ar1.limit], 1e-14);
  expectClose([bounds.mean.limit], [2 / golden.ar1.largest], 1e-13);
});

test("the misadjustments are mu tr R / 2, mu tr R / (2 - mu tr R) and η / (1 - η)", () => {
  const at = (mu: number) => lmsMisadjustment(R, mu);
  expectClose([at(0.005).smallStep, at(0.05).better!], [0.00925, 0.185 / 1.815], 1e-14);
  const rounded = [0.005, 0.02, 0.05, 0.1].map((mu) => at(mu).gaussian!.toFixed(4));
  expect(rounded).toEqual(["0.0094", "0.0396", "0.1108", "0.2773"]);
  // Beyond their limits they have no value: 2 / tr R = 0.54 and 0.2885.
  expect([at(0.3).gaussian, at(0.6).better]).toEqual([null, null]);
  expect(at(0.3).better).toBeGreaterThan(1);
  // The AR(2) case of the textbooks.
  const ar2 = [
    [0.9259, 0.463],
    [0.463, 0.9259],
  ];
  expectClose([lmsMisadjustment(ar2, 0.05).smallStep], [0.046295], 1e-14);
});

test("simulated LMS has the exact Gaussian misadjustment, at every step size", () => {
  for (const mu of [0.005, 0.02, 0.05, 0.1]) {
    // Settled after 16 of the longest time constants of the MSE, 1 / (2 mu 0.2): e^-16 = 1e-7 of the start is left.
    const settled = Math.ceil(40 / mu);
    const predicted = predictPerformance(environment, { mu, steps: 1 });
    const measured = simulate(environment, { mu, steps: settled + 4000, settled, runs: 200 });
    const error = measured.standardErrors.misadjustment!;
    expect(error / predicted.misadjustment!).toBeLessThan(0.02);
    expect(Math.abs(measured.misadjustment! - predicted.misadjustment!)).toBeLessThan(NORMAL_LIMIT * error);
    expectClose([predicted.excessMse!], [predicted.misadjustment! * environment.jmin], 1e-17);
    expectClose([measured.excessMse!], [measured.misadjustment! * environment.jmin], 1e-17);
    // The cheaper formulas are below it, by more than the measurement leaves open where the step is large.
    const { smallStep, better } = lmsMisadjustment(R, mu);
    expect(smallStep).toBeLessThan(better!);
    expect(better).toBeLessThan(predicted.misadjustment!);
    if (mu >= 0.05) expect(measured.misadjustment! - better!).toBeGreaterThan(NORMAL_LIMIT * error);
  }
}, 30_000);

test("the predicted learning curve is the simulated one at every step, within the error of the ensemble", () => {
  const options = { mu: 0.05, steps: 200 };
  const predicted = predictPerformance(environment, options);
  const measured = simulate(environment, { ...options, runs: 4000 });
  expect(Object.keys(measured)).toEqual(expect.arrayContaining(Object.keys(predicted)));
  for (let n = 0; n <= 200; n++) {
    for (const curve of ["learningCurve", "excess"] as const) {
      const error = measured.standardErrors[curve][n]!;
      // Nothing is left to chance before the first step.
      const distance = Math.abs(measured[curve][n]! - predicted[curve][n]!);
      expect(distance).toBeLessThanOrEqual(NORMAL_LIMIT * error + 1e-12);
      // 4000 heavy-tailed squares: the ensemble must be worth comparing with.
      expect(error).toBeLessThan(0.06 * measured[curve][n]!);
    }
    // ‖w - w*‖² is at most the excess by λmin, and as uncertain.
    const bound = (NORMAL_LIMIT * measured.standardErrors.excess[n]!) / 0.2 + 1e-12;
    expect(Math.abs(measured.deviation[n]! - predicted.deviation[n]!)).toBeLessThan(bound);
    for (let i = 0; i < 4; i++) {
      // The variance of a weight is at most the mean-square deviation.
      const limit = NORMAL_LIMIT * Math.sqrt(predicted.deviation[n]! / 4000) + 1e-12;
      expect(Math.abs(measured.meanWeights[4 * n + i]! - predicted.meanWeights[4 * n + i]!)).toBeLessThan(
        limit,
      );
    }
  }
}, 30_000);

test("the predicted curve starts at the surface of the start and ends at Jmin (1 + M)", () => {
  const predicted = predictPerformance(environment, { mu: 0.05, steps: 2000, weights: [1, 0, 0, 0] });
  const v = [0, 0.5, -2, -0.3];
  let surface = 0.01;
  for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) surface += v[i]! * R[i]![j]! * v[j]!;
  expectClose([predicted.learningCurve[0]!], [surface], 1e-14);
  expectClose([predicted.learningCurve.at(-1)!], [0.01 * (1 + predicted.misadjustment!)], 1e-12);
  expectClose([predicted.deviation[0]!], [v.reduce((sum, x) => sum + x * x, 0)], 1e-14);
  expectClose(predicted.meanWeights.slice(-4), environment.optimum, 1e-8); // (1 - 0.05 · 0.2)^2000 = 2e-9
});

test("weights forget their start with 1 / (mu λ), the MSE with half of that: slopes of simulated curves", () => {
  const mu = 0.005;
  const { weights, mse } = timeConstants(R, mu);
  expectClose(weights as number[], [1000, 400, 200, 100], 1e-10);
  expectClose(mse as number[], [500, 200, 100, 50], 1e-10);
  // A start far away, so that the curves are well above where they settle.
  const far = { ...environment, optimum: [100, -80, 120, 90] };
  const predicted = predictPerformance(far, { mu, steps: 3000 });
  const measured = simulate(far, { mu, steps: 3000, settled: 2900, runs: 1000 });
  for (let i = 0; i < 4; i++) {
    // To first order in mu: the mean falls by (1 - mu λ), off by mu λ / 2 of the constant; the power by
    // 1 - 2 mu λ + 2 (mu λ)² and what flows in from the other modes, mu² λ_i Σ λ_j k_j, a few mu λ_i.
    expect(Math.abs(measured.timeConstants.weights[i]! / weights[i]! - 1)).toBeLessThan(0.05);
    expect(Math.abs(measured.timeConstants.mse[i]! / mse[i]! - 1)).toBeLessThan(0.1);
  }
  expect(predicted.timeConstants).toEqual({ weights, mse });
}, 30_000);

test("a direction that no input excites has no time constant", () => {
  expect(
    timeConstants(
      [
        [1, 0],
        [0, 0],
      ],
      0.1,
    ),
  ).toEqual({ weights: [null, 10], mse: [null, 5] });
});

test("NLMS with white Gaussian input has the misadjustment mu / (2 - mu) · M / (M - 2)", () => {
  for (const M of [4, 8]) {
    for (const mu of [0.2, 0.5, 1]) {
      const exact = ((mu / (2 - mu)) * M) / (M - 2);
      expectClose([nlmsMisadjustment(white(M), mu)!], [exact], 1e-12);
      const measured = simulate(
        { R: white(M), optimum: Array.from({ length: M }, (_, i) => i), jmin: 0.01 },
        { mu, rule: nlms({ mu }), steps: 5000, settled: 1000, runs: 120 },
      );
      // At M = 4 the variance of 1/‖x‖² is infinite and the normal limit a rule of thumb, at M = 8 it holds. That
      // mu / (2 - mu) alone lacks a factor of 2 and of 1.33 is far beyond either.
      const error = measured.standardErrors.misadjustment!;
      expect(Math.abs(measured.misadjustment! - exact)).toBeLessThan(NORMAL_LIMIT * error);
      expect(error).toBeLessThan(0.03 * exact);
    }
  }
  expect(nlmsMisadjustment(white(2), 0.5)).toBe(null);
  expectClose([nlmsMisadjustment(white(64), 1)!], [64 / 62], 1e-12);
}, 30_000);

test("NLMS is stable for mu in (0, 2), whatever the input: at 1.9 its errors settle, beyond 2 they grow", () => {
  const measured = simulate(environment, { mu: 1.9, rule: nlms({ mu: 1.9 }), steps: 4000, runs: 20 });
  expect(measured.verdict).toBe("stable");
  // Beyond 2 the rule refuses; LMS on rows of length 1 is the same rule.
  const rows = Array.from({ length: 50 }, (_, k) => [Math.cos(k), Math.sin(k)]);
  const d = rows.map(([a, b]) => a! + b!);
  expect(runFilter(lms({ mu: 1.9 }), rows, d, { epochs: 100 }).verdict).toBe("done");
  expect(runFilter(lms({ mu: 2.1 }), rows, d, { epochs: 100 }).verdict).toBe("diverged");
});

test("RLS has the misadjustment M (1 - λ) / (1 + λ), whatever the correlation", () => {
  const lambda = 0.99;
  const exact = rlsMisadjustment(4, lambda);
  expectClose([exact], [0.04 / 1.99], 1e-15);
  for (const correlation of [white(4), R]) {
    const measured = simulate(
      { ...environment, R: correlation },
      { mu: 1, rule: rls({ lambda }), steps: 5000, settled: 1500, runs: 120 },
    );
    // The formula is of first order in 1 - λ: the next term is about (M + 1)(1 - λ) / 2 of it, 2.5 %.
    const error = measured.standardErrors.misadjustment!;
    expect(Math.abs(measured.misadjustment! - exact)).toBeLessThan(NORMAL_LIMIT * error + 0.025 * exact);
    expect(error).toBeLessThan(0.02 * exact);
  }
}, 30_000);

test("simulations are the same for the same seed, and others for another", () => {
  const options = { mu: 0.05, steps: 50, runs: 10 };
  expect(simulate(environment, options)).toEqual(simulate(environment, options));
  expect(simulate(environment, { ...options, seed: 1 }).excess).not.toEqual(
    simulate(environment, options).excess,
  );
});

test("what is no correlation matrix is refused", () => {
  expect(() =>
    stabilityBounds([
      [1, 2],
      [0, 1],
    ]),
  ).toThrow("stabilityBounds: R: expected a symmetric matrix, got 0 at (1, 0) and 2 at (0, 1)");
  expect(() =>
    lmsMisadjustment(
      [
        [1, 2],
        [2, 1],
      ],
      0.1,
    ),
  ).toThrow(
    "lmsMisadjustment: R: expected a positive semidefinite matrix that is not 0, got eigenvalues from",
  );
  expect(() => predictPerformance(environment, { mu: 0, steps: 1 })).toThrow(
    "predict: mu: expected a positive number, got 0",
  );
  expect(() => simulate({ ...environment, optimum: [1] }, { mu: 1, steps: 1 })).toThrow(
    "simulate: optimum: expected an array of 4 numbers, got an array of length 1",
  );
  expect(() => predictPerformance({ ...environment, jmin: -1 }, { mu: 1, steps: 1 })).toThrow(
    "predict: jmin: expected a number, at least 0, got -1",
  );
});
