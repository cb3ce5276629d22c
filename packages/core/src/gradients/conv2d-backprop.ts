import {
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropInputAttrs,
  conv2d,
  depthwiseConv2d,
  engine,
  type GradConfig,
  type NamedAttrMap,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import { explicitPad, type Pad } from "./explicit-pad.js";

const run = (kernel: string, inputs: Record<string, Tensor4D>, attrs: object): Tensor4D =>
  engine().runKernel(kernel, inputs, attrs as NamedAttrMap);

/** What the gradients of a convolution and their gradients have in common. */
function shared(attrs: object) {
  const {
    strides,
    dimRoundingMode,
    dataFormat = "NHWC",
    ...rest
  } = attrs as Conv2DBackpropInputAttrs | Conv2DBackpropFilterAttrs;
  return { strides, dimRoundingMode, dataFormat, pad: explicitPad(rest.pad as Pad, dataFormat) };
}

/**
 * The gradients of the gradients of `conv2d` and `depthwiseConv2d` (of which one is `conv2dTranspose`). A convolution is
 * linear in the image and in the filter, so that each of these is the convolution or one of its gradients again.
 *
 * tfjs-core has the one of `conv2dTranspose`.
 */
export const conv2dBackpropGradients: readonly GradConfig[] = [
  {
    kernelName: "Conv2DBackpropInput",
    inputsToSave: ["dy", "filter"],
    gradFunc: (gradient, saved, attrs) => {
      const [dy, filter] = saved as [Tensor4D, Tensor4D];
      const ddx = gradient as Tensor4D;
      const common = shared(attrs);
      const { strides, pad, dataFormat, dimRoundingMode } = common;
      return {
        dy: () => conv2d(ddx, filter, strides, pad, dataFormat, 1, dimRoundingMode),
        filter: () => run("Conv2DBackpropFilter", { x: ddx, dy }, { ...common, filterShape: filter.shape }),
      };
    },
  },
  {
    kernelName: "Conv2DBackpropFilter",
    inputsToSave: ["x", "dy"],
    gradFunc: (gradient, saved, attrs) => {
      const [x, dy] = saved as [Tensor4D, Tensor4D];
      const ddw = gradient as Tensor4D;
      const common = shared(attrs);
      const { strides, pad, dataFormat, dimRoundingMode } = common;
      return {
        x: () => run("Conv2DBackpropInput", { dy, filter: ddw }, { ...common, inputShape: x.shape }),
        dy: () => conv2d(x, ddw, strides, pad, dataFormat, 1, dimRoundingMode),
      };
    },
  },
  {
    kernelName: "DepthwiseConv2dNativeBackpropInput",
    inputsToSave: ["dy", "filter"],
    gradFunc: (gradient, saved, attrs) => {
      const [dy, filter] = saved as [Tensor4D, Tensor4D];
      const ddx = gradient as Tensor4D;
      const { strides, pad, dimRoundingMode } = shared(attrs);
      const common = { strides, pad, dimRoundingMode, dilations: [1, 1] };
      return {
        dy: () => depthwiseConv2d(ddx, filter, strides, pad, "NHWC", 1, dimRoundingMode),
        filter: () =>
          run(
            "DepthwiseConv2dNativeBackpropFilter",
            { x: ddx, dy },
            { ...common, filterShape: filter.shape },
          ),
      };
    },
  },
  {
    kernelName: "DepthwiseConv2dNativeBackpropFilter",
    inputsToSave: ["x", "dy"],
    gradFunc: (gradient, saved, attrs) => {
      const [x, dy] = saved as [Tensor4D, Tensor4D];
      const ddw = gradient as Tensor4D;
      const { strides, pad, dimRoundingMode } = shared(attrs);
      const common = { strides, pad, dimRoundingMode, dilations: [1, 1] };
      return {
        x: () =>
          run("DepthwiseConv2dNativeBackpropInput", { dy, filter: ddw }, { ...common, inputShape: x.shape }),
        dy: () => depthwiseConv2d(x, ddw, strides, pad, "NHWC", 1, dimRoundingMode),
      };
    },
  },
];
