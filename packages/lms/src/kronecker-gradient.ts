import { kronecker, unvec, vec } from "./kronecker.js";
import { type Matrix, type MatrixLike, zeros } from "./matrix.js";
import { forwardTwoLayer, multiply, slope, type TwoLayerParams, toProblem, transpose } from "./two-layer.js";
import { expectLayout, inLayout, type TwoLayerGradient, type TwoLayerOptions } from "./two-layer-gradient.js";

/**
 * The gradient of `twoLayerGradient` again, from the chain rule for vectors written out: every matrix becomes a column
 * by `vec`, every linear map the Kronecker product that acts on it.
 *
 * With N samples, h hidden and o output units, `vec Y = (I_N ⊗ W2) vec H + …`, and so
 *
 * - `∂L/∂vec W1 = (X ⊗ I_h) diag(vec s'(S)) (I_N ⊗ W2ᵀ) vec E`
 * - `∂L/∂b1 = (1ᵀ ⊗ I_h) diag(vec s'(S)) (I_N ⊗ W2ᵀ) vec E`
 * - `∂L/∂vec W2 = (H ⊗ I_o) vec E`
 * - `∂L/∂b2 = (1ᵀ ⊗ I_o) vec E`
 *
 * It builds these matrices, `[h inputs, h N]` and the like: for learning and for checking, not for training.
 *
 * @param params `W1` `[hidden, inputs]`, `b1` `[hidden]`, `W2` `[outputs, hidden]`, `b2` `[outputs]`.
 * @param X `[inputs, N]`, one sample a column.
 * @param T `[outputs, N]`, the wanted outputs.
 * @throws {TypeError | RangeError} when shapes do not match or something is not a finite number.
 * @see Magnus & Neudecker, "Matrix Differential Calculus", ch. 2 and 9
 */
export function kroneckerGradient(
  params: TwoLayerParams,
  X: MatrixLike,
  T: MatrixLike,
  { activation, layout = "denominator" }: TwoLayerOptions,
): TwoLayerGradient {
  expectLayout("kroneckerGradient: layout", layout);
  const problem = toProblem("kroneckerGradient", params, X, T, activation);
  const { loss, S, H, E } = forwardTwoLayer(problem);
  const [hidden, samples, outputs] = [S.rows, S.columns, E.rows];
  const slopes = { ...S, data: S.data.map((value, i) => slope(activation, value, H.data[i]!)) };
  const ones = { rows: 1, columns: samples, data: new Float64Array(samples).fill(1) };
  const back = multiply(
    diagonal(vec(slopes)),
    multiply(kronecker(identity(samples), transpose(problem.W2)), vec(E)),
  );
  return inLayout(layout, {
    loss,
    W1: unvec(multiply(kronecker(problem.X, identity(hidden)), back), hidden, problem.X.rows),
    b1: multiply(kronecker(ones, identity(hidden)), back),
    W2: unvec(multiply(kronecker(H, identity(outputs)), vec(E)), outputs, hidden),
    b2: multiply(kronecker(ones, identity(outputs)), vec(E)),
  });
}

function identity(n: number): Matrix {
  return diagonal({ rows: n, columns: 1, data: new Float64Array(n).fill(1) });
}

function diagonal(v: Matrix): Matrix {
  const D = zeros(v.rows, v.rows);
  for (let i = 0; i < v.rows; i++) D.data[i * v.rows + i] = v.data[i]!;
  return D;
}
