import { learningCurves } from "@gradlab/figures";
import {
  courseData,
  cyclicBound,
  inputMoments,
  leastSquares,
  lms,
  runFilter,
  stabilityBounds,
  sweep,
} from "@gradlab/lms";
import { check, learningCurveOf } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

const mus = [0.005, 0.01, 0.05, 0.5, 0.7, 1];

/** How large a step may be, by simulation and by four bounds. */
export const stepSizes = defineExperiment({
  id: "lms/step-sizes",
  title: "How large a step LMS can take",
  about:
    "Small steps are slow; large ones end higher, or diverge. Passes over a finite data set converge exactly when the " +
    "spectral radius of Π(I − μ x xᵀ) is below 1: runs that are continued until they settle or blow up agree with it. " +
    "The three stochastic bounds need not: the bound of the mean says nothing about the variance of the weights; " +
    "2/tr R ignores fourth moments; the Gaussian one holds for endless fresh samples, whose rare large ones a set of " +
    "100 rows does not have.",
  async *run({ seed }) {
    const { X, d } = courseData({ seed });
    const bounds = stabilityBounds(inputMoments(X, d).R);
    return {
      cyclic: cyclicBound(X).limit,
      bounds: [
        { name: "2/λmax", limit: bounds.mean.limit },
        { name: "2/tr R", limit: bounds.meanSquareSafe.limit },
        { name: "Gaussian", limit: bounds.meanSquareGaussian.limit },
      ],
      wienerError: leastSquares(X, d).mse,
      rows: sweep(X, d, { mus, epochs: 20 }).map(({ mu, radius, verdict, limit, run: result }) => ({
        mu,
        radius,
        verdict,
        curve: { ...learningCurveOf(`μ = ${mu}`, { X, d }, result), diverged: verdict === "diverges" },
        // Where the passes end by theory, and the weights that another pass makes of these.
        fixed: limit && {
          limit: [...limit],
          after: [...runFilter(lms({ mu }), X, d, { weights: limit }).weights],
        },
      })),
    };
  },
  checks: ({ cyclic, rows }) => {
    const musOf = (holds: (row: (typeof rows)[number]) => boolean) => rows.filter(holds).map(({ mu }) => mu);
    const converging = musOf(({ verdict }) => verdict === "converges");
    return [
      check(
        "step sizes that converge: spectral radius below 1, and simulated",
        musOf(({ radius }) => radius < 1),
        converging,
      ),
      check(
        "step sizes that diverge: spectral radius 1 or more, and simulated",
        musOf(({ radius }) => radius >= 1),
        musOf(({ verdict }) => verdict === "diverges"),
      ),
      check(
        "step sizes below the cyclic bound, and simulated to converge",
        mus.filter((mu) => mu < cyclic),
        converging,
      ),
      ...rows.flatMap(({ mu, fixed }) =>
        fixed === null
          ? []
          : [
              check(
                `where passes with μ = ${mu} end: the weights that a pass leads back to`,
                fixed.limit,
                fixed.after,
                1e-10,
              ),
            ],
      ),
    ];
  },
  figures: ({ cyclic, bounds, rows, wienerError }, { document }) => {
    const missed = bounds.map(({ name, limit }) => {
      const wrong = rows.filter(({ mu, verdict }) => mu < limit !== (verdict === "converges"));
      const text =
        wrong.length === 0 ? "right for all" : `wrong for μ = ${wrong.map(({ mu }) => mu).join(", ")}`;
      return `${name} = ${limit.toFixed(3)}, ${text}`;
    });
    return [
      {
        svg: learningCurves(
          rows.map(({ curve }) => curve),
          { document, floor: { name: "Wiener solution", error: wienerError } },
        ),
        caption:
          `The error over all rows by epoch. Stable by spectral radius: μ < ${cyclic.toFixed(4)}. Of the bounds made for ` +
          `random inputs: ${missed.join("; ")}.`,
      },
    ];
  },
});
