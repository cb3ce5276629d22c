import { type CumsumAttrs, cumsum, type GradConfig, type Tensor, util } from "@tensorflow/tfjs-core";

/**
 * The gradient of `cumsum`: the cumulative sum of `dy` from the other side.
 *
 * Unlike tfjs-core, which transposes it along any axis but the last.
 */
export const cumsumGradient: GradConfig = {
  kernelName: "Cumsum",
  gradFunc: (gradient, _saved, attrs) => {
    const dy = gradient as Tensor;
    const { axis, exclusive, reverse } = attrs as unknown as CumsumAttrs;
    const along = util.parseAxisParam(axis, dy.shape)[0]!;
    return { x: () => cumsum(dy, along, exclusive, !reverse) };
  },
};
