import { learningCurves } from "@gradlab/figures";
import { courseData as generate, leastSquares, lms, run } from "@gradlab/lms";
import { check, learningCurveOf } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { choleskySolve } from "./cholesky-solve.js";

/** Data sets over which the smallest error is averaged. */
const ensemble = 2000;

/** A line through noisy data, at once and step by step. */
export const courseData = defineExperiment({
  id: "lms/course-data",
  title: "LMS finds the weights that least squares computes",
  about:
    "100 rows [1, x1, x2] with target 1 + x1 − 2 x2 and noise of standard deviation 0.01. The Wiener solution (QR) is " +
    "compared with the normal equations solved by Cholesky; its error, ½ of the mean of e², averages σ²(K − 3)/2K over " +
    "data sets, because three weights are fitted. LMS comes to the same weights from zero, one sample at a time.",
  // biome-ignore lint/correctness/useYield: all at once
  async *run({ seed }) {
    const { X, d, weights: made, noise } = generate({ seed });
    const fit = leastSquares(X, d);
    const learned = run(lms({ mu: 0.01 }), X, d, { epochs: 20 });
    let mean = 0;
    for (let i = 0; i < ensemble; i++) {
      const other = generate({ seed: seed + i });
      mean += leastSquares(other.X, other.d).mse / ensemble;
    }
    const freedom = X.rows - X.columns;
    return {
      made: [...made],
      wiener: [...fit.weights],
      cholesky: choleskySolve(X, d),
      learned: [...learned.weights],
      mse: fit.mse,
      mean,
      expected: (noise ** 2 * freedom) / (2 * X.rows),
      // Σe²/σ² has the chi-squared distribution: variance 2 (K - 3). Five standard errors of the mean.
      tolerance: (5 * noise ** 2 * Math.sqrt((2 * freedom) / ensemble)) / (2 * X.rows),
      curve: learningCurveOf("μ = 0.01", { X, d }, learned),
    };
  },
  checks: ({ made, wiener, cholesky, learned, mean, expected, tolerance }) => [
    check("Wiener solution, against the normal equations by Cholesky", cholesky, wiener, 1e-10),
    check("Wiener solution, against the weights that made the data", made, wiener, 0.005),
    check(
      `error of the Wiener solution, mean over ${ensemble} data sets`,
      expected,
      mean,
      Number(tolerance.toPrecision(3)),
    ),
    check("LMS after 20 epochs at μ = 0.01, against the Wiener solution", wiener, learned, 0.01),
  ],
  figures: ({ curve, mse }, { document }) => [
    {
      svg: learningCurves([curve], { document, floor: { name: "Wiener solution", error: mse } }),
      caption:
        "The error of LMS over all rows after every epoch, and the smallest one that any weights have.",
    },
  ],
});
