import type { Madaline, Matrix } from "@gradlab/lms";
import {
  abs,
  add,
  cast,
  customGrad,
  grads,
  greaterEqual,
  lessEqual,
  matMul,
  mul,
  neg,
  onesLike,
  sign,
  slice,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor2d,
  tidy,
} from "@tensorflow/tfjs-core";

/** How a unit makes ±1 of its sum. */
const units = {
  /** The op: its gradient is 0. */
  sign: (s: Tensor2D) => sign(s),
  /** `s >= 0 ? 1 : −1`: a constant on either branch; which one is taken has no derivative either. */
  if: (s: Tensor2D) => {
    const first = cast(greaterEqual(s, 0), "float32");
    return add(mul(first, onesLike(s)), mul(sub(1, first), neg(onesLike(s)))) as Tensor2D;
  },
  /** The sign, with the slope of a ramp from −1 to 1 in its place. */
  "straight-through": (s: Tensor2D) =>
    customGrad((x: Tensor | ((saved: Tensor[]) => void), save: unknown) => {
      const sums = x as Tensor2D;
      (save as (saved: Tensor[]) => void)([sums]);
      return {
        value: sign(sums),
        gradFunc: (dy: Tensor, saved: Tensor[]) => mul(dy, cast(lessEqual(abs(saved[0]!), 1), "float32")),
      };
    })(s) as Tensor2D,
};

/** The derivatives of ½ Σ (y − t)² by all weights of a net `[inputs, units, 1]`, by automatic differentiation. */
export async function signGradients(
  net: Madaline,
  X: Matrix,
  t: readonly number[],
  kind: keyof typeof units,
): Promise<number[]> {
  const unit = units[kind];
  const hidden = net.sizes[1]!;
  const slopes = tidy(() => {
    const x = tensor2d(Float32Array.from(X.data), [X.rows, X.columns]);
    const targets = tensor2d([...t], [X.rows, 1]);
    const error = (W1: Tensor, W2: Tensor) => {
      const y1 = unit(matMul(x, W1 as Tensor2D, false, true)); // [rows, units]
      const [bias, weights] = [slice(W2, [0, 0], [1, 1]), slice(W2, [0, 1], [1, hidden])];
      const y2 = unit(add(matMul(y1, weights as Tensor2D, false, true), bias));
      const e = sub(y2, targets);
      return mul(0.5, sum(mul(e, e)));
    };
    return grads(error)([
      tensor2d(Float32Array.from(net.layers[0]!), [hidden, X.columns]),
      tensor2d(Float32Array.from(net.layers[1]!), [1, hidden + 1]),
    ]);
  });
  try {
    const numbers = await Promise.all(slopes.map((slope) => slope.data()));
    return numbers.flatMap((values) => [...values]);
  } finally {
    for (const slope of slopes) slope.dispose();
  }
}
