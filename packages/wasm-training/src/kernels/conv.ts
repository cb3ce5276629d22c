import type { backend_util, KernelConfig, KernelFunc } from "@tensorflow/tfjs-core";
import { companionOf } from "../companion/companion.js";
import { convolve } from "../companion/convolution.js";
import { companionActivations, isRow } from "../companion/multiply.js";
import {
  channelsLastAttrs,
  conv2dInfo,
  conv3dInfo,
  exactAttrs,
  toChannelsFirst,
  toChannelsLast,
} from "../geometry.js";
import { allocateZeros, type BackendWasm, floats, release, sizeOf, type TensorInfo } from "../heap.js";
import { type KernelArguments, kernel, kernelOver, run } from "../kernel.js";
import { forEachTap, window2d, window3d } from "../window.js";
import { activate } from "./activate.js";
import { convolutionCosts } from "./convolution-costs.js";
import { isPadded, mendNonFinite, unlessSpoiled } from "./skip-padding.js";
import { convolveByTaps } from "./tap-products.js";

type Attrs = KernelArguments["attrs"];

/** Images with channels first are turned for the kernel, and its result is turned back. */
function withChannelsFirst(
  backend: BackendWasm,
  kernelName: string,
  { x, ...rest }: Record<string, TensorInfo>,
  attrs: Attrs,
): TensorInfo {
  const turned = toChannelsLast(backend, x!);
  const out = run(backend, kernelName, { x: turned, ...rest }, channelsLastAttrs(attrs));
  const result = toChannelsFirst(backend, out);
  release(backend, turned, out);
  return result;
}

/** XNNPACK never computes a padding by itself: what it makes of "same" is wrong where the stride outgrows the window. */
function byStock(
  stock: KernelFunc,
  { inputs, backend, attrs }: KernelArguments,
  info: backend_util.Conv2DInfo,
): TensorInfo | undefined {
  const exact = exactAttrs(attrs, info);
  return exact && (stock({ inputs, backend, attrs: exact as Attrs }) as TensorInfo);
}

/** The stock convolution is fast, unless its filter is large for its image: it packs the filter, and multiplies padding. */
const conv2dKernel = () =>
  kernelOver("Conv2D", ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const [x, filter] = [inputs.x!, inputs.filter!];
    if (attrs.dataFormat === "NCHW") return withChannelsFirst(backend, "Conv2D", { x, filter }, attrs);
    const info = conv2dInfo("conv2d", x.shape, filter.shape, attrs);
    if (sizeOf(x.shape) * sizeOf(filter.shape) * sizeOf(info.outShape) === 0) {
      return allocateZeros(backend, info.outShape);
    }
    const window = window2d(info);
    const companion = companionOf(backend);
    const exact = () => convolveByTaps(backend, x, filter, info.outShape, window);
    let fast: TensorInfo | undefined;
    if (companion !== undefined) fast = convolve(backend, companion, x, filter, info.outShape, window);
    else {
      const { whole, taps } = convolutionCosts(window, info.outChannels).forward;
      if (whole <= taps) fast = byStock(stock, { inputs, backend, attrs }, info);
    }
    if (fast === undefined) return exact();
    return isPadded(window) ? unlessSpoiled(backend, filter, fast, exact) : fast;
  });

/** The stock kernel is a plain loop that begins at the wrong place where the stride outgrows the window. */
const conv3dKernel = () =>
  kernel("Conv3D", ({ inputs, backend, attrs }) => {
    const [x, filter] = [inputs.x!, inputs.filter!];
    const info = conv3dInfo(x.shape, filter.shape, attrs);
    if (sizeOf(x.shape) * sizeOf(filter.shape) * sizeOf(info.outShape) === 0) {
      return allocateZeros(backend, info.outShape);
    }
    const window = window3d(info);
    const companion = companionOf(backend);
    const exact = () => convolveByTaps(backend, x, filter, info.outShape, window);
    if (companion === undefined) return exact();
    const fast = convolve(backend, companion, x, filter, info.outShape, window);
    return isPadded(window) ? unlessSpoiled(backend, filter, fast, exact) : fast;
  });

