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
import { forEachTap, type SlidingWindow, window2d, window3d } from "../window.js";
import { multiplyMatrices } from "./mat-mul.js";

/** Elements of one block of patches: the heap never shrinks, and a block should stay in the cache. */
const blockElements = 2 ** 21;

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
  const c = window.channels;
  const to = floats(backend, dx);
  for (let first = 0; first < window.batch; first += images) {
    const last = Math.min(window.batch, first + images);
    const sizes = [(last - first) * outputs, outChannels, patch] as const;
    const start = first * outputs * outChannels;
    multiplyMatrices(backend, dy, turned, patches, sizes, [{ a: start, b: 0, out: 0 }]);
    const from = floats(backend, patches);
    forEachTap(
      window,
      (pixel, tap, out) => {
        const i = (out - first * outputs) * patch + tap * c;
        const j = pixel * c;
        for (let k = 0; k < c; k++) to[j + k]! += from[i + k]!;
      },
      [first, last],
    );
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
    if (!unit || Math.min(top, left, bottom, right) < 0) {
      return spreadPatches(backend, dy, filter, info.inShape, window2d(info));
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
