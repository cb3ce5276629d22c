import { backend_util } from "@tensorflow/tfjs-core";
import {
  allocate,
  allocateZeros,
  type BackendWasm,
  floats,
  kernel,
  kernelOver,
  release,
  run,
  share,
  sizeOf,
  type TensorInfo,
} from "../heap.js";
import { type SlidingWindow, window2d, window3d } from "../window.js";
import { multiplyMatrices } from "./mat-mul.js";
import { inputGradientByTaps, tapCosts, wholeCosts } from "./tap-products.js";

/** Elements of one block of patches: the heap never shrinks, and a block should stay in the cache. */
const blockElements = 2 ** 21;

/** Adds the patches `[outputs, taps · channels]` of some images at their places. */
function addPatches(
  from: Float32Array,
  to: Float32Array,
  { channels, image, output, taps, stride, dilation, before }: SlidingWindow,
  [firstImage, lastImage]: readonly [number, number],
): void {
  const [depth, height, width] = image;
  // The taps of a row of the window that lie beside each other in the image are one run.
  const isRun = dilation[2] === 1;
  const run = taps[2] * channels;
  let i = 0;
  for (let b = firstImage; b < lastImage; b++) {
    for (let od = 0; od < output[0]; od++) {
      for (let oy = 0; oy < output[1]; oy++) {
        for (let ox = 0; ox < output[2]; ox++) {
          const x = ox * stride[2] - before[2];
          for (let kd = 0, d = od * stride[0] - before[0]; kd < taps[0]; kd++, d += dilation[0]) {
            for (let ky = 0, y = oy * stride[1] - before[1]; ky < taps[1]; ky++, y += dilation[1], i += run) {
              if (d < 0 || d >= depth || y < 0 || y >= height) continue;
              const row = ((b * depth + d) * height + y) * width;
              if (isRun) {
                const begin = Math.max(0, -x) * channels;
                const end = Math.min(taps[2], width - x) * channels;
                const target = (row + x) * channels;
                for (let k = begin; k < end; k++) to[target + k]! += from[i + k]!;
                continue;
              }
              for (let kx = 0, at = x; kx < taps[2]; kx++, at += dilation[2]) {
                if (at < 0 || at >= width) continue;
                const [source, target] = [i + kx * channels, (row + at) * channels];
                for (let k = 0; k < channels; k++) to[target + k]! += from[source + k]!;
              }
            }
          }
        }
      }
    }
  }
}

/**
 * The input gradient of any convolution: each output spreads `filter · dy` over
 * the patch of the image that it was computed from. The spreads of many outputs
 * are one matrix product; adding them up is a loop.
 */
function spreadPatches(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  inShape: number[],
  window: SlidingWindow,
): TensorInfo {
  const outChannels = filter.shape.at(-1)!;
  const patch = sizeOf(filter.shape) / outChannels;
  const outputs = sizeOf(window.output as unknown as number[]);
  const flat = share(backend, filter, [patch, outChannels]);
  const turned = run(backend, "Transpose", { x: flat }, { perm: [1, 0] });
  const images = Math.max(1, Math.min(window.batch, Math.floor(blockElements / (outputs * patch))));
  const dx = allocateZeros(backend, inShape);
  const patches = allocate(backend, [images * outputs, patch]);
  const to = floats(backend, dx);
  for (let first = 0; first < window.batch; first += images) {
    const last = Math.min(window.batch, first + images);
    const sizes = [(last - first) * outputs, outChannels, patch] as const;
    const start = first * outputs * outChannels;
    multiplyMatrices(backend, dy, turned, patches, sizes, [{ a: start, b: 0, out: 0 }]);
    addPatches(floats(backend, patches), to, window, [first, last]);
  }
  release(backend, flat, turned, patches);
  return dx;
}

/** The filter turned by 180° with its channels swapped, `[h, w, i, o]` to `[h, w, o, i]`. */
function turnFilter(backend: BackendWasm, filter: TensorInfo): TensorInfo {
  const [h, w, ins, outs] = filter.shape as [number, number, number, number];
  const turned = allocate(backend, [h, w, outs, ins]);
  const from = floats(backend, filter);
  const to = floats(backend, turned);
  const taps = h * w;
  for (let tap = 0; tap < taps; tap++) {
    const i0 = tap * ins * outs;
    const j0 = (taps - 1 - tap) * ins * outs;
    for (let o = 0; o < outs; o++) {
      for (let i = 0; i < ins; i++) to[j0 + o * ins + i] = from[i0 + i * outs + o]!;
    }
  }
  return turned;
}

/**
 * The input gradient of `conv2d`: at stride 1 a convolution of `dy` with the
 * turned filter, otherwise a product and a loop. The stock kernel is a plain
 * loop, 10 to 15 times slower; it still serves the order batch, channels, height, width.
 */
export const conv2dBackpropInputKernel = () =>
  kernelOver("Conv2DBackpropInput", ({ inputs, backend, attrs }, stock) => {
    const { strides, pad, dataFormat, dimRoundingMode, inputShape } = attrs;
    if (dataFormat === "NCHW") return stock({ inputs, backend, attrs });
    const [dy, filter] = [inputs.dy!, inputs.filter!];
    const filterShape = filter.shape as [number, number, number, number];
    const info = backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode);
    const top = info.filterHeight - 1 - info.padInfo.top;
    const left = info.filterWidth - 1 - info.padInfo.left;
    const bottom = info.inHeight - info.outHeight + info.padInfo.top;
    const right = info.inWidth - info.outWidth + info.padInfo.left;
    const unit = info.strideHeight === 1 && info.strideWidth === 1;
    const window = window2d(info);
    const costs = { whole: wholeCosts(window, info.outChannels), taps: tapCosts(window, info.outChannels) };
    if (costs.taps.inputGradient < costs.whole.inputGradient && sizeOf(dy.shape) > 0) {
      return inputGradientByTaps(backend, dy, filter, info.inShape, window);
    }
    if (!unit || Math.min(top, left, bottom, right) < 0) {
      return spreadPatches(backend, dy, filter, info.inShape, window);
    }
    const turned = turnFilter(backend, filter);
    const margins = [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ];
    const same = { strides: [1, 1], dilations: [1, 1], dataFormat: "NHWC", pad: margins };
    const dx = run(backend, "Conv2D", { x: dy, filter: turned }, same);
    release(backend, turned);
    return dx;
  });

/** The input gradient of `conv3d`; the stock kernel leaves out part of the border. */
export const conv3dBackpropInputKernel = () =>
  kernel("Conv3DBackpropInputV2", ({ inputs, backend, attrs }) => {
    const { strides, pad, inputShape } = attrs;
    const [dy, filter] = [inputs.dy!, inputs.filter!];
    const filterShape = filter.shape as [number, number, number, number, number];
    const info = backend_util.computeConv3DInfo(inputShape, filterShape, strides, 1, pad);
    return spreadPatches(backend, dy, filter, info.inShape, window3d(info));
  });