/** Any depthwise convolution, as a loop over its taps. */
function depthwiseByTaps(
  backend: BackendWasm,
  x: TensorInfo,
  filter: TensorInfo,
  info: backend_util.Conv2DInfo,
): TensorInfo {
  const out = allocateZeros(backend, info.outShape);
  const [, , channels, multiplier] = filter.shape as [number, number, number, number];
  const from = floats(backend, x);
  const weights = floats(backend, filter);
  const to = floats(backend, out);
  const sums = new Float64Array(to.length);
  forEachTap(window2d(info), (pixel, tap, at) => {
    let w = tap * channels * multiplier;
    let o = at * channels * multiplier;
    for (let c = 0; c < channels; c++) {
      const value = from[pixel * channels + c]!;
      for (let q = 0; q < multiplier; q++) sums[o++]! += value * weights[w++]!;
    }
  });
  to.set(sums);
  return out;
}

const depthwiseKernel = () =>
  kernelOver("DepthwiseConv2dNative", ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const [x, filter] = [inputs.x!, inputs.filter!];
    const info = conv2dInfo("depthwiseConv2d", x.shape, filter.shape, attrs, true);
    if (sizeOf(x.shape) * sizeOf(filter.shape) * sizeOf(info.outShape) === 0) {
      return allocateZeros(backend, info.outShape);
    }
    const exact = () => depthwiseByTaps(backend, x, filter, info);
    const fast = byStock(stock, { inputs, backend, attrs }, info);
    return fast === undefined ? exact() : mendNonFinite(backend, fast, exact);
  });

/** A bias or slope for each channel beside an image with channels first. */
const besideChannelsFirst = (x: TensorInfo): TensorInfo =>
  x.shape.length === 1 && x.shape[0] !== 1 ? { ...x, shape: [x.shape[0]!, 1, 1] } : x;

/**
 * A fused kernel as what it consists of. The stock ones take biases of one axis alone, have a padding of
 * their own, and turn NaN into 0; only the most usual case stays theirs.
 */
const fused = (kernelName: string, unfused: string, op: string, depthwise: boolean): KernelConfig =>
  kernelOver(kernelName, ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const [x, filter] = [inputs.x!, inputs.filter!];
    const { bias, preluActivationWeights } = inputs;
    const { activation = "linear", dataFormat } = attrs;
    const unfusedResult = () => {
      const turn = dataFormat === "NCHW" ? besideChannelsFirst : (tensor: TensorInfo) => tensor;
      let result = run(backend, unfused, { x, filter }, attrs);
      if (bias) {
        const sum = run(backend, "Add", { a: result, b: turn(bias) });
        release(backend, result);
        result = sum;
      }
      return activate(backend, result, attrs, preluActivationWeights && turn(preluActivationWeights));
    };
    if (dataFormat !== "NCHW") {
      const info = conv2dInfo(op, x.shape, filter.shape, attrs, depthwise);
      const companion = depthwise ? undefined : companionOf(backend);
      const byCompanion = companionActivations[activation];
      const isEmpty = sizeOf(x.shape) * sizeOf(filter.shape) * sizeOf(info.outShape) === 0;
      const usual = bias?.shape.length === 1 && bias.shape[0] === info.outChannels && activation === "linear";
      if (companion !== undefined && byCompanion !== undefined && !isEmpty && isRow(bias, info.outChannels)) {
        const options = { bias, activation: byCompanion };
        const window = window2d(info);
        const out = convolve(backend, companion, x, filter, info.outShape, window, options);
        return isPadded(window) ? unlessSpoiled(backend, filter, out, unfusedResult) : out;
      }
      const out = usual && !isEmpty ? byStock(stock, { inputs, backend, attrs }, info) : undefined;
      if (out) return mendNonFinite(backend, out, unfusedResult);
    }
    return unfusedResult();
  });

export const convKernels = (): KernelConfig[] => [
  conv2dKernel(),
  conv3dKernel(),
  depthwiseKernel(),
  fused("FusedConv2D", "Conv2D", "fused.conv2d", false),
  fused("FusedDepthwiseConv2D", "DepthwiseConv2dNative", "fused.depthwiseConv2d", true),
];
