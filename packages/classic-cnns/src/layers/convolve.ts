import type { ConvLayer } from "@gradlab/receptive-field";
import type { LayerCall } from "@gradlab/receptive-field/measure";
import { concat, conv2d, depthwiseConv2d, reshape, split, type Tensor4D } from "@tensorflow/tfjs-core";
import { windowInput } from "./window-padding.js";

/**
 * A convolution layer without its bias: grouped ones as one convolution per group, depthwise ones by the op for them.
 *
 * @param x `[batch, h, w, channels]`.
 * @param kernel `[kh, kw, channels / groups, filters]`; the filters of a group stand together.
 */
export function convolve(x: Tensor4D, kernel: Tensor4D, call: LayerCall<ConvLayer>): Tensor4D {
  const { groups = 1 } = call.layer;
  const { x: input, pad } = windowInput(x, call);
  const stride = call.stride as [number, number];
  const dilation = call.dilation as [number, number];
  const [kh, kw, perGroup, filters] = kernel.shape;
  if (groups === 1) return conv2d(input, kernel, stride, pad, "NHWC", dilation);
  if (perGroup === 1) {
    const depthwise = reshape(kernel, [kh, kw, groups, filters / groups]) as Tensor4D;
    return depthwiseConv2d(input, depthwise, stride, pad, "NHWC", dilation);
  }
  const kernels = split<Tensor4D>(kernel, groups, 3);
  const outputs = split<Tensor4D>(input, groups, 3).map((part, group) => {
    return conv2d(part, kernels[group]!, stride, pad, "NHWC", dilation);
  });
  return concat(outputs, 3);
}
