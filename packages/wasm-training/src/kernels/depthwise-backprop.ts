import { companionOf } from "../companion/companion.js";
import { slide } from "../companion/slide.js";
import { conv2dInfo, withOutputOf } from "../geometry.js";
import {
  allocate,
  allocateZeros,
  type BackendWasm,
  floats,
  release,
  sizeOf,
  type TensorInfo,
} from "../heap.js";
import { type KernelArguments, kernel, run } from "../kernel.js";
import { forEachTap, window2d } from "../window.js";
import { turnTaps } from "./turn-taps.js";

/** A depthwise filter turned by 180°. */
function turnedFilter(backend: BackendWasm, filter: TensorInfo): TensorInfo {
  const turned = allocate(backend, filter.shape);
  const elements = floats(backend, turned);
  elements.set(floats(backend, filter));
  turnTaps(elements, filter.shape);
  return turned;
}

type Shape4D = [number, number, number, number];

const infoOf = (inShape: number[], filterShape: number[], attrs: KernelArguments["attrs"]) =>
  conv2dInfo("depthwiseConv2d", inShape, filterShape, attrs, true);

/**
 * Both gradients of `depthwiseConv2d`, which the wasm backend lacks. The input
 * gradient at stride 1 with one filter for each channel is a depthwise
 * convolution of `dy` with the turned filter; the rest are loops over the taps.
 */
export const depthwiseBackpropKernels = () => [
  kernel("DepthwiseConv2dNativeBackpropInput", ({ inputs, backend, attrs }) => {
    const [dy, filter] = [inputs.dy!, inputs.filter!];
    const info = withOutputOf(infoOf(attrs.inputShape, filter.shape, attrs), dy, attrs);
    const multiplier = filter.shape[3]!;
    const top = info.effectiveFilterHeight - 1 - info.padInfo.top;
    const left = info.effectiveFilterWidth - 1 - info.padInfo.left;
    const bottom = info.inHeight - info.outHeight + info.padInfo.top;
    const right = info.inWidth - info.outWidth + info.padInfo.left;
    const unit = info.strideHeight === 1 && info.strideWidth === 1;
    if (multiplier === 1 && unit && Math.min(top, left, bottom, right) >= 0 && sizeOf(dy.shape) > 0) {
      const turned = turnedFilter(backend, filter);
      const dx = run(
        backend,
        "DepthwiseConv2dNative",
        { x: dy, filter: turned },
        {
          strides: [1, 1],
          dilations: [info.dilationHeight, info.dilationWidth],
          pad: [
            [0, 0],
            [top, bottom],
            [left, right],
            [0, 0],
          ],
        },
      );
      release(backend, turned);
      return dx;
    }
    const companion = companionOf(backend);
    const isEmpty = sizeOf(info.inShape) * sizeOf(dy.shape) === 0;
    if (companion !== undefined && multiplier === 1 && !isEmpty) {
      const x = allocate(backend, info.inShape);
      slide(backend, companion, "depthwiseInput", window2d(info), { x, filter, y: dy });
      return x;
    }
    const dx = allocateZeros(backend, info.inShape);
    const c = info.inChannels;
    const gradient = floats(backend, dy);
    const weights = floats(backend, filter);
    const to = floats(backend, dx);
    forEachTap(window2d(info), (pixel, tap, out) => {
      let w = tap * c * multiplier;
      let g = out * c * multiplier;
      for (let k = 0; k < c; k++) {
        let sum = 0;
        for (let q = 0; q < multiplier; q++) sum += weights[w++]! * gradient[g++]!;
        to[pixel * c + k]! += sum;
      }
    });
    return dx;
  }),
  kernel("DepthwiseConv2dNativeBackpropFilter", ({ inputs, backend, attrs }) => {
    const [x, dy] = [inputs.x!, inputs.dy!];
    const info = withOutputOf(infoOf(x.shape, attrs.filterShape, attrs), dy, attrs);
    const dw = allocate(backend, attrs.filterShape);
    const [, , c, multiplier] = attrs.filterShape as Shape4D;
    const companion = companionOf(backend);
    const isEmpty = sizeOf(x.shape) * sizeOf(dy.shape) * sizeOf(dw.shape) === 0;
    if (companion !== undefined && multiplier === 1 && !isEmpty) {
      slide(backend, companion, "depthwiseFilter", window2d(info), { x, filter: dw, y: dy });
      return dw;
    }
    const from = floats(backend, x);
    const gradient = floats(backend, dy);
    // Sums over the whole batch: in float64, and rounded once.
    const sums = new Float64Array(info.filterHeight * info.filterWidth * c * multiplier);
    forEachTap(window2d(info), (pixel, tap, out) => {
      let w = tap * c * multiplier;
      let g = out * c * multiplier;
      for (let k = 0; k < c; k++) {
        const value = from[pixel * c + k]!;
        for (let q = 0; q < multiplier; q++) sums[w++]! += value * gradient[g++]!;
      }
    });
    floats(backend, dw).set(sums);
    return dw;
  }),
];
