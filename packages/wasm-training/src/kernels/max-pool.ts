import { backend_util } from "@tensorflow/tfjs-core";
import { allocate, allocateZeros, type BackendWasm, floats, kernel, type TensorInfo } from "../heap.js";
import { forEachTap, type SlidingWindow, window2d, window3d } from "../window.js";

/** The largest element of each window; NaN if there is one. */
function maxPool(backend: BackendWasm, x: TensorInfo, outShape: number[], window: SlidingWindow): TensorInfo {
  const out = allocate(backend, outShape);
  const c = window.channels;
  const from = floats(backend, x);
  const to = floats(backend, out).fill(Number.NEGATIVE_INFINITY);
  forEachTap(window, (pixel, _tap, at) => {
    const [i, j] = [pixel * c, at * c];
    for (let k = 0; k < c; k++) {
      const value = from[i + k]!;
      if (value > to[j + k]! || Number.isNaN(value)) to[j + k] = value;
    }
  });
  return out;
}

/** Hands each element of `dy` to the first largest element of its window. */
function maxPoolGradient(
  backend: BackendWasm,
  dy: TensorInfo,
  x: TensorInfo,
  window: SlidingWindow,
): TensorInfo {
  const dx = allocateZeros(backend, x.shape);
  const c = window.channels;
  const from = floats(backend, x);
  const gradient = floats(backend, dy);
  const to = floats(backend, dx);
  const largest = new Float32Array(c);
  const winner = new Int32Array(c);
  let current = -1;
  const award = () => {
    if (current < 0) return;
    for (let k = 0; k < c; k++) to[winner[k]!]! += gradient[current * c + k]!;
  };
  forEachTap(window, (pixel, _tap, out) => {
    const i = pixel * c;
    if (out !== current) {
      award();
      current = out;
      for (let k = 0; k < c; k++) {
        largest[k] = from[i + k]!;
        winner[k] = i + k;
      }
      return;
    }
    for (let k = 0; k < c; k++) {
      const value = from[i + k]!;
      if (value > largest[k]! || Number.isNaN(value)) {
        largest[k] = value;
        winner[k] = i + k;
      }
    }
  });
  award();
  return dx;
}

/**
 * The three stock kernels look for the maximum from the smallest positive
 * number upwards, so that a window without a positive element goes wrong.
 */
export const maxPoolKernels = () => [
  kernel("MaxPoolGrad", ({ inputs, backend, attrs }) => {
    const { filterSize, strides, pad, dimRoundingMode } = attrs;
    const x = inputs.input!;
    const shape = x.shape as [number, number, number, number];
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    return maxPoolGradient(backend, inputs.dy!, x, window2d(info));
  }),
  kernel("MaxPool3D", ({ inputs, backend, attrs }) => {
    const { filterSize, strides, pad, dimRoundingMode, dataFormat } = attrs;
    const x = inputs.x!;
    const shape = x.shape as [number, number, number, number, number];
    const info = backend_util.computePool3DInfo(
      shape,
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
      dataFormat,
    );
    if (info.dataFormat !== "channelsLast") {
      throw new Error(`maxPool3d: dataFormat: expected NDHWC on the wasm backend, got ${dataFormat}`);
    }
    return maxPool(backend, x, info.outShape, window3d(info));
  }),
  kernel("MaxPool3DGrad", ({ inputs, backend, attrs }) => {
    const { filterSize, strides, pad, dimRoundingMode } = attrs;
    const x = inputs.input!;
    const shape = x.shape as [number, number, number, number, number];
    const info = backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    return maxPoolGradient(backend, inputs.dy!, x, window3d(info));
  }),
];
