import { grads, mul, sum, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { type GradientCase, gradientCases } from "./gradient-cases.js";

/** How far a backend is off, for the values of an op and for its gradient by each input. */
export interface GradientComparison {
  readonly name: string;
  /** Largest differences, each relative to the largest number of its kind. */
  readonly errors: readonly number[];
}

/** All cases on the current backend, against plain loops in double precision and their central differences. */
export async function compareGradients(): Promise<GradientComparison[]> {
  const comparisons: GradientComparison[] = [];
  for (const one of gradientCases) comparisons.push({ name: one.name, errors: await errorsOf(one) });
  return comparisons;
}

async function errorsOf(one: GradientCase): Promise<number[]> {
  const { shapes, shift = 0, tensors, plain } = one;
  const inputs = shapes.map((shape, i) => {
    const size = shape.reduce((a, b) => a * b, 1);
    // Rounded to float32, so that both sides start from the same numbers.
    return Array.from({ length: size }, (_, at) => Math.fround(wave(at, 0.7 * i) + shift));
  });
  const values = plain(...inputs);
  const weights = values.map((_, at) => Math.fround(wave(at, 2.1)));
  const known = [values, ...centralDifferences(plain, inputs, weights)];
  const got = tidy(() => {
    const xs = inputs.map((numbers, i) => tensor(numbers, [...shapes[i]!]));
    const y = tensors(...xs);
    const objective = (...at: Tensor[]) => sum(mul(tensors(...at), tensor(weights, y.shape))) as Tensor;
    return [y, ...grads(objective)(xs)];
  });
  try {
    const numbers = await Promise.all(got.map((x) => x.data()));
    return known.map((exact, i) => largestError(exact, numbers[i]!));
  } finally {
    for (const x of got) x.dispose();
  }
}

/** Numbers between −1 and 1 without a pattern that a wrong index could hide in. */
const wave = (at: number, phase: number) => Math.sin(1.7 * at * at + 0.3 * at + phase);

/** The gradient of the weighted sum of the outputs: off by the third derivative times 1e-8 / 6 and by 1e-11 of rounding. */
function centralDifferences(
  plain: GradientCase["plain"],
  inputs: readonly (readonly number[])[],
  weights: readonly number[],
): number[][] {
  const step = 1e-4;
  const objective = (which: number, at: number, by: number) =>
    plain(...inputs.map((x, i) => (i === which ? x.with(at, x[at]! + by) : x))).reduce(
      (total, y, i) => total + y * weights[i]!,
      0,
    );
  return inputs.map((x, which) =>
    x.map((_, at) => (objective(which, at, step) - objective(which, at, -step)) / (2 * step)),
  );
}

/** NaN where the numbers are not of one length, or one of them is none: it agrees with nothing. */
function largestError(exact: readonly number[], got: ArrayLike<number>): number {
  if (got.length !== exact.length) return Number.NaN;
  const scale = Math.max(...exact.map(Math.abs));
  return Math.max(...exact.map((value, i) => Math.abs(value - got[i]!))) / scale;
}
