import {
  add,
  customGrad,
  engine,
  erf,
  exp,
  type GradSaveFunc,
  mul,
  square,
  sub,
  type Tensor,
  tanh,
  tidy,
} from "@tensorflow/tfjs-core";

/** Φ by the error function, or by GPT-2's `½ (1 + tanh(√(2/π) (x + 0.044715 x³)))`. */
export type GeluForm = "exact" | "tanh";

const slope = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/**
 * Gaussian error linear unit: `x Φ(x)`, Φ the normal distribution. Differentiable twice; only `x` is kept for the
 * gradient.
 *
 * @param form `"exact"` unless given. (tfjs's `erf` is good to 1.5e-7.)
 * @returns The shape of `x`; the caller disposes it.
 * @see Hendrycks and Gimpel 2016, §2, https://arxiv.org/abs/1606.08415
 */
export function gelu<T extends Tensor>(x: T, form: GeluForm = "exact"): T {
  if (form !== "exact" && form !== "tanh") {
    throw new RangeError(`gelu: form: expected "exact" or "tanh", got ${JSON.stringify(form)}`);
  }
  const phi = form === "exact" ? exactPhi : tanhPhi;
  return tidy(() => {
    if (engine().state.gradientDepth > 1) return mul(x, phi(x)); // the gradient by hand has none of its own
    return customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
      const [given, save] = inputs as [Tensor, GradSaveFunc];
      save([given]);
      return {
        value: mul(given, phi(given)),
        gradFunc: (dy: Tensor, [saved]: Tensor[]) =>
          mul(dy, form === "exact" ? exactSlope(saved!) : tanhSlope(saved!)),
      };
    })(x);
  }) as T;
}

const exactPhi = (x: Tensor): Tensor => add(mul(erf(mul(x, Math.SQRT1_2)), 0.5), 0.5);

/** Φ(x) + x φ(x). */
const exactSlope = (x: Tensor): Tensor => add(exactPhi(x), mul(x, mul(exp(mul(square(x), -0.5)), slope / 2)));

const inner = (x: Tensor): Tensor => tanh(mul(x, add(mul(square(x), slope * cubic), slope)));

const tanhPhi = (x: Tensor): Tensor => add(mul(inner(x), 0.5), 0.5);

function tanhSlope(x: Tensor): Tensor {
  const y = inner(x);
  const bent = mul(sub(1, square(y)), mul(x, add(mul(square(x), 1.5 * slope * cubic), 0.5 * slope)));
  return add(add(mul(y, 0.5), 0.5), bent);
}
