/** Functions of one number with their first two derivatives, in float64. */
import { apply, compare, constant, type Dual, neg, reciprocal, zero } from "./dual.js";

/** `erf`: its series near 0, the continued fraction of `erfc` (Lentz) further out. */
function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let [term, total] = [x, x];
    for (let n = 1; n < 80; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  // erfc(z) = exp(-z²)/√π · 1/(z + (1/2)/(z + (2/2)/(z + (3/2)/(z + …))))
  let fraction = z;
  for (let n = 80; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction);
}

type Unary = (x: Dual) => Dual;

const smooth =
  (f: (x: number) => number, f1: (x: number) => number, f2: (x: number) => number): Unary =>
  (x) =>
    apply(x, f(x.v), f1(x.v), f2(x.v));

/** Positive, negative or 0; at 0 by the slope. */
export const sideOf = (x: Dual): number => (Number.isNaN(x.v) ? Number.NaN : compare(x, zero));

/** Constant between jumps: the slope is 0. */
const steps =
  (f: (x: number) => number): Unary =>
  (x) =>
    constant(f(x.v));

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** Half to even, as IEEE 754 and TensorFlow round. */
const roundEven = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
};

export const exp = smooth(Math.exp, Math.exp, Math.exp);
export const log = smooth(
  Math.log,
  (x) => 1 / x,
  (x) => -1 / x ** 2,
);
export const sqrt = smooth(
  Math.sqrt,
  (x) => 0.5 / Math.sqrt(x),
  (x) => -0.25 * x ** -1.5,
);
export const square = smooth(
  (x) => x * x,
  (x) => 2 * x,
  () => 2,
);
export const rsqrt = smooth(
  (x) => 1 / Math.sqrt(x),
  (x) => -0.5 * x ** -1.5,
  (x) => 0.75 * x ** -2.5,
);
export const sigmoid = smooth(
  logistic,
  (x) => logistic(x) * logistic(-x),
  (x) => logistic(x) * logistic(-x) * (logistic(-x) - logistic(x)),
);
const tanh = smooth(
  Math.tanh,
  (x) => 1 - Math.tanh(x) ** 2,
  (x) => -2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2),
);
export const softplus = smooth(
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  logistic,
  (x) => logistic(x) * logistic(-x),
);
const erfOf = smooth(
  erf,
  (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  (x) => ((-4 * x) / Math.sqrt(Math.PI)) * Math.exp(-x * x),
);

/** `negative(x)` below 0, `positive(x)` above. */
const split =
  (negative: Unary, positive: Unary): Unary =>
  (x) =>
    Number.isNaN(x.v) ? x : sideOf(x) < 0 ? negative(x) : positive(x);

export const abs = split(neg, (x) => x);
export const relu = split(
  () => zero,
  (x) => x,
);
/** `min(max(x, low), high)`. */
export const clip =
  (low: number, high: number): Unary =>
  (x) =>
    Number.isNaN(x.v)
      ? x
      : compare(x, constant(low)) < 0
        ? constant(low)
        : compare(x, constant(high)) > 0
          ? constant(high)
          : x;
export const relu6 = clip(0, 6);
export const elu = split(smooth(Math.expm1, Math.exp, Math.exp), (x) => x);
const selu = split(
  smooth(
    (x) => SELU_SCALE * SELU_ALPHA * Math.expm1(x),
    (x) => SELU_SCALE * SELU_ALPHA * Math.exp(x),
    (x) => SELU_SCALE * SELU_ALPHA * Math.exp(x),
  ),
  smooth(
    (x) => SELU_SCALE * x,
    () => SELU_SCALE,
    () => 0,
  ),
);
export const leakyRelu = (alpha: number): Unary =>
  split(
    smooth(
      (x) => alpha * x,
      () => alpha,
      () => 0,
    ),
    (x) => x,
  );

/** The names of tfjs, with the ends of the interval that inputs are drawn from and whether 0 is a kink. */
export interface UnaryFunction {
  readonly f: Unary;
  readonly low?: number;
  readonly high?: number;
  readonly kinks?: true;
  /** Whether it also holds for NaN and the infinities. */
  readonly special?: true;
  readonly second?: true;
}

export const unaryFunctions: Readonly<Record<string, UnaryFunction>> = {
  abs: { f: abs, kinks: true, special: true },
  acos: {
    f: smooth(
      Math.acos,
      (x) => -1 / Math.sqrt(1 - x * x),
      (x) => -x * (1 - x * x) ** -1.5,
    ),
    low: -0.9,
    high: 0.9,
  },
  acosh: {
    f: smooth(
      Math.acosh,
      (x) => 1 / Math.sqrt(x * x - 1),
      (x) => -x * (x * x - 1) ** -1.5,
    ),
    low: 1.1,
    high: 4,
  },
  asin: {
    f: smooth(
      Math.asin,
      (x) => 1 / Math.sqrt(1 - x * x),
      (x) => x * (1 - x * x) ** -1.5,
    ),
    low: -0.9,
    high: 0.9,
  },
  asinh: {
    f: smooth(
      Math.asinh,
      (x) => 1 / Math.sqrt(x * x + 1),
      (x) => -x * (x * x + 1) ** -1.5,
    ),
  },
  atan: {
    f: smooth(
      Math.atan,
      (x) => 1 / (1 + x * x),
      (x) => (-2 * x) / (1 + x * x) ** 2,
    ),
    special: true,
  },
  atanh: {
    f: smooth(
      Math.atanh,
      (x) => 1 / (1 - x * x),
      (x) => (2 * x) / (1 - x * x) ** 2,
    ),
    low: -0.9,
    high: 0.9,
  },
  ceil: { f: steps(Math.ceil), special: true },
  cos: {
    f: smooth(
      Math.cos,
      (x) => -Math.sin(x),
      (x) => -Math.cos(x),
    ),
  },
  cosh: { f: smooth(Math.cosh, Math.sinh, Math.cosh) },
  elu: { f: elu, kinks: true, special: true, second: true },
  erf: { f: erfOf, second: true },
  exp: { f: exp, special: true, second: true },
  expm1: { f: smooth(Math.expm1, Math.exp, Math.exp) },
  floor: { f: steps(Math.floor), special: true },
  log: { f: log, low: 0.25, high: 4, second: true },
  log1p: {
    f: smooth(
      Math.log1p,
      (x) => 1 / (1 + x),
      (x) => -1 / (1 + x) ** 2,
    ),
    low: -0.75,
    high: 4,
  },
  logSigmoid: {
    f: (x) => neg(softplus(neg(x))),
  },
  neg: { f: neg, special: true },
  reciprocal: { f: reciprocal, low: 0.25, high: 4, second: true },
  relu: { f: relu, kinks: true, special: true, second: true },
  relu6: { f: relu6, low: -8, high: 8, kinks: true, special: true, second: true },
  round: { f: steps(roundEven), special: true },
  rsqrt: { f: rsqrt, low: 0.25, high: 4, second: true },
  selu: { f: selu, kinks: true, second: true },
  sigmoid: { f: sigmoid, special: true, second: true },
  sign: { f: steps((x) => (Number.isNaN(x) ? 0 : Math.sign(x))) },
  sin: { f: smooth(Math.sin, Math.cos, (x) => -Math.sin(x)) },
  sinh: { f: smooth(Math.sinh, Math.cosh, Math.sinh) },
  softplus: { f: softplus, special: true, second: true },
  sqrt: { f: sqrt, low: 0.25, high: 4, second: true },
  square: { f: square, special: true, second: true },
  tan: {
    f: smooth(
      Math.tan,
      (x) => 1 + Math.tan(x) ** 2,
      (x) => 2 * Math.tan(x) * (1 + Math.tan(x) ** 2),
    ),
    low: -1.25,
    high: 1.25,
  },
  tanh: { f: tanh, special: true, second: true },
};
