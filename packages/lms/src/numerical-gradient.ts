import { expectOneOf, expectPositive } from "./expect-values.js";
import { type Matrix, type MatrixLike, zeros } from "./matrix.js";
import { forwardTwoLayer, type TwoLayerParams, type TwoLayerProblem, toProblem } from "./two-layer.js";
import { expectLayout, inLayout, type TwoLayerGradient, type TwoLayerOptions } from "./two-layer-gradient.js";

const METHODS = ["central-difference", "dual"] as const;

/** Two ways to a derivative that know nothing of backpropagation. */
export type NumericalMethod = (typeof METHODS)[number];

/**
 * The gradient of `twoLayerGradient` without the chain rule of matrices, one weight after another, to check it by.
 *
 * `"central-difference"` evaluates the loss on both sides of every weight: off by the third derivative times `step²/6`
 * and by rounding over `step`. `"dual"` carries `value + derivative ε`, `ε² = 0`, through the forward pass: exact to
 * rounding.
 *
 * @param options As for `twoLayerGradient`, and `method`: `"dual"` unless given; `step`: of the differences, 1e-5
 *   unless given.
 * @throws {TypeError | RangeError} when shapes do not match or something is not a finite number.
 * @see Griewank & Walther, "Evaluating Derivatives", ch. 3 (forward mode)
 */
export function numericalGradient(
  params: TwoLayerParams,
  X: MatrixLike,
  T: MatrixLike,
  {
    activation,
    layout = "denominator",
    method = "dual",
    step = 1e-5,
  }: TwoLayerOptions & { readonly method?: NumericalMethod; readonly step?: number },
): TwoLayerGradient {
  expectLayout("numericalGradient: layout", layout);
  expectOneOf("numericalGradient: method", method, METHODS);
  expectPositive("numericalGradient: step", step);
  const given = toProblem("numericalGradient", params, X, T, activation);
  // Copies, which the differences may change.
  const copy = (matrix: Matrix) => ({ ...matrix, data: matrix.data.slice() });
  const problem = {
    ...given,
    W1: copy(given.W1),
    b1: copy(given.b1),
    W2: copy(given.W2),
    b2: copy(given.b2),
  };
  const derivative = (name: WeightName, i: number) => {
    if (method === "dual") return dualDerivative(problem, name, i);
    const { data } = problem[name];
    const kept = data[i]!;
    const [above, below] = [kept + step, kept - step];
    data[i] = above;
    const high = forwardTwoLayer(problem).loss;
    data[i] = below;
    const low = forwardTwoLayer(problem).loss;
    data[i] = kept;
    return (high - low) / (above - below);
  };
  const gradient = (name: WeightName): Matrix => {
    const { rows, columns, data } = problem[name];
    return { rows, columns, data: data.map((_, i) => derivative(name, i)) };
  };
  return inLayout(layout, {
    loss: forwardTwoLayer(problem).loss,
    W1: gradient("W1"),
    b1: gradient("b1"),
    W2: gradient("W2"),
    b2: gradient("b2"),
  });
}

type WeightName = "W1" | "b1" | "W2" | "b2";

/** The derivative of the loss by entry i of one of the weights, in dual numbers. */
function dualDerivative(problem: TwoLayerProblem, name: WeightName, entry: number): number {
  const { W1, b1, W2, b2, X, T, activation } = problem;
  const seed = (of: WeightName, i: number) => (of === name && i === entry ? 1 : 0);
  let total = 0;
  const h = zeros(W1.rows, 1).data;
  const dh = zeros(W1.rows, 1).data;
  for (let n = 0; n < X.columns; n++) {
    for (let i = 0; i < W1.rows; i++) {
      let [s, ds] = [b1.data[i]!, seed("b1", i)];
      for (let j = 0; j < W1.columns; j++) {
        const x = X.data[j * X.columns + n]!;
        s += W1.data[i * W1.columns + j]! * x;
        ds += seed("W1", i * W1.columns + j) * x;
      }
      // e = exp(-s) + …ε, then 1 / (1 + e).
      const e = Math.exp(-s);
      h[i] = activation === "relu" ? Math.max(0, s) : 1 / (1 + e);
      dh[i] = activation === "relu" ? (s > 0 ? ds : 0) : (e * ds) / (1 + e) ** 2;
    }
    for (let i = 0; i < W2.rows; i++) {
      let [y, dy] = [b2.data[i]!, seed("b2", i)];
      for (let j = 0; j < W2.columns; j++) {
        const w = W2.data[i * W2.columns + j]!;
        y += w * h[j]!;
        dy += seed("W2", i * W2.columns + j) * h[j]! + w * dh[j]!;
      }
      total += (y - T.data[i * T.columns + n]!) * dy;
    }
  }
  return total;
}
