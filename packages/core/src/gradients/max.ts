import {
  backend_util,
  cast,
  div,
  equal,
  type GradConfig,
  mul,
  reshape,
  sum,
  type Tensor,
  util,
} from "@tensorflow/tfjs-core";

/**
 * The gradients of `max` and `min`: to the element that was chosen, in equal shares where there are several.
 *
 * Unlike tfjs-core, which gives the whole gradient to each of several equal elements.
 */
export const maxGradients: readonly GradConfig[] = (
  [
    ["Max", "reductionIndices"],
    ["Min", "axis"],
  ] as const
).map(([kernelName, axisName]) => ({
  kernelName,
  inputsToSave: ["x"],
  outputsToSave: [true],
  gradFunc: (dy, saved, attrs) => {
    const [x, y] = saved as [Tensor, Tensor];
    const axes = util.parseAxisParam(attrs[axisName] as number | number[], x.shape);
    const kept = backend_util.expandShapeToKeepDim(
      x.shape.filter((_, i) => !axes.includes(i)),
      axes,
    );
    return {
      x: () => {
        const chosen = cast(equal(x, reshape(y, kept)), "float32");
        return mul(div(chosen, sum(chosen, axes, true)), reshape(dy as Tensor, kept));
      },
    };
  },
}));
