import { expectShape, runFused, ShapeError } from "@gradlab/core";
import {
  add,
  customGrad,
  div,
  engine,
  type GradSaveFunc,
  mean,
  mul,
  ones,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { expectInteger, expectPositive } from "./expect-values.js";

/** One number for each place of the last axis. */
export interface LayerNormParams {
  /** γ, `[width]`. */
  readonly scale: Tensor1D;
  /** β, `[width]`. */
  readonly offset: Tensor1D;
}

/** A root mean square norm has no offset. */
export type RmsNormParams = Pick<LayerNormParams, "scale">;

export interface NormOptions {
  /** Added to the mean square, greater than 0; 1e-5 unless given, as in PyTorch. */
  readonly epsilon?: number;
}

/** A norm before any training: scale 1, offset 0. The caller disposes it. */
export function initLayerNorm(width: number): LayerNormParams {
  expectInteger("initLayerNorm: width", width, 1);
  return { scale: ones([width]) as Tensor1D, offset: zeros([width]) as Tensor1D };
}

/** A norm before any training: scale 1. The caller disposes it. */
export function initRmsNorm(width: number): RmsNormParams {
  expectInteger("initRmsNorm: width", width, 1);
  return { scale: ones([width]) as Tensor1D };
}

/**
 * Layer norm: `scale · (x - mean) / √(variance + ε) + offset`, mean and variance over the last axis.
 *
 * Differentiable twice. For the gradient one tensor like `x` is kept, and a number per row; `x` alone where the backend
 * has the fused kernel.
 *
 * @param x `[..., width]`.
 * @returns The shape of `x`; the caller disposes it.
 * @throws {ShapeError} when `scale` or `offset` does not line up with `x`.
 * @throws {TypeError | RangeError} when `epsilon` is no positive number.
 * @see Ba, Kiros, Hinton 2016, §3, https://arxiv.org/abs/1607.06450
 */
export function layerNorm<T extends Tensor>(params: LayerNormParams, x: T, options: NormOptions = {}): T {
  const { scale, offset } = params;
  const { width, epsilon } = checked("layerNorm", x, scale, options);
  expectShape("layerNorm: offset", offset, [width]);
  return tidy(() => {
    const rows = reshape(x, [x.size / width, width]);
    return reshape(normalize(rows, scale, offset, epsilon, true), x.shape);
  }) as T;
}

/**
 * Root mean square norm: `scale · x / √(mean(x²) + ε)` over the last axis: layer norm without centering.
 *
 * @param x `[..., width]`.
 * @returns The shape of `x`; the caller disposes it.
 * @throws {ShapeError} when `scale` does not line up with `x`.
 * @throws {TypeError | RangeError} when `epsilon` is no positive number.
 * @see Zhang and Sennrich 2019, equation 4, https://arxiv.org/abs/1910.07467
 */
export function rmsNorm<T extends Tensor>({ scale }: RmsNormParams, x: T, options: NormOptions = {}): T {
  const { width, epsilon } = checked("rmsNorm", x, scale, options);
  return tidy(() => {
    const rows = reshape(x, [x.size / width, width]);
    return reshape(normalize(rows, scale, zeros([width]) as Tensor1D, epsilon, false), x.shape);
  }) as T;
}

function checked(where: string, x: Tensor, scale: Tensor1D, { epsilon = 1e-5 }: NormOptions) {
  const width = x.shape.at(-1);
  if (width === undefined || x.size === 0) {
    throw new ShapeError(
      `${where}: x: expected [..., width] with no axis of size 0, got [${x.shape.join(", ")}]`,
    );
  }
  expectShape(`${where}: scale`, scale, [width]);
  expectPositive(`${where}: epsilon`, epsilon);
  return { width, epsilon };
}

function normalize(
  rows: Tensor,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number,
  centers: boolean,
): Tensor {
  const attributes = { epsilon, centers: centers ? 1 : 0 };
  const fused = runFused("GradlabLayerNorm", { x: rows, scale, offset }, attributes);
  if (fused !== null) return fused[0]!;
  // The gradient by hand has none of its own.
  if (engine().state.gradientDepth <= 1) return byHand(rows, scale, offset, epsilon, centers);
  return add(mul(centeredAndDivided(rows, epsilon, centers).unit, scale), offset);
}

/** Rows of mean square 1, and what they were divided by, `[n, 1]`. */
function centeredAndDivided(rows: Tensor, epsilon: number, centers: boolean) {
  const centered = centers ? sub(rows, mean(rows, 1, true)) : rows;
  const deviation = sqrt(add(mean(square(centered), 1, true), epsilon));
  return { unit: div(centered, deviation), deviation };
}

/**
 * The same with its gradient by hand: with u the rows of mean square 1 and g = dy · scale,
 * `dx = (g - mean(g) - u · mean(g · u)) / deviation`, without the mean of g where nothing was centered.
 */
function byHand(rows: Tensor, scale: Tensor1D, offset: Tensor1D, epsilon: number, centers: boolean): Tensor {
  const norm = customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
    const [x, gamma, beta, save] = inputs as [Tensor, Tensor1D, Tensor1D, GradSaveFunc];
    const { unit, deviation } = centeredAndDivided(x, epsilon, centers);
    save([unit, deviation, gamma]);
    return {
      value: add(mul(unit, gamma), beta),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [unit, deviation, gamma] = saved as [Tensor, Tensor, Tensor1D];
        const g = mul(dy, gamma);
        const along = sub(g, mul(unit, mean(mul(g, unit), 1, true)));
        const dx = div(centers ? sub(along, mean(g, 1, true)) : along, deviation);
        return [dx, sum(mul(dy, unit), 0), sum(dy, 0)];
      },
    };
  });
  return norm(rows, scale, offset);
}
