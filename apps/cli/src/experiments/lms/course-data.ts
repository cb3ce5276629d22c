import { learningCurves } from "@gradlab/figures";
import { courseData as generate, leastSquares, lms, run } from "@gradlab/lms";
import { learningCurveOf } from "../../learning-curve.js";
import { check, type Experiment } from "../experiment.js";
import { choleskySolve } from "./cholesky-solve.js";

/** Data sets over which the smallest error is averaged. */
const ensemble = 2000;

/** A line through noisy data, at once and step by step. */
export const courseData: Experiment = {
  id: "lms/course-data",
  title: "LMS finds the weights that least squares computes",
  about:
    "100 rows [1, x1, x2] with target 1 + x1 − 2 x2 and noise of standard deviation 0.01. The Wiener solution (QR) is " +
    "compared with the normal equations solved by Cholesky; its error, ½ of the mean of e², averages σ²(K − 3)/2K over " +
    "data sets, because three weights are fitted. LMS comes to the same weights from zero, one sample at a time.",
  async run({ document, seed }) {
    const { X, d, weights: made, noise } = generate({ seed });
    const fit = leastSquares(X, d);
    const learned = run(lms({ mu: 0.01 }), X, d, { epochs: 20 });
    let mean = 0;
    for (let i = 0; i < ensemble; i++) {
      const other = generate({ seed: seed + i });
      mean += leastSquares(other.X, other.d).mse / ensemble;
    }
    const freedom = X.rows - X.columns;
    const expected = (noise ** 2 * freedom) / (2 * X.rows);
    // Σe²/σ² has the chi-squared distribution: variance 2 (K - 3). Five standard errors of the mean.
    const tolerance = (5 * noise ** 2 * Math.sqrt((2 * freedom) / ensemble)) / (2 * X.rows);
    return {
      checks: [
        check(
          "Wiener solution, against the normal equations by Cholesky",
          choleskySolve(X, d),
          [...fit.weights],
          1e-10,
        ),
        check("Wiener solution, against the weights that made the data", [...made], [...fit.weights], 0.005),
        check(
          `error of the Wiener solution, mean over ${ensemble} data sets`,
          expected,
          mean,
          Number(tolerance.toPrecision(3)),
        ),
        check(
          "LMS after 20 epochs at μ = 0.01, against the Wiener solution",
          [...fit.weights],
          [...learned.weights],
          0.01,
        ),
      ],
      figures: [
        {
          svg: learningCurves([learningCurveOf("μ = 0.01", { X, d }, learned)], {
            document,
            floor: { name: "Wiener solution", error: fit.mse },
          }),
          caption:
            "The error of LMS over all rows after every epoch, and the smallest one that any weights have.",
        },
      ],
    };
  },
};
