import type { LearningCurve } from "@gradlab/figures";
import { type Matrix, meanSquaredError, type RunResult } from "@gradlab/lms";

type CurveOf = Pick<RunResult, "verdict" | "errors" | "updates"> & { readonly mse: ArrayLike<number> };

/** The mean squared error of a run from zero weights, by epoch; a diverged one ends with its last error. */
export function learningCurveOf(
  name: string,
  { X, d }: { readonly X: Matrix; readonly d: Float64Array },
  { verdict, mse, errors, updates }: CurveOf,
): LearningCurve {
  const start = meanSquaredError(X, d, new Float64Array(X.columns));
  const points: [number, number][] = [
    [0, start],
    ...Array.from(mse, (error, i): [number, number] => [i + 1, error]),
  ];
  const diverged = verdict === "diverged";
  const last = errors.at(-1);
  if (diverged && last !== undefined && updates / X.rows > mse.length) {
    points.push([updates / X.rows, last ** 2 / 2]);
  }
  // A logarithmic axis has no place for an error of exactly 0.
  return { name, points: points.filter(([, error]) => error > 0), diverged };
}
