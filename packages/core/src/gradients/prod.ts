import {
  cumprod,
  type GradConfig,
  mul,
  reshape,
  type Tensor,
  transpose,
  util,
  zeros,
} from "@tensorflow/tfjs-core";

/**
 * The gradient of `prod(x)`: for each element, the product of all the others, by
 * cumulative products from both sides, so that zeros in `x` are no problem.
 *
 * tfjs-core computes the same with chained ops, which throw where these are not registered.
 */
export const prodGradient: GradConfig = {
  kernelName: "Prod",
  inputsToSave: ["x"],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [Tensor];
    const axes = util.parseAxisParam((attrs.axis as number | number[] | undefined) ?? [], x.shape);
    const reduced = axes.length > 0 ? axes : x.shape.map((_, i) => i);
    const kept = x.shape.map((_, i) => i).filter((i) => !reduced.includes(i));
    const order = [...kept, ...reduced];
    const outer = kept.map((i) => x.shape[i]!);
    const inner = reduced.map((i) => x.shape[i]!);
    return {
      x: () => {
        if (x.size === 0) return zeros(x.shape);
        const rows = [util.sizeFromShape(outer), util.sizeFromShape(inner)];
        const flat = reshape(transpose(x, order), rows);
        const others = mul(cumprod(flat, 1, true, false), cumprod(flat, 1, true, true));
        const gradient = mul(others, reshape(dy as Tensor, [rows[0]!, 1]));
        const undo = order.map((_, i) => order.indexOf(i));
        return transpose(reshape(gradient, [...outer, ...inner]), undo);
      },
    };
  },
};
