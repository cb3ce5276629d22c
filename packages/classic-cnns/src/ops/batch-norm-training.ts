import { expectShape, runFused, ShapeError } from "@gradlab/core";
import {
  add,
  customGrad,
  div,
  engine,
  type GradSaveFunc,
  mean as meanOf,
  mul,
  relu,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  tidy,
} from "@tensorflow/tfjs-core";
import { expectOneOf, expectPositive } from "../expect-values.js";

export interface BatchNormTrainingOptions {
  /** Added to the variance, positive; 1e-5 unless given, as in PyTorch. */
  readonly epsilon?: number;
  /** What is done with `y`; nothing (`"linear"`) unless given. */
  readonly activation?: "linear" | "relu";
}

export interface BatchNormTraining {
  /** The shape of `x`. */
  readonly y: Tensor;
  /** The mean of each channel over the batch, `[channels]`. */
  readonly mean: Tensor1D;
  /**
   * The variance of each channel over the batch, `[channels]`, divided by the number n of elements
   * of a channel; running statistics take it times `n / (n - 1)`.
   */
  readonly variance: Tensor1D;
}

/**
 * Batch normalization by the statistics of the batch itself: `y = scale · (x - mean) / √(variance + ε) + offset`.
 *
 * The gradient goes through the mean and the variance: with `x̂ = (x - mean) / √(variance + ε)`, for each channel
 * `dx = scale / √(variance + ε) · (dy - Σ dy / n - x̂ · Σ dy·x̂ / n)`, `dscale = Σ dy·x̂`, `doffset = Σ dy`. Both passes
 * subtract the mean before they square or multiply, so that a mean far from 0 costs no digits of the variance.
 * Differentiable twice.
 *
 * @param x `[..., channels]`, float32, at least two elements in each channel. Only `x`, `scale` and two numbers for
 *   each channel are kept for the gradient.
 * @param scale γ, `[channels]`.
 * @param offset β, `[channels]`.
 * @returns Three tensors; the caller disposes them.
 * @throws {ShapeError} when `scale` or `offset` does not line up with `x`, or a channel has less than two elements.
 * @throws {TypeError | RangeError} when `epsilon` is no positive number.
 * @see Ioffe and Szegedy 2015, algorithm 1 and §3, https://arxiv.org/abs/1502.03167
 */
export function batchNormTraining(
  x: Tensor,
  scale: Tensor1D,
  offset: Tensor1D,
  options: BatchNormTrainingOptions = {},
): BatchNormTraining {
  const { epsilon = 1e-5, activation = "linear" } = options;
  const channels = x.shape.at(-1);
  if (channels === undefined || x.size < 2 * channels || channels === 0) {
    const got = `[${x.shape.join(", ")}]`;
    throw new ShapeError(
      `batchNormTraining: x: expected [.., channels] with two elements or more in each channel, got ${got}`,
    );
  }
  expectShape("batchNormTraining: scale", scale, [channels]);
  expectShape("batchNormTraining: offset", offset, [channels]);
  expectPositive("batchNormTraining: epsilon", epsilon);
  expectOneOf("batchNormTraining: activation", activation, ["linear", "relu"]);
  return tidy(() => {
    const rows = reshape(x, [x.size / channels, channels]); // every axis but the last is one
    const inputs = { x: rows, scale, offset };
    const rectifies = activation === "relu";
    const rectified = rectifies ? runFused("GradlabBatchNormRelu", inputs, { epsilon }) : null;
    const result =
      rectified ?? runFused("GradlabBatchNorm", inputs, { epsilon }) ?? composed(inputs, epsilon);
    const [y, mean, variance] = result as [Tensor, Tensor1D, Tensor1D];
    return {
      y: reshape(rectifies && rectified === null ? relu(y) : y, x.shape),
      mean,
      variance,
    };
  });
}

interface Inputs {
  readonly x: Tensor;
  readonly scale: Tensor1D;
  readonly offset: Tensor1D;
}

/** Of rows `[n, channels]`. */
function composed(
  { x, scale, offset }: Inputs,
  epsilon: number,
): [y: Tensor, mean: Tensor1D, variance: Tensor1D] {
  const mean = meanOf(x, 0) as Tensor1D;
  const variance = meanOf(square(sub(x, mean)), 0) as Tensor1D;
  const deviation = sqrt(add(variance, epsilon)) as Tensor1D;
  // The gradient by hand takes mean and deviation for constants, which a second derivative must not.
  const y =
    engine().state.gradientDepth > 1
      ? add(mul(div(sub(x, mean), deviation), scale), offset)
      : normalize(x, scale, offset, mean, deviation);
  return [y, mean, variance];
}

/** `scale · (x - mean) / deviation + offset` for rows `[n, channels]`, whose mean and deviation move with them. */
function normalize(
  rows: Tensor,
  scale: Tensor1D,
  offset: Tensor1D,
  mean: Tensor1D,
  deviation: Tensor1D,
): Tensor {
  const normalized = customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
    const [x, gamma, beta, save] = inputs as [Tensor, Tensor1D, Tensor1D, GradSaveFunc];
    save([x, gamma, mean, deviation]);
    return {
      value: add(mul(sub(x, mean), div(gamma, deviation)), beta),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [x, gamma, mean, deviation] = saved as [Tensor, Tensor1D, Tensor1D, Tensor1D];
        const n = x.shape[0]!;
        const centered = sub(x, mean);
        const doffset = sum(dy, 0);
        const dscale = div(sum(mul(dy, centered), 0), deviation);
        // dx = a·dy + b·centered + c, with a number of each for every channel: three passes over the rows.
        const a = div(gamma, deviation);
        const b = mul(a, div(dscale, mul(deviation, -n)));
        const c = mul(a, div(doffset, -n));
        return [add(mul(dy, a), add(mul(centered, b), c)), dscale, doffset];
      },
    };
  });
  return normalized(rows, scale, offset);
}
