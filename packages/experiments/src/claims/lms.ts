import { learningCurves, matrixGrid } from "@gradlab/figures";
import {
  gate,
  leastSquares,
  linearSeparation,
  predictPerformance,
  simulate,
  stabilityBounds,
  truthTable,
} from "@gradlab/lms";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

/** Inputs of variance 1 without correlation: every eigenvalue is 1, and theory has short answers. */
const inputs = 10;
const R = Array.from({ length: inputs }, (_, i) => Array.from({ length: inputs }, (_, j) => +(i === j)));
const environment = { R, optimum: new Array<number>(inputs).fill(1), jmin: 0.01 };

/** Claims about LMS and least squares. */
export const lmsClaims = defineExperiment({
  id: "claims/lms",
  title: "Claims about LMS and least squares, examined",
  about:
    "“LMS is stable for steps up to 2/λmax.” That bound is of the mean of the weights. For independent Gaussian inputs of " +
    `variance 1, ${inputs} of them, the mean squared error stays finite below 2/(${inputs} + 2) = 0.1667 only, a twelfth of 2/λmax = 2: ` +
    "runs of either side are simulated. “Least squares solves every gate that one neuron can compute.” One neuron computes AND of four inputs; " +
    "the least-squares weights are wrong on the row where all are true, and tie there for three inputs.",
  async *run({ seed }) {
    const bounds = stabilityBounds(R);
    const limit = bounds.meanSquareGaussian.limit;
    const mus = [0.5 * limit, 0.9 * limit, 1.5 * limit, 3 * limit];
    const steps = 600;
    return {
      limits: { mean: bounds.mean.limit, meanSquare: limit },
      rows: mus.map((mu) => {
        const exact = predictPerformance(environment, { mu, steps: 100 });
        return {
          mu,
          // Of the mean of the weights: |1 − μλ| < 1.
          meanFactor: Math.abs(1 - mu),
          verdict: simulate(environment, { mu, steps, runs: 40, seed }).verdict,
          curve: Array.from(exact.learningCurve),
          diverged: exact.verdict === "diverged",
        };
      }),
      gates: [2, 3, 4].map((n) => {
        const X = truthTable(n);
        const t = gate("and", n);
        const { weights, errors } = leastSquares(X, t);
        const separation = linearSeparation(X, t);
        const last = X.rows - 1;
        return {
          n,
          separable: separation.separable,
          weights: [...weights],
          separating: separation.separable ? [...separation.weights] : [],
          // The sum on the row where all are true: it should be above 0.
          sum: t[last]! - errors[last]!,
        };
      }),
    };
  },
  checks: ({ limits, rows, gates }) => [
    check(
      "2/λmax, and the limit of the mean squared error",
      [2, 2 / (inputs + 2)],
      [limits.mean, limits.meanSquare],
      1e-12,
    ),
    check(
      "step sizes 0.5, 0.9, 1.5 and 3 times that limit, all below 2/λmax: simulated to be stable",
      [1, 1, 0, 0],
      rows.map(({ verdict }) => +(verdict === "stable")),
    ),
    check(
      "the mean of the weights converges for all of them: |1 − μλ| < 1",
      [1, 1, 1, 1],
      rows.map(({ meanFactor }) => +(meanFactor < 1)),
    ),
    check(
      "AND of 2, 3, 4 inputs: one neuron computes it",
      [1, 1, 1],
      gates.map(({ separable }) => +separable),
    ),
    // By orthogonality of ±1 columns: bias (2 − 2ⁿ)/2ⁿ, every other weight 2/2ⁿ, and their sum (2 − 2ⁿ + 2n)/2ⁿ.
    check(
      "AND of four: least-squares weights",
      [-14 / 16, 2 / 16, 2 / 16, 2 / 16, 2 / 16],
      gates[2]!.weights,
      1e-14,
    ),
    check(
      "least-squares sum where all are true: right, tied, wrong",
      [2 / 4, 0, -6 / 16],
      gates.map(({ sum }) => sum),
      1e-14,
    ),
  ],
  figures: ({ rows, gates }, { document }) => [
    {
      svg: learningCurves(
        rows.map(({ mu, curve, diverged }) => ({
          name: `μ = ${Number(mu.toPrecision(3))}`,
          points: curve.map((error, n) => [n, error]),
          diverged,
        })),
        {
          document,
          timeLabel: "update",
          errorLabel: "mean squared error",
          floor: { name: "smallest", error: environment.jmin },
        },
      ),
      caption:
        "The mean squared error of four steps, all below 2/λmax = 2, by the exact recursion for Gaussian inputs. From μ = 0.167 on it grows.",
    },
    {
      svg: matrixGrid(
        gates.map(({ n, weights }) => ({
          label: `AND of ${n}`,
          rows: [weights.map((weight) => Number(weight.toFixed(3)) + 0)],
        })),
        { document, cell: 48 },
      ),
      caption:
        "Least-squares weights, bias first. All inputs true gives the sum of the row: 0.5, then 0, then −0.375.",
    },
  ],
});
