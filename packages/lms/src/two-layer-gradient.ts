import { expectOneOf } from "./expect-values.js";
import type { Matrix, MatrixLike } from "./matrix.js";
import {
  type Activation,
  forwardTwoLayer,
  multiply,
  slope,
  type TwoLayerParams,
  toProblem,
  transpose,
} from "./two-layer.js";

const LAYOUTS = ["numerator", "denominator"] as const;

/**
 * How a derivative of a number by a matrix W is laid out: `"denominator"` like W, `"numerator"` like Wᵀ. The one is
 * the transpose of the other; a bias has a row in numerator layout, a column in denominator layout.
 */
export type Layout = (typeof LAYOUTS)[number];

/** What the gradients of a two-layer network take beside weights and samples. */
export interface TwoLayerOptions {
  readonly activation: Activation;
  /** `"denominator"` unless given. */
  readonly layout?: Layout;
}

/** The loss of a two-layer network and its derivatives by all weights, in the layout asked for. */
export interface TwoLayerGradient {
  /** `½ Σ ‖t - y‖²` over the samples. */
  readonly loss: number;
  /** `[hidden, inputs]` in denominator layout. */
  readonly W1: Matrix;
  /** `[hidden, 1]` in denominator layout. */
  readonly b1: Matrix;
  /** `[outputs, hidden]` in denominator layout. */
  readonly W2: Matrix;
  /** `[outputs, 1]` in denominator layout. */
  readonly b2: Matrix;
}

/**
 * The gradient of `½ Σ ‖t - y‖²`, `y = W2 s(W1 x + b1) + b2`, by backpropagation: with `E = Y - T` and
 * `D = s'(S) ∘ W2ᵀE`, the derivatives are `D Xᵀ`, `D 1`, `E Hᵀ` and `E 1`.
 *
 * @param params `W1` `[hidden, inputs]`, `b1` `[hidden]`, `W2` `[outputs, hidden]`, `b2` `[outputs]`.
 * @param X `[inputs, N]`, one sample a column.
 * @param T `[outputs, N]`, the wanted outputs.
 * @throws {TypeError | RangeError} when shapes do not match or something is not a finite number.
 * @see Rumelhart, Hinton & Williams 1986, https://doi.org/10.1038/323533a0
 */
export function twoLayerGradient(
  params: TwoLayerParams,
  X: MatrixLike,
  T: MatrixLike,
  { activation, layout = "denominator" }: TwoLayerOptions,
): TwoLayerGradient {
  expectLayout("twoLayerGradient: layout", layout);
  const problem = toProblem("twoLayerGradient", params, X, T, activation);
  const { loss, S, H, E } = forwardTwoLayer(problem);
  const back = multiply(transpose(problem.W2), E);
  const D = {
    ...back,
    data: back.data.map((value, i) => value * slope(activation, S.data[i]!, H.data[i]!)),
  };
  return inLayout(layout, {
    loss,
    W1: multiply(D, transpose(problem.X)),
    b1: rowSums(D),
    W2: multiply(E, transpose(H)),
    b2: rowSums(E),
  });
}

function rowSums(A: Matrix): Matrix {
  return multiply(A, { rows: A.columns, columns: 1, data: new Float64Array(A.columns).fill(1) });
}

/** A gradient in denominator layout, in the one asked for. */
export function inLayout(layout: Layout, gradient: TwoLayerGradient): TwoLayerGradient {
  if (layout === "denominator") return gradient;
  const { loss, W1, b1, W2, b2 } = gradient;
  return { loss, W1: transpose(W1), b1: transpose(b1), W2: transpose(W2), b2: transpose(b2) };
}

export function expectLayout(where: string, layout: Layout): void {
  expectOneOf(where, layout, LAYOUTS);
}
