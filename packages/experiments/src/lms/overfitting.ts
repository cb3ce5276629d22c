import { curvesOverPoints, learningCurves } from "@gradlab/figures";
import { leastSquares } from "@gradlab/lms";
import { normal, randomStream } from "@gradlab/random";
import { check } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { expectedTestError } from "./expected-test-error.js";

/** Samples of a draw, at equal distances from −1 to 1. */
const samples = 15;
const noise = 0.2;
/** Copies of every sample in the augmented data, each moved along x by noise of this standard deviation. */
const copies = 20;
const jitter = 0.05;
const draws = 200;
/** Where the test error is taken: the mean square of the distance to the cubic without noise. */
const testAt = grid(201);

const cubic = (x: number) => x ** 3 - x;

/** Too many coefficients for the data, and one cure. */
export const overfitting = defineExperiment({
  id: "lms/overfitting",
  title: "Fifteen coefficients for fifteen points",
  about:
    `${samples} samples of x³ − x at equal distances, with noise of standard deviation ${noise}. A polynomial of degree 14 goes through ` +
    "all of them, one of degree 3 through none, and yet the test error of degree 14, the mean square of its distance to " +
    `the cubic without noise, is larger by orders of magnitude. Noise on the inputs mends it: the same degree 14 on ${copies} copies ` +
    `of every sample, each moved along x by noise of standard deviation ${jitter}. Medians are over ${draws} draws; the known ones ` +
    "come from other draws, and two medians of so many draws agree within a factor of 1.6. The means are known in closed " +
    "form: every fit is linear in the noise, Σ y_i l_i(x), so that the mean test error is σ² Σ l_i(x)², averaged over x.",
  async *run({ seed }) {
    const x = grid(samples);
    const errors: Record<Fit, number[]> = { three: [], fourteen: [], augmented: [] };
    const trainErrors: Record<Fit, number[]> = { three: [], fourteen: [], augmented: [] };
    const shown: Shown[] = [];
    for (let index = 0; index < draws; index++) {
      const random = randomStream({ seed, purpose: "lms/overfitting", index });
      const y = x.map((at) => cubic(at) + normal(random, 0, noise));
      const moved = Array.from({ length: copies }, () => x.map((at) => at + normal(random, 0, jitter)));
      const fits: Record<Fit, (at: number) => number> = {
        three: fitPolynomial(x, y, 3),
        fourteen: fitPolynomial(x, y, 14),
        augmented: fitPolynomial(
          moved.flat(),
          moved.flatMap(() => y),
          14,
        ),
      };
      for (const name of fitNames) {
        errors[name].push(meanSquare(testAt.map((at) => fits[name](at) - cubic(at))));
        trainErrors[name].push(meanSquare(x.map((at, i) => fits[name](at) - y[i]!)));
      }
      shown.push({
        points: x.map((at, i) => [at, y[i]!]),
        curves: fitNames.map((name) => testAt.map((at) => [at, fits[name](at)] as const)),
      });
    }
    return {
      errors,
      medians: fitNames.map((name) => medianOf(errors[name])),
      trainMedians: fitNames.map((name) => medianOf(trainErrors[name])),
      means: (["three", "fourteen"] as const).map((name, i) => ({
        degree: [3, 14][i]!,
        mean: errors[name].reduce((sum, error) => sum + error, 0) / draws,
        ...expectedTestError({ x, degree: [3, 14][i]!, testAt, noise, draws }),
      })),
      // The draw in the middle by the error of degree 14.
      shown: shown[errors.fourteen.indexOf(errors.fourteen.toSorted((a, b) => a - b)[draws >> 1]!)]!,
    };
  },
  checks: ({ medians, trainMedians, means }) => [
    check(
      "median test errors of degree 3, degree 14, degree 14 with noise on the inputs: as powers of ten",
      [0.0078, 11.7, 0.022].map(Math.log10),
      medians.map(Math.log10),
      // The median of 200 such errors has a standard error of 8 to 16 %: two of them are within a factor of 1.6.
      0.2,
    ),
    check("degree 14 goes through its points: median error on them", 0, trainMedians[1]!, 1e-20),
    check(
      "what degree 14 misses is over 100 times what degree 3 misses",
      1,
      +(medians[1]! > 100 * medians[0]!),
    ),
    ...means.map(({ degree, mean, expected, standardError }) =>
      check(
        `degree ${degree}: mean test error over ${draws} draws`,
        expected,
        mean,
        Number((4 * standardError).toPrecision(2)),
      ),
    ),
  ],
  figures: ({ errors, medians, shown }, { document }) => [
    {
      svg: curvesOverPoints(
        shown.points,
        [
          { name: "x³ − x", dashed: true, points: testAt.map((at) => [at, cubic(at)]) },
          ...fitNames.map((name, i) => ({ name: labels[name], points: shown.curves[i]! })),
        ],
        { document, domain: [-1.5, 1.5], pointsName: `${samples} samples` },
      ),
      caption:
        "The draw in the middle by the error of degree 14, which goes through all samples and leaves the figure between the outer ones. With noise on its inputs it comes near the cubic.",
    },
    {
      svg: learningCurves(
        fitNames.map((name) => ({
          name: labels[name],
          points: errors[name].toSorted((a, b) => a - b).map((error, i) => [i + 1, error]),
        })),
        { document, timeLabel: "draws in the order of their error", errorLabel: "test error" },
      ),
      caption: `The test errors of ${draws} draws, sorted. Medians: ${medians.map((median, i) => `${Number(median.toPrecision(2))} for ${labels[fitNames[i]!]}`).join(", ")}.`,
    },
  ],
});

const fitNames = ["three", "fourteen", "augmented"] as const;
type Fit = (typeof fitNames)[number];
const labels: Record<Fit, string> = {
  three: "degree 3",
  fourteen: "degree 14",
  augmented: "14, noisy inputs",
};

interface Shown {
  readonly points: readonly (readonly [number, number])[];
  readonly curves: readonly (readonly (readonly [number, number])[])[];
}

/** The least-squares polynomial, in Chebyshev's basis: its powers are far from parallel, those of x are not. */
function fitPolynomial(x: readonly number[], y: readonly number[], degree: number): (at: number) => number {
  const { weights } = leastSquares(
    x.map((at) => chebyshev(at, degree)),
    y,
  );
  return (at) => chebyshev(at, degree).reduce((sum, value, i) => sum + value * weights[i]!, 0);
}

/** T₀(x) … T_degree(x). */
function chebyshev(x: number, degree: number): number[] {
  const values = [1, x];
  while (values.length <= degree) values.push(2 * x * values.at(-1)! - values.at(-2)!);
  return values;
}

/** Numbers from −1 to 1 at equal distances. */
function grid(count: number): number[] {
  return Array.from({ length: count }, (_, i) => -1 + (2 * i) / (count - 1));
}

const meanSquare = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value * value, 0) / values.length;

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length >> 1) - 1]! + sorted[sorted.length >> 1]!) / 2;
}
