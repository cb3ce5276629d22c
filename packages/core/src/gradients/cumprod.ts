import {
  add,
  type CumprodAttrs,
  cumprod,
  type GradConfig,
  mul,
  pad,
  reshape,
  reverse,
  slice,
  type Tensor,
  transpose,
  util,
  zeros,
} from "@tensorflow/tfjs-core";

/** `x` of `[rows, n]` shifted to the left by d, zeros coming in. */
function shift(x: Tensor, d: number): Tensor {
  const [rows, n] = x.shape as [number, number];
  return pad(slice(x, [0, d], [rows, n - d]), [
    [0, 0],
    [0, d],
  ]);
}

/** `s[i] = b[i] + a[i] s[i + 1]` along the rows, from behind, in log₂ n steps: each composes two of these maps. */
function recur(a: Tensor, b: Tensor): Tensor {
  const n = a.shape[1]!;
  let [factor, offset] = [a, b];
  for (let d = 1; d < n; d *= 2) {
    offset = add(offset, mul(factor, shift(offset, d)));
    factor = mul(factor, shift(factor, d));
  }
  return offset;
}

/**
 * The gradient of `cumprod`: the product of what lies before an element times the sum over the products behind it
 * without the element, weighted with `dy`. Nothing is divided, so that zeros are no problem.
 *
 * tfjs-core has none.
 */
export const cumprodGradient: GradConfig = {
  kernelName: "Cumprod",
  inputsToSave: ["x"],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [Tensor];
    const typed = attrs as unknown as CumprodAttrs;
    return {
      x: () => {
        if (x.size === 0) return zeros(x.shape);
        const axis = util.parseAxisParam(typed.axis, x.shape)[0]!;
        const n = x.shape[axis]!;
        const inner = util.sizeFromShape(x.shape.slice(axis + 1));
        const outer = x.size / (n * inner);
        const turn = (z: Tensor) => (typed.reverse ? reverse(z, 1) : z);
        const rows = (z: Tensor) =>
          turn(reshape(transpose(reshape(z, [outer, n, inner]), [0, 2, 1]), [outer * inner, n]));
        const [values, weights] = [rows(x), rows(dy as Tensor)];
        const behind = typed.exclusive ? shift(recur(values, weights), 1) : recur(shift(values, 1), weights);
        const gradient = turn(mul(cumprod(values, 1, true), behind));
        return reshape(transpose(reshape(gradient, [outer, inner, n]), [0, 2, 1]), x.shape);
      },
    };
  },
};
