import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectInteger, expectPositive } from "../expect-values.js";
import { conv2dGradients } from "./conv2d-gradients.js";
import { correlatePlane } from "./cross-correlate.js";
import { expectPlane, type Plane, sizeOf, zeros } from "./plane.js";
import type { ConvolutionOptions } from "./taps.js";
import { outputSize, type PerAxis, perAxis, windowsOf } from "./window.js";

export interface LearnKernelOptions extends ConvolutionOptions {
  /** Height and width of the kernel. */
  readonly size: PerAxis<number>;
  /** Step along the negative gradient. */
  readonly rate: number;
  readonly steps: number;
  /** The kernel at the start, default zeros. */
  readonly start?: Plane;
}

export interface LearnedKernel {
  /** `[kh][kw]`. */
  readonly kernel: number[][];
  /** `[steps + 1]`, the squared error at the start and after each step, summed over all outputs of all pairs. */
  readonly losses: number[];
}

/**
 * Finds the kernel between inputs and outputs by gradient descent on `Σ (crossCorrelate(x, k) − y)²`, all pairs at
 * every step. The loss is quadratic in the kernel: with λ the largest eigenvalue of `Σ im2col(x) im2col(x)ᵀ`, it
 * converges for rates below 1 / λ, and beyond diverges from almost every start.
 *
 * @param pairs At least one pair: x `[h][w]`, y `[h'][w']`.
 * @throws {TypeError | RangeError} when something is not a finite number, an output has not the size that its input
 *   gives, an option is out of range, or the error is no longer finite.
 */
export function learnKernel(
  pairs: readonly (readonly [x: Plane, y: Plane])[],
  { size, rate, steps, start, ...options }: LearnKernelOptions,
): LearnedKernel {
  const [height, width] = perAxis("learnKernel: size", size, 1);
  expectPositive("learnKernel: rate", rate);
  expectInteger("learnKernel: steps", steps, 0);
  if (!Array.isArray(pairs)) throw typeMismatch("learnKernel: pairs", "an array of pairs", pairs);
  if (pairs.length === 0) throw rangeMismatch("learnKernel: pairs", "at least one pair", pairs);
  for (const [i, [x, y]] of pairs.entries()) {
    expectPlane(`learnKernel: pairs[${i}][0]`, x);
    expectPlane(
      `learnKernel: pairs[${i}][1]`,
      y,
      outputSize(windowsOf("learnKernel", sizeOf(x), [height, width], options)),
    );
  }
  if (start !== undefined) expectPlane("learnKernel: start", start, [height, width]);
  let kernel = start === undefined ? zeros([height, width]) : start.map((row) => [...row]);
  const losses: number[] = [];
  for (let step = 0; ; step++) {
    const errors = pairs.map(([x, y]) =>
      correlatePlane("learnKernel", x, kernel, options).map((row, i) =>
        row.map((value, j) => value - y[i]![j]!),
      ),
    );
    const loss = errors.flat(2).reduce((sum, error) => sum + error * error, 0);
    expectBounded(rate, step, [loss]);
    losses.push(loss);
    if (step === steps) return { kernel, losses };
    for (const [i, [x]] of pairs.entries()) {
      const gradient = conv2dGradients([x], [[kernel]], [errors[i]!], options).filters[0]![0]!;
      kernel = kernel.map((row, a) => row.map((tap, b) => tap - rate * 2 * gradient[a]![b]!));
    }
    expectBounded(rate, step + 1, kernel.flat());
  }
}

function expectBounded(rate: number, step: number, numbers: readonly number[]): void {
  if (!numbers.every(Number.isFinite)) {
    throw rangeMismatch("learnKernel: rate", `one that keeps the error finite for ${step} steps`, rate);
  }
}
