import { backend_util } from "@tensorflow/tfjs-core";
import { allocate, allocateZeros, type BackendWasm, floats, type TensorInfo } from "../heap.js";
import { type KernelArguments, kernel } from "../kernel.js";
import { forEachTap, type SlidingWindow, window2d } from "../window.js";

function windowOf(x: TensorInfo, filter: TensorInfo, attrs: KernelArguments["attrs"]) {
  const shape = x.shape as [number, number, number, number];
  const filterShape = filter.shape as [number, number, number];
  const { strides, pad, dilations } = attrs;
  const info = backend_util.computeDilation2DInfo(shape, filterShape, strides, pad, "NHWC", dilations);
  return { info, window: window2d(info) };
}

/** For each output, which pixel and which tap gave the largest sum: positions in `x` and in `filter`. */
function winners(backend: BackendWasm, x: TensorInfo, filter: TensorInfo, window: SlidingWindow) {
  const c = window.channels;
  const image = floats(backend, x);
  const weights = floats(backend, filter);
  const outputs = window.batch * window.output[1] * window.output[2] * c;
  const largest = new Float32Array(outputs).fill(Number.NEGATIVE_INFINITY);
  // A window without an element of the image has none.
  const pixels = new Int32Array(outputs).fill(-1);
  const taps = new Int32Array(outputs).fill(-1);
  forEachTap(window, (pixel, tap, out) => {
    for (let k = 0; k < c; k++) {
      const value = image[pixel * c + k]! + weights[tap * c + k]!;
      if (value > largest[out * c + k]!) {
        largest[out * c + k] = value;
        pixels[out * c + k] = pixel * c + k;
        taps[out * c + k] = tap * c + k;
      }
    }
  });
  return { largest, pixels, taps };
}

/** Morphological dilation and its gradients; the stock kernel takes sums below zero for zero. */
export const dilation2dKernels = () => [
  kernel("Dilation2D", ({ inputs, backend, attrs }) => {
    const [x, filter] = [inputs.x!, inputs.filter!];
    const { info, window } = windowOf(x, filter, attrs);
    const out = allocate(backend, info.outShape);
    floats(backend, out).set(winners(backend, x, filter, window).largest);
    return out;
  }),
  kernel("Dilation2DBackpropInput", ({ inputs, backend, attrs }) => {
    const [x, filter, dy] = [inputs.x!, inputs.filter!, inputs.dy!];
    const dx = allocateZeros(backend, x.shape);
    const { pixels } = winners(backend, x, filter, windowOf(x, filter, attrs).window);
    const gradient = floats(backend, dy);
    const to = floats(backend, dx);
    for (const [i, pixel] of pixels.entries()) if (pixel >= 0) to[pixel]! += gradient[i]!;
    return dx;
  }),
  kernel("Dilation2DBackpropFilter", ({ inputs, backend, attrs }) => {
    const [x, filter, dy] = [inputs.x!, inputs.filter!, inputs.dy!];
    const dw = allocateZeros(backend, filter.shape);
    const { taps } = winners(backend, x, filter, windowOf(x, filter, attrs).window);
    const gradient = floats(backend, dy);
    const to = floats(backend, dw);
    for (const [i, tap] of taps.entries()) if (tap >= 0) to[tap]! += gradient[i]!;
    return dw;
  }),
];
