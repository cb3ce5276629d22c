import { learningCurves } from "@gradlab/figures";
import {
  courseData,
  cyclicBound,
  leastSquares,
  lms,
  moments,
  run,
  stabilityBounds,
  sweep,
} from "@gradlab/lms";
import { learningCurveOf } from "../../learning-curve.js";
import { check, type Experiment } from "../experiment.js";

const mus = [0.005, 0.01, 0.05, 0.5, 0.7, 1];

/** How large a step may be, by simulation and by four bounds. */
export const stepSizes: Experiment = {
  id: "lms/step-sizes",
  title: "How large a step LMS can take",
  about:
    "Small steps are slow; large ones end higher, or diverge. Passes over a finite data set converge exactly when the " +
    "spectral radius of Π(I − μ x xᵀ) is below 1: runs that are continued until they settle or blow up agree with it. " +
    "The three stochastic bounds need not: the bound of the mean says nothing about the variance of the weights; " +
    "2/tr R ignores fourth moments; the Gaussian one holds for endless fresh samples, whose rare large ones a set of " +
    "100 rows does not have.",
  async run({ document, seed }) {
    const { X, d } = courseData({ seed });
    const rows = sweep(X, d, { mus, epochs: 20 });
    const bounds = stabilityBounds(moments(X, d).R);
    const cyclic = cyclicBound(X).limit;
    const stable = rows.filter(({ limit }) => limit !== null);
    const below = (limit: number) => mus.filter((mu) => mu < limit);
    const missed = (
      [
        ["2/λmax", bounds.mean.limit],
        ["2/tr R", bounds.meanSquareSafe.limit],
        ["Gaussian", bounds.meanSquareGaussian.limit],
      ] as const
    ).map(([name, limit]) => {
      const wrong = rows.filter(({ mu, verdict }) => mu < limit !== (verdict === "converges"));
      const text =
        wrong.length === 0 ? "right for all" : `wrong for μ = ${wrong.map(({ mu }) => mu).join(", ")}`;
      return `${name} = ${limit.toFixed(3)}, ${text}`;
    });
    return {
      checks: [
        check(
          "step sizes that converge: spectral radius below 1, and simulated",
          rows.filter(({ radius }) => radius < 1).map(({ mu }) => mu),
          rows.filter(({ verdict }) => verdict === "converges").map(({ mu }) => mu),
        ),
        check(
          "step sizes that diverge: spectral radius 1 or more, and simulated",
          rows.filter(({ radius }) => radius >= 1).map(({ mu }) => mu),
          rows.filter(({ verdict }) => verdict === "diverges").map(({ mu }) => mu),
        ),
        check(
          "step sizes below the cyclic bound, and simulated to converge",
          below(cyclic),
          rows.filter(({ verdict }) => verdict === "converges").map(({ mu }) => mu),
        ),
        ...stable.map(({ mu, limit }) =>
          check(
            `where passes with μ = ${mu} end: the weights that a pass leads back to`,
            [...limit!],
            [...run(lms({ mu }), X, d, { weights: limit! }).weights],
            1e-10,
          ),
        ),
      ],
      figures: [
        {
          svg: learningCurves(
            rows.map(({ mu, run: result, verdict }) => ({
              ...learningCurveOf(`μ = ${mu}`, { X, d }, result),
              diverged: verdict === "diverges",
            })),
            { document, floor: { name: "Wiener solution", error: leastSquares(X, d).mse } },
          ),
          caption:
            `The error over all rows by epoch. Stable by spectral radius: μ < ${cyclic.toFixed(4)}. Of the bounds made for ` +
            `random inputs: ${missed.join("; ")}.`,
        },
      ],
    };
  },
};
