import { curvesOverPoints, fittedPlanes, learningCurves } from "@gradlab/figures";
import { courseData as generate, leastSquares, lms, runFilter } from "@gradlab/lms";
import { check, learningCurveOf } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { batchPath, levelEllipses, pathInClosedForm } from "./batch-paths.js";
import { choleskySolve } from "./cholesky-solve.js";

/** Data sets over which the smallest error is averaged. */
const ensemble = 2000;

/** Rows whose mean gradient makes a step. */
const batchSizes = [1, 10, 100];
const pathMu = 0.1;
const pathSteps = 100;

/** A line through noisy data, at once and step by step. */
export const courseData = defineExperiment({
  id: "lms/course-data",
  title: "LMS finds the weights that least squares computes",
  about:
    "100 rows [1, x1, x2] with target 1 + x1 − 2 x2 and noise of standard deviation 0.01. The Wiener solution (QR) is " +
    "compared with the normal equations solved by Cholesky; its error, ½ of the mean of e², averages σ²(K − 3)/2K over " +
    "data sets, because three weights are fitted. LMS comes to the same weights from zero, one sample at a time. Steps " +
    "along the mean gradient of 10 rows, or of all, go the same way more smoothly: of all rows along w* + (I − μR)ⁿ(w₀ − w*).",
  async *run({ seed }) {
    const { X, d, weights: made, noise } = generate({ seed });
    const fit = leastSquares(X, d);
    const learned = runFilter(lms({ mu: 0.01 }), X, d, { epochs: 20 });
    let mean = 0;
    for (let i = 0; i < ensemble; i++) {
      const other = generate({ seed: seed + i });
      mean += leastSquares(other.X, other.d).mse / ensemble;
    }
    const paths = batchSizes.map((size) => ({
      size,
      path: batchPath({ X, d, mu: pathMu, size, steps: pathSteps }),
    }));
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
      paths,
      alone: [...runFilter(lms({ mu: pathMu }), X, d, { epochs: 1 }).weights],
      closed: pathInClosedForm({ X, d, mu: pathMu, steps: pathSteps }),
      levels: levelEllipses(X, fit.weights),
      rows: Array.from(d, (target, k) => [X.data[3 * k + 1]!, X.data[3 * k + 2]!, target] as const),
      curve: learningCurveOf("μ = 0.01", { X, d }, learned),
    };
  },
  checks: ({ made, wiener, cholesky, learned, mean, expected, tolerance, paths, alone, closed }) => [
    check("Wiener solution, against the normal equations by Cholesky", cholesky, wiener, 1e-10),
    check("Wiener solution, against the weights that made the data", made, wiener, 0.005),
    check(
      `error of the Wiener solution, mean over ${ensemble} data sets`,
      expected,
      mean,
      Number(tolerance.toPrecision(3)),
    ),
    check("LMS after 20 epochs at μ = 0.01, against the Wiener solution", wiener, learned, 0.01),
    check(
      `steps along single rows, after ${pathSteps}: the weights of LMS after an epoch`,
      alone,
      paths[0]!.path.at(-1)!,
      1e-12,
    ),
    check(
      `steps along all rows, after ${pathSteps}: w* + (I − μR)ⁿ(w₀ − w*) by eigenvectors`,
      closed,
      paths[2]!.path.at(-1)!,
      1e-12,
    ),
  ],
  figures: ({ curve, mse, rows, wiener, learned, paths, levels }, { document }) => [
    {
      svg: learningCurves([curve], { document, floor: { name: "Wiener solution", error: mse } }),
      caption:
        "The error of LMS over all rows after every epoch, and the smallest one that any weights have.",
    },
    {
      svg: fittedPlanes(rows, [plane("Wiener solution", wiener), plane("LMS, 20 epochs", learned)], {
        document,
      }),
      caption: "The data under the level lines of both models: they lie on each other.",
    },
    {
      svg: curvesOverPoints(
        [[wiener[1]!, wiener[2]!]],
        [
          ...levels.map((points) => ({ points, dashed: true }) as const),
          ...paths.map(({ size, path }) => ({
            name: size === 1 ? "single rows" : size === 10 ? "10 rows" : "all rows",
            points: path.map((w) => [w[1]!, w[2]!] as const),
          })),
        ],
        {
          document,
          height: 420,
          xLabel: "weight of x1",
          yLabel: "weight of x2",
          pointsName: "Wiener solution",
          domain: [-2.5, 0.2],
        },
      ),
      caption: `${pathSteps} steps of μ = ${pathMu} from zero, along the gradient of one row, the mean of 10 and the mean of all. Dashed: weights of equal error, the bias at its best.`,
    },
  ],
});

function plane(name: string, [bias, a, b]: readonly number[]) {
  return { name, bias: bias!, slopes: [a!, b!] as const };
}
