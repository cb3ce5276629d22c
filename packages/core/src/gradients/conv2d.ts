import {
  backend_util,
  type Conv2DAttrs,
  conv2d,
  engine,
  type GradConfig,
  type NamedAttrMap,
  reverse,
  slice,
  type Tensor4D,
  transpose,
} from "@tensorflow/tfjs-core";
import { explicitPad, type Pad } from "./explicit-pad.js";

/** Rows above and below, columns before and after; a negative number cuts off. */
type Margins = [above: number, below: number, before: number, after: number];

function convolve(
  x: Tensor4D,
  filter: Tensor4D,
  [above, below, before, after]: Margins,
  stride: [number, number],
  dilation: [number, number],
): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const cut = [above, below, before, after].map((margin) => Math.max(0, -margin)) as Margins;
  const inside = cut.every((n) => n === 0)
    ? x
    : slice(x, [0, cut[0], cut[2], 0], [batch, height - cut[0] - cut[1], width - cut[2] - cut[3], channels]);
  const [top, bottom, left, right] = [above, below, before, after].map((margin) =>
    Math.max(0, margin),
  ) as Margins;
  return conv2d(
    inside,
    filter,
    stride,
    [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    "NHWC",
    dilation,
  );
}

/**
 * The gradients of a dilated convolution are convolutions again.
 *
 * - `dx`: `dy`, padded by what the dilated filter overlaps, convolved with the
 *   filter turned by 180° and its channels swapped, at the same dilation.
 * - `dw`: with batch and channels swapped `x` is the image `[c, h, w, b]` and `dy`
 *   the filter `[oh, ow, b, o]`; the dilation is the stride from one tap to the next.
 */
function dilatedGradients(
  dy: Tensor4D,
  x: Tensor4D,
  filter: Tensor4D,
  info: backend_util.Conv2DInfo,
): { dx: () => Tensor4D; dw: () => Tensor4D } {
  const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth } = info;
  const { dilationHeight, dilationWidth, effectiveFilterHeight, effectiveFilterWidth } = info;
  const { top, left } = info.padInfo;
  const dilation: [number, number] = [dilationHeight, dilationWidth];
  const dx = () => {
    const turned = transpose(reverse(filter, [0, 1]), [0, 1, 3, 2]);
    const margins: Margins = [
      effectiveFilterHeight - 1 - top,
      inHeight - outHeight + top,
      effectiveFilterWidth - 1 - left,
      inWidth - outWidth + left,
    ];
    return convolve(dy, turned, margins, [1, 1], dilation);
  };
  const dw = () => {
    const margins: Margins = [
      top,
      (filterHeight - 1) * dilationHeight + outHeight - inHeight - top,
      left,
      (filterWidth - 1) * dilationWidth + outWidth - inWidth - left,
    ];
    const taps = convolve(transpose(x, [3, 1, 2, 0]), transpose(dy, [1, 2, 0, 3]), margins, dilation, [1, 1]);
    return transpose(taps, [1, 2, 0, 3]);
  };
  return { dx, dw };
}

const channelsLast = (x: Tensor4D): Tensor4D => transpose(x, [0, 2, 3, 1]);
const channelsFirst = (x: Tensor4D): Tensor4D => transpose(x, [0, 3, 1, 2]);

/** The gradients of a convolution with respect to image and filter. */
export function conv2dGradients(
  dy: Tensor4D,
  x: Tensor4D,
  filter: Tensor4D,
  attrs: Conv2DAttrs,
): { dx: () => Tensor4D; dw: () => Tensor4D } {
  const { strides, dataFormat = "NHWC", dimRoundingMode } = attrs;
  const dilations = attrs.dilations ?? [1, 1]; // tfjs-layers passes null
  // `conv1d` is a conv2d of rows, from row to row by 1; above and below a row there is no padding.
  const isRow =
    dataFormat === "NHWC" &&
    typeof attrs.pad === "number" &&
    [strides].flat()[0] === 1 &&
    [x, dy].every(({ shape }) => shape[1] === 1) &&
    filter.shape[0] === 1;
  const pad: ReturnType<typeof explicitPad> = isRow
    ? [[0, 0], [0, 0], [attrs.pad as number, attrs.pad as number], [0, 0]] // biome-ignore format: a table
    : explicitPad(attrs.pad as Pad, dataFormat);
  if (!backend_util.tupleValuesAreOne(dilations)) {
    const format = backend_util.convertConv2DDataFormat(dataFormat);
    const info = backend_util.computeConv2DInfo(
      x.shape,
      filter.shape,
      strides,
      dilations,
      pad,
      dimRoundingMode,
      false,
      format,
    );
    if (dataFormat !== "NCHW") return dilatedGradients(dy, x, filter, info);
    const { dx, dw } = dilatedGradients(channelsLast(dy), channelsLast(x), filter, info);
    return { dx: () => channelsFirst(dx()), dw };
  }
  const run = (kernel: string, inputs: Record<string, Tensor4D>, shape: Record<string, number[]>) => {
    const all = { strides, pad, dataFormat, dimRoundingMode, ...shape } as unknown as NamedAttrMap;
    return engine().runKernel(kernel, inputs, all) as Tensor4D;
  };
  return {
    dx: () => run("Conv2DBackpropInput", { dy, filter }, { inputShape: x.shape }),
    dw: () => run("Conv2DBackpropFilter", { x, dy }, { filterShape: filter.shape }),
  };
}

/**
 * The gradient of `conv2d`.
 *
 * Unlike tfjs-core, with dilation too, which tfjs-core refuses (`strides` and `dilations` are never both above 1, conv2d
 * itself sees to that), and with a numeric padding around windows that are not square.
 */
export const conv2dGradient: GradConfig = {
  kernelName: "Conv2D",
  inputsToSave: ["x", "filter"],
  gradFunc: (dy, saved, attrs) => {
    const [x, filter] = saved as [Tensor4D, Tensor4D];
    const { dx, dw } = conv2dGradients(dy as Tensor4D, x, filter, attrs as unknown as Conv2DAttrs);
    return { x: dx, filter: dw };
  },
};
