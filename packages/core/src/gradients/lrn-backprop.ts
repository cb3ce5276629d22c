import {
  add,
  type GradConfig,
  type LRNGradAttrs,
  matMul,
  mul,
  pow,
  reshape,
  square,
  sub,
  type Tensor,
  tensor2d,
  zeros,
} from "@tensorflow/tfjs-core";

/**
 * The gradient of the gradient of local response normalization. With `N = bias + α W(x²)`, where W sums over neighboring
 * channels, the gradient is `dy N^-β - 2 α β x W(dy x N^(-β-1))`. tfjs-core has none.
 */
export const lrnGradGradient: GradConfig = {
  kernelName: "LRNGrad",
  inputsToSave: ["x", "y", "dy"],
  gradFunc: (gradient, saved, attrs) => {
    const [x, y, dy] = saved as [Tensor, Tensor, Tensor];
    const g = gradient as Tensor;
    const { depthRadius, bias, alpha, beta } = attrs as unknown as LRNGradAttrs;
    const channels = x.shape.at(-1)!;
    const neighbors = () =>
      tensor2d(
        Array.from({ length: channels * channels }, (_, i) =>
          Math.abs((i % channels) - Math.floor(i / channels)) <= depthRadius ? 1 : 0,
        ),
        [channels, channels],
      );
    const around = (v: Tensor) => reshape(matMul(reshape(v, [-1, channels]), neighbors()), v.shape);
    const norm = () => add(mul(around(square(x)), alpha), bias);
    return {
      dy: () => {
        const n = norm();
        const spread = around(mul(g, x));
        return sub(mul(g, pow(n, -beta)), mul(mul(mul(x, pow(n, -beta - 1)), spread), 2 * alpha * beta));
      },
      x: () => {
        const n = norm();
        const q = pow(n, -beta - 1);
        const gx = around(mul(g, x));
        // Where x stands outside of N …
        const direct = add(mul(g, around(mul(mul(dy, x), q))), mul(mul(gx, dy), q));
        // … and what changes with N.
        const first = mul(mul(mul(g, dy), q), -beta);
        const second = mul(mul(mul(gx, mul(dy, x)), pow(n, -beta - 2)), 2 * alpha * beta * (beta + 1));
        const through = mul(mul(x, around(add(first, second))), 2 * alpha);
        return sub(through, mul(direct, 2 * alpha * beta));
      },
      y: () => zeros(y.shape),
    };
  },
};
