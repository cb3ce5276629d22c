import { backend_util } from "@tensorflow/tfjs-core";
import { companionOf } from "../companion/companion.js";
import { convolve } from "../companion/convolution.js";
import { type KernelArguments, kernelOver, sizeOf } from "../heap.js";
import { window2d } from "../window.js";
import { convolutionCosts } from "./convolution-costs.js";
import { convolveByTaps } from "./tap-products.js";

/** The stock convolution is fast, unless its filter is large for its image: it packs the filter, and multiplies padding. */
export const conv2dKernel = () =>
  kernelOver("Conv2D", ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const [x, filter] = [inputs.x!, inputs.filter!];
    const isFloat = x.dtype === "float32" && filter.dtype === "float32";
    if (attrs.dataFormat === "NCHW" || !isFloat || sizeOf(x.shape) * sizeOf(filter.shape) === 0) {
      return stock({ inputs, backend, attrs });
    }
    const { strides, pad, dilations, dimRoundingMode } = attrs;
    const shape = x.shape as [number, number, number, number];
    const filterShape = filter.shape as [number, number, number, number];
    const info = backend_util.computeConv2DInfo(shape, filterShape, strides, dilations, pad, dimRoundingMode);
    const window = window2d(info);
    const companion = companionOf(backend);
    if (companion !== undefined) return convolve(backend, companion, x, filter, info.outShape, window);
    const { whole, taps } = convolutionCosts(window, info.outChannels).forward;
    if (whole <= taps) return stock({ inputs, backend, attrs });
    return convolveByTaps(backend, x, filter, info.outShape, window);
  });
