import { expect, test } from "vitest";
import { kroneckerGradient, numericalGradient, twoLayerGradient } from "../src/backprop.js";
import {
  affineProjection,
  courseData,
  gate,
  initMadaline,
  lms,
  madalineRule1,
  madalineRule2,
  nlms,
  perceptron,
  randomMadalineSearch,
  restartMadalineRule2,
  rls,
  runFilter,
  simulate,
  sweep,
  trainAdaline,
  truthTable,
} from "../src/index.js";
import { expectClose } from "./close.js";

/*
 * What an option is that is not given, as the docstrings say, and that those that are given count: seeds first of all.
 */

const X = truthTable(3);
const T = { rows: 8, columns: 1, data: gate("xor", 3) };
const noisy = courseData({ noise: 1 });
const white = {
  R: [
    [1, 0],
    [0, 2],
  ],
  optimum: [1, -0.5],
  jmin: 1.5,
};
const nets = { W1: [[1, 2]], b1: [0.5], W2: [[3], [1]], b2: [0, 1] };

/** What is called, with which options, the defaults as they are documented, and other values. */
// biome-ignore format: a table
const cases: readonly (readonly [string, (options: never) => unknown, object, readonly object[]])[] = [
  ["affineProjection", (o: object) => runFilter(affineProjection({ mu: 0.5, order: 2, ...o }), noisy.X, noisy.d).weights, { epsilon: 0 }, [{ epsilon: 1 }]],
  ["nlms", (o: object) => runFilter(nlms({ mu: 0.5, ...o }), noisy.X, noisy.d).weights, { epsilon: 0 }, [{ epsilon: 1 }]],
  ["perceptron", (o: object) => runFilter(perceptron(o), noisy.X, noisy.d.map(Math.sign)).weights, { rate: 1 }, [{ rate: 2 }]],
  ["rls", (o: object) => runFilter(rls({ lambda: 0.9, ...o }), noisy.X, noisy.d, { trajectory: true }).trajectory, { delta: 0.01 }, [{ delta: 0.02 }]],
  ["run", (o: object) => runFilter(lms({ mu: 1.2 }), noisy.X, noisy.d, o), { epochs: 1, divergence: 1e8, trajectory: false }, [{ divergence: 1e6 }, { trajectory: true }]],
  ["run, stable", (o: object) => runFilter(lms({ mu: 0.01 }), noisy.X, noisy.d, o).errors, { epochs: 1 }, [{ epochs: 2 }, { weights: [1, 1, 1] }]],
  ["courseData", (o: object) => courseData(o), { seed: 0, count: 100, weights: [1, 1, -2], noise: 0.01 }, [{ seed: 1 }, { count: 99 }, { weights: [1, 1, 2] }, { noise: 0.02 }]],
  ["initMadaline", (o: object) => initMadaline([2, 2, 1], o), { seed: 0, index: 0, scale: 0.5 }, [{ seed: 1 }, { index: 1 }, { scale: 1 }]],
  ["madalineRule1", (o: object) => madalineRule1(initMadaline([3, 1, 1]), X, T, { logic: "majority", ...o }), { rate: 0.5, epochs: 100, seed: 0 }, [{ rate: 0.6 }, { epochs: 99 }, { seed: 1 }]],
  ["madalineRule2", (o: object) => madalineRule2(initMadaline([3, 2, 1]), X, T, o), { rate: 0.3, epochs: 100, flips: 2, seed: 0 }, [{ rate: 0.4 }, { epochs: 99 }, { flips: 1 }, { seed: 1 }, { maxEvaluations: 100 }]],
  ["restartMadalineRule2", (o: object) => restartMadalineRule2([3, 2, 1], X, T, o), { starts: 11, seed: 0, epochs: 30 }, [{ starts: 10 }, { seed: 1 }, { epochs: 29 }, { rate: 0.1 }, { maxEvaluations: 100 }]],
  ["randomMadalineSearch", (o: object) => randomMadalineSearch([2, 2, 1], truthTable(2), { rows: 4, columns: 1, data: gate("xor", 2) }, { maxEvaluations: 5000, ...o }), { seed: 0 }, [{ seed: 1 }]],
  ["simulate", (o: object) => simulate(white, { mu: 0.05, steps: 21, ...o }), { runs: 200, settled: 10, seed: 0, weights: [0, 0] }, [{ runs: 199 }, { settled: 11 }, { settled: 9 }, { seed: 1 }, { weights: [1, 0] }, { rule: nlms({ mu: 0.5 }) }]],
  ["sweep", (o: object) => sweep(noisy.X, noisy.d, { mus: [0.01], ...o }), { epochs: 20, maxEpochs: 10_000 }, [{ epochs: 21 }]],
  ["sweep without a verdict", (o: object) => sweep(noisy.X, noisy.d, { mus: [1e-7], ...o }), { epochs: 20, maxEpochs: 10_000 }, [{ maxEpochs: 9999 }]],
  ["trainAdaline", (o: object) => trainAdaline(perceptron(), truthTable(2), gate("xor", 2), o), { epochs: 1000, weights: [0, 0, 0] }, [{ epochs: 999 }, { weights: [1, 0, 0] }]],
  ["numericalGradient", (o: object) => numericalGradient(nets, [[1], [2]], [[1], [2]], { activation: "sigmoid", ...o }), { layout: "denominator", method: "dual" }, [{ layout: "numerator" }, { method: "central-difference" }]],
  ["numericalGradient by differences", (o: object) => numericalGradient(nets, [[1], [2]], [[1], [2]], { activation: "sigmoid", method: "central-difference", ...o }), { step: 1e-5 }, [{ step: 1e-4 }]],
  ["twoLayerGradient", (o: object) => twoLayerGradient(nets, [[1], [2]], [[1], [2]], { activation: "sigmoid", ...o }), { layout: "denominator" }, [{ layout: "numerator" }]],
  ["kroneckerGradient", (o: object) => kroneckerGradient(nets, [[1], [2]], [[1], [2]], { activation: "sigmoid", ...o }), { layout: "denominator" }, [{ layout: "numerator" }]],
];

