import type { ConvLayer, LayerCall } from "@gradlab/receptive-field";
import {
  concat,
  conv2d,
  depthwiseConv2d,
  pad as padZeros,
  reshape,
  slice,
  split,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
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
    const depthwise = spread(reshape(kernel, [kh, kw, groups, filters / groups]) as Tensor4D, dilation);
    return depthwiseConv2d(input, depthwise, stride, pad);
  }
  const kernels = split<Tensor4D>(kernel, groups, 3);
  const outputs = split<Tensor4D>(input, groups, 3).map((part, group) => {
    return conv2d(part, kernels[group]!, stride, pad, "NHWC", dilation);
  });
  return concat(outputs, 3);
}

/**
 * The kernel with `dilation - 1` zeros between its taps, which needs no dilation any more: tfjs-core has no gradient of
 * a depthwise convolution with one.
 */
function spread(kernel: Tensor4D, [dy, dx]: [number, number]): Tensor4D {
  if (dy === 1 && dx === 1) return kernel;
  const [kh, kw, groups, filters] = kernel.shape;
  const [height, width, rest] = [(kh - 1) * dy + 1, (kw - 1) * dx + 1, groups * filters];
  const rows = padZeros(reshape(kernel, [kh, 1, kw * rest]), [[0, 0], [0, dy - 1], [0, 0]]); // biome-ignore format: pairs
  const tall = slice(reshape(rows, [kh * dy, kw * rest]), 0, height);
  const columns = padZeros(reshape(tall, [height, kw, rest]), [[0, 0], [0, 0], [0, (dx - 1) * rest]]); // biome-ignore format: pairs
  const wide = slice(reshape(columns, [height, kw * dx, rest]), [0, 0, 0], [height, width, rest]);
  return reshape(wide, [height, width, groups, filters]);
}
