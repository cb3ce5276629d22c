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
  { batch, channels: c, image, output, taps, stride, dilation, before }: SlidingWindow,
): TensorInfo {
  const dx = allocateZeros(backend, x.shape);
  const from = floats(backend, x);
  const gradient = floats(backend, dy);
  const to = floats(backend, dx);
  const [depth, height, width] = image;
  // Where the taps that lie inside of the image begin.
  const inside = new Int32Array(taps[0] * taps[1] * taps[2]);
  let g = 0;
  for (let b = 0; b < batch; b++) {
    for (let od = 0; od < output[0]; od++) {
      for (let oy = 0; oy < output[1]; oy++) {
        for (let ox = 0; ox < output[2]; ox++, g += c) {
          let count = 0;
          for (let kd = 0, d = od * stride[0] - before[0]; kd < taps[0]; kd++, d += dilation[0]) {
            if (d < 0 || d >= depth) continue;
            for (let ky = 0, y = oy * stride[1] - before[1]; ky < taps[1]; ky++, y += dilation[1]) {
              if (y < 0 || y >= height) continue;
              const row = ((b * depth + d) * height + y) * width;
              for (let kx = 0, i = ox * stride[2] - before[2]; kx < taps[2]; kx++, i += dilation[2]) {
                if (i >= 0 && i < width) inside[count++] = (row + i) * c;
              }
            }
          }
          if (count === 0) continue;
          for (let k = 0; k < c; k++) {
            let winner = inside[0]! + k;
            let largest = from[winner]!;
            for (let tap = 1; tap < count; tap++) {
              const at = inside[tap]! + k;
              const value = from[at]!;
              if (value > largest || Number.isNaN(value)) {
                largest = value;
                winner = at;
              }
            }
            to[winner]! += gradient[g + k]!;
          }
        }
      }
    }
  }
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
