import { expectFinite } from "./expect-argument.js";
import { expectOneOf } from "./expect-values.js";
import { type Matrix, type MatrixLike, toMatrix, zeros } from "./matrix.js";

/** The weights of `y = W2 s(W1 x + b1) + b2`; samples are columns. Weights come as arrays of rows or as `Matrix`. */
export interface TwoLayerParams {
  /** `[hidden, inputs]`. */
  readonly W1: MatrixLike;
  /** `[hidden]`. */
  readonly b1: ArrayLike<number>;
  /** `[outputs, hidden]`. */
  readonly W2: MatrixLike;
  /** `[outputs]`. */
  readonly b2: ArrayLike<number>;
}

const ACTIVATIONS = ["relu", "sigmoid"] as const;

/** The activation s of the hidden layer; the output layer has none. The slope of `"relu"` at 0 is 0. */
export type Activation = (typeof ACTIVATIONS)[number];

/** A two-layer problem, checked and packed. */
export interface TwoLayerProblem {
  readonly W1: Matrix;
  readonly b1: Matrix;
  readonly W2: Matrix;
  readonly b2: Matrix;
  /** `[inputs, N]`. */
  readonly X: Matrix;
  /** `[outputs, N]`. */
  readonly T: Matrix;
  readonly activation: Activation;
}

/** What the forward pass leaves for the backward pass. */
export interface TwoLayerForward {
  /** `½ Σ ‖t - y‖²` over the samples. */
  readonly loss: number;
  /** `[hidden, N]`, `W1 X + b1 1ᵀ`. */
  readonly S: Matrix;
  /** `[hidden, N]`, `s(S)`. */
  readonly H: Matrix;
  /** `[outputs, N]`, `Y - T`, the derivative of the loss with respect to Y. */
  readonly E: Matrix;
}

export function toProblem(
  where: string,
  params: TwoLayerParams,
  X: MatrixLike,
  T: MatrixLike,
  activation: Activation,
): TwoLayerProblem {
  expectOneOf(`${where}: activation`, activation, ACTIVATIONS);
  const W1 = toMatrix(`${where}: W1`, params.W1);
  const W2 = toMatrix(`${where}: W2`, params.W2);
  const column = (name: "b1" | "b2", rows: number) => {
    const values = Float64Array.from(params[name]);
    values.forEach((value, i) => {
      expectFinite(`${where}: ${name}[${i}]`, value);
    });
    return expectSize(`${where}: ${name}`, { rows: values.length, columns: 1, data: values }, rows, 1);
  };
  const b1 = column("b1", W1.rows);
  expectSize(`${where}: W2`, W2, W2.rows, W1.rows);
  const b2 = column("b2", W2.rows);
  const x = toMatrix(`${where}: X`, X);
  expectSize(`${where}: X`, x, W1.columns, x.columns);
  const t = expectSize(`${where}: T`, toMatrix(`${where}: T`, T), W2.rows, x.columns);
  return { W1, b1, W2, b2, X: x, T: t, activation };
}

function expectSize(where: string, matrix: Matrix, rows: number, columns: number): Matrix {
  if (matrix.rows !== rows || matrix.columns !== columns) {
    throw new RangeError(`${where}: expected [${rows}, ${columns}], got [${matrix.rows}, ${matrix.columns}]`);
  }
  return matrix;
}

/** `y = W2 s(W1 x + b1) + b2` for every column x, and the loss. */
export function forwardTwoLayer({ W1, b1, W2, b2, X, T, activation }: TwoLayerProblem): TwoLayerForward {
  const S = affine(W1, X, b1);
  const H = { ...S, data: S.data.map((value) => activate(activation, value)) };
  const Y = affine(W2, H, b2);
  const E = { ...Y, data: Y.data.map((value, i) => value - T.data[i]!) };
  return { loss: E.data.reduce((sum, e) => sum + e * e, 0) / 2, S, H, E };
}

function affine(W: Matrix, X: Matrix, b: Matrix): Matrix {
  const product = multiply(W, X);
  for (let i = 0; i < product.data.length; i++) product.data[i]! += b.data[Math.floor(i / X.columns)]!;
  return product;
}

function activate(activation: Activation, value: number): number {
  return activation === "relu" ? Math.max(0, value) : 1 / (1 + Math.exp(-value));
}

/** `s'`, from the argument and the value of s. */
export function slope(activation: Activation, value: number, activated: number): number {
  return activation === "relu" ? (value > 0 ? 1 : 0) : activated * (1 - activated);
}

/** `A B`. */
export function multiply(A: Matrix, B: Matrix): Matrix {
  const product = zeros(A.rows, B.columns);
  for (let i = 0; i < A.rows; i++) {
    for (let k = 0; k < A.columns; k++) {
      const a = A.data[i * A.columns + k]!;
      for (let j = 0; j < B.columns; j++) product.data[i * B.columns + j]! += a * B.data[k * B.columns + j]!;
    }
  }
  return product;
}

/** `Aᵀ`. */
export function transpose({ rows, columns, data }: Matrix): Matrix {
  const result = zeros(columns, rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result.data[j * rows + i] = data[i * columns + j]!;
  }
  return result;
}