test.each(cases)(
  "%s: options that are not given have their documented values, others count",
  (_, call, documented, others) => {
    const bare = call({} as never);
    expect(call(documented as never)).toEqual(bare);
    for (const other of others) expect(call(other as never), JSON.stringify(other)).not.toEqual(bare);
  },
);

test("after one sample RLS has the weight that its formula gives, with 0.01 of its start", () => {
  // (d - w x)² + lambda · 0.01 (w - w₀)², smallest at w = (x d + lambda · 0.01 w₀) / (x² + lambda · 0.01)
  const [x, d, lambda, w0] = [0.1, 1, 0.5, 2];
  const { weights } = runFilter(rls({ lambda }), [[x]], [d], { weights: [w0] });
  expectClose(weights, [(x * d + lambda * 0.01 * w0) / (x * x + lambda * 0.01)], 1e-15 * 10);
});

test("the settled steps of a simulation are its second half, or those from `settled` on", () => {
  const tail = ({ excess }: { excess: Float64Array }, from: number) =>
    excess.slice(from).reduce((sum, value) => sum + value, 0) / (excess.length - from);
  for (const [steps, settled, from] of [
    [21, undefined, 10],
    [20, undefined, 10],
    [20, 0, 0],
    [20, 20, 20],
    [1, undefined, 0],
  ] as const) {
    const result = simulate(white, { mu: 0.05, steps, runs: 20, ...(settled !== undefined && { settled }) });
    expect(result.excess).toHaveLength(steps + 1);
    expectClose([result.excessMse! / tail(result, from)], [1], 1e-12);
    expect(result.misadjustment).toBeCloseTo(result.excessMse! / 1.5, 12);
  }
});
