import { runFused } from "@gradlab/core";
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

const root = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/**
 * Gaussian error linear unit: `x Φ(x)`, Φ the normal distribution. Differentiable twice; `x` and Φ are kept for the
 * gradient, `x` alone where the backend has the fused kernel.
 *
 * @param form `"exact"` unless given. (tfjs's `erf` is good to 1.5e-7; the fused kernel keeps the digits of the tail.)
 * @returns The shape of `x`; the caller disposes it.
 * @see Hendrycks and Gimpel 2016, §2, https://arxiv.org/abs/1606.08415
 */
export function gelu<T extends Tensor>(x: T, form: GeluForm = "exact"): T {
  if (form !== "exact" && form !== "tanh") {
    throw new RangeError(`gelu: form: expected "exact" or "tanh", got ${JSON.stringify(form)}`);
  }
  const { phi, slope } = forms[form];
  return tidy(() => {
    const fused = runFused("GradlabGelu", { x }, { approximate: form === "tanh" ? 1 : 0 });
    if (fused !== null) return fused[0]!;
    if (engine().state.gradientDepth > 1) return mul(x, phi(x)); // the gradient by hand has none of its own
    return customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
      const [given, save] = inputs as [Tensor, GradSaveFunc];
      const share = phi(given);
      save([given, share]);
      return {
        value: mul(given, share),
        gradFunc: (dy: Tensor, [x, share]: Tensor[]) => mul(dy, slope(x!, share!)),
      };
    })(x);
  }) as T;
}

/** Φ, and the slope of x Φ(x) by x and Φ. */
const forms: Readonly<
  Record<GeluForm, { phi: (x: Tensor) => Tensor; slope: (x: Tensor, phi: Tensor) => Tensor }>
> = {
  exact: {
    phi: (x) => add(mul(erf(mul(x, Math.SQRT1_2)), 0.5), 0.5),
    // Φ + x φ(x)
    slope: (x, phi) => add(phi, mul(x, mul(exp(mul(square(x), -0.5)), root / 2))),
  },
  tanh: {
    phi: (x) => add(mul(tanh(mul(x, add(mul(square(x), root * cubic), root))), 0.5), 0.5),
    // With Φ = ½ (1 + tanh u): ½ (1 - tanh² u) = 2 Φ (1 - Φ), times x u'.
    slope: (x, phi) => {
      const bent = mul(x, add(mul(square(x), 6 * root * cubic), 2 * root));
      return add(phi, mul(mul(phi, sub(1, phi)), bent));
    },
  },
};
