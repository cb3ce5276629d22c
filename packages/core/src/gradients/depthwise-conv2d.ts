import {
  backend_util,
  type DepthwiseConv2dNativeAttrs,
  depthwiseConv2d,
  engine,
  expandDims,
  type GradConfig,
  mul,
  type NamedAttrMap,
  pad as padZeros,
  type Rank,
  reshape,
  reverse,
  slice,
  stack,
  sum,
  type Tensor,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import { explicitPad, type Pad } from "./explicit-pad.js";

/** Pads by the numbers of elements before and after along height and width; negative numbers cut off. */
function fit(x: Tensor4D, rows: [number, number], columns: [number, number]): Tensor4D {
  const margins = [[0, 0], rows, columns, [0, 0]] as const;
  const begin = margins.map(([before]) => Math.max(0, -before));
  const size = x.shape.map((n, i) => n - begin[i]! - Math.max(0, -margins[i]![1]));
  return padZeros(
    slice(x, begin as [number, number, number, number], size as [number, number, number, number]),
    margins.map(([before, after]) => [Math.max(0, before), Math.max(0, after)] as [number, number]),
  );
}

/**
 * The gradients of a dilated depthwise convolution, whose stride is 1.
 *
 * - `dx`: `dy`, padded by what the dilated filter overlaps, convolved with the filter turned by 180° at the same
 *   dilation, each of its channels by itself; those of one input channel are added.
 * - `dw`: for each tap the sum over the image, shifted to where the tap touches it, times `dy`.
 */
function dilatedGradients(
  dy: Tensor4D,
  x: Tensor4D,
  filter: Tensor4D,
  info: backend_util.Conv2DInfo,
): { dx: () => Tensor4D; dw: () => Tensor4D } {
  const [batch, height, width, channels] = x.shape;
  const [taps, across, , times] = filter.shape;
  const { outHeight, outWidth, dilationHeight, dilationWidth, padInfo } = info;
  const [reachY, reachX] = [(taps - 1) * dilationHeight, (across - 1) * dilationWidth];
  const { top, left } = padInfo;
  const dx = () => {
    const turned = reshape(reverse(filter, [0, 1]), [taps, across, channels * times, 1]) as Tensor4D;
    const wide = fit(dy, [reachY - top, height - outHeight + top], [reachX - left, width - outWidth + left]);
    const each = depthwiseConv2d(wide, turned, 1, "valid", "NHWC", [dilationHeight, dilationWidth]);
    return reshape<Rank.R4>(sum(reshape(each, [batch, height, width, channels, times]), -1), x.shape);
  };
  const dw = () => {
    const wide = fit(x, [top, outHeight + reachY - height - top], [left, outWidth + reachX - width - left]);
    const outputs = reshape(dy, [batch * outHeight * outWidth, channels, times]);
    const tap = (i: number, j: number): Tensor => {
      const touched = slice(
        wide,
        [0, i * dilationHeight, j * dilationWidth, 0],
        [batch, outHeight, outWidth, channels],
      );
      return sum(mul(expandDims(reshape(touched, [batch * outHeight * outWidth, channels]), -1), outputs), 0);
    };
    const all = Array.from({ length: taps * across }, (_, n) => tap(Math.floor(n / across), n % across));
    return reshape<Rank.R4>(stack(all), filter.shape);
  };
  return { dx, dw };
}

/** The gradients of a depthwise convolution with respect to image and filter. */
export function depthwiseConv2dGradients(
  dy: Tensor4D,
  x: Tensor4D,
  filter: Tensor4D,
  attrs: DepthwiseConv2dNativeAttrs,
): { dx: () => Tensor4D; dw: () => Tensor4D } {
  const { strides, dimRoundingMode } = attrs;
  const dilations = attrs.dilations ?? [1, 1]; // tfjs-layers passes null
  const pad = explicitPad(attrs.pad as Pad);
  if (!backend_util.tupleValuesAreOne(dilations)) {
    const info = backend_util.computeConv2DInfo(
      x.shape,
      filter.shape,
      strides,
      dilations,
      pad,
      dimRoundingMode,
      true,
    );
    return dilatedGradients(dy, x, filter, info);
  }
  const run = (kernel: string, inputs: Record<string, Tensor4D>, shape: Record<string, number[]>) => {
    const all = { strides, pad, dimRoundingMode, dilations, ...shape } as unknown as NamedAttrMap;
    return engine().runKernel(kernel, inputs, all) as Tensor4D;
  };
  return {
    dx: () => run("DepthwiseConv2dNativeBackpropInput", { dy, filter }, { inputShape: x.shape }),
    dw: () => run("DepthwiseConv2dNativeBackpropFilter", { x, dy }, { filterShape: filter.shape }),
  };
}

/**
 * The gradient of `depthwiseConv2d`.
 *
 * Unlike tfjs-core, with dilation too, which tfjs-core refuses, and with a numeric padding around windows that are not
 * square.
 */
export const depthwiseConv2dGradient: GradConfig = {
  kernelName: "DepthwiseConv2dNative",
  inputsToSave: ["x", "filter"],
  gradFunc: (dy, saved, attrs) => {
    const [x, filter] = saved as [Tensor4D, Tensor4D];
    const { dx, dw } = depthwiseConv2dGradients(
      dy as Tensor4D,
      x,
      filter,
      attrs as unknown as DepthwiseConv2dNativeAttrs,
    );
    return { x: dx, filter: dw };
  },
};
