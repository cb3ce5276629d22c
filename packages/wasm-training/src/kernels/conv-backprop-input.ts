import { companionOf } from "../companion/companion.js";
import { inputGradient } from "../companion/convolution.js";
import {
  channelsLastAttrs,
  conv2dInfo,
  conv3dInfo,
  toChannelsFirst,
  toChannelsLast,
  withOutputOf,
} from "../geometry.js";
import {
  allocate,
  allocateZeros,
  type BackendWasm,
  floats,
  release,
  share,
  sizeOf,
  type TensorInfo,
} from "../heap.js";
import { kernel, run } from "../kernel.js";
import { transposeMatrices } from "../transpose-matrices.js";
import { type SlidingWindow, window2d, window3d } from "../window.js";
import { convolutionCosts } from "./convolution-costs.js";
import { multiplyMatrices } from "./mat-mul.js";
import { unlessSpoiled } from "./skip-padding.js";
import { inputGradientByTaps } from "./tap-products.js";
import { turnTaps } from "./turn-taps.js";

/** Elements of one block of patches: the heap never shrinks, and a block should stay in the cache. */
const blockElements = 2 ** 18;

/**
 * Adds the patches `[outputs, taps · channels]` of some images at their places. The taps of a
 * row of the window lie beside each other in the image, for a gradient never comes with a dilation.
 */
export function addPatches(
  from: Float32Array,
  to: Float32Array,
  { channels, image, output, taps, stride, before }: SlidingWindow,
  [firstImage, lastImage]: readonly [number, number],
): void {
  const [depth, height, width] = image;
  const run = taps[2] * channels;
  let i = 0;
  for (let b = firstImage; b < lastImage; b++) {
    for (let od = 0; od < output[0]; od++) {
      for (let oy = 0; oy < output[1]; oy++) {
        for (let ox = 0; ox < output[2]; ox++) {
          const x = ox * stride[2] - before[2];
          const begin = Math.max(0, -x) * channels;
          const end = Math.min(taps[2], width - x) * channels;
          for (let kd = 0, d = od * stride[0] - before[0]; kd < taps[0]; kd++, d++) {
            for (let ky = 0, y = oy * stride[1] - before[1]; ky < taps[1]; ky++, y++, i += run) {
              if (d < 0 || d >= depth || y < 0 || y >= height) continue;
              const target = (((b * depth + d) * height + y) * width + x) * channels;
              for (let k = begin; k < end; k++) to[target + k]! += from[i + k]!;
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
function turnAndSwap(backend: BackendWasm, filter: TensorInfo): TensorInfo {
  const turned = transposeMatrices(backend, filter);
  turnTaps(floats(backend, turned), filter.shape);
  return turned;
}

/**
 * The input gradient of `conv2d`: a convolution of `dy` with the turned filter, or
 * a product and a loop, or a product for each tap. The stock kernel is a plain loop, 10 to 15 times slower.
 */
export const conv2dBackpropInputKernel = () =>
  kernel("Conv2DBackpropInput", ({ inputs, backend, attrs }): TensorInfo => {
    const [dy, filter] = [inputs.dy!, inputs.filter!];
    const { dataFormat, inputShape } = attrs;
    if (dataFormat === "NCHW") {
      const [batch, channels, height, width] = inputShape as [number, number, number, number];
      const turned = toChannelsLast(backend, dy);
      const last = { ...channelsLastAttrs(attrs), inputShape: [batch, height, width, channels] };
      const dx = run(backend, "Conv2DBackpropInput", { dy: turned, filter }, last);
      const out = toChannelsFirst(backend, dx);
      release(backend, turned, dx);
      return out;
    }
    const info = withOutputOf(
      conv2dInfo("conv2d", inputShape, filter.shape, { ...attrs, dilations: 1 }),
      dy,
      attrs,
    );
    if (sizeOf(info.inShape) * sizeOf(dy.shape) * sizeOf(filter.shape) === 0) {
      return allocateZeros(backend, info.inShape);
    }
    const window = window2d(info);
    const companion = companionOf(backend);
    const exact = () => inputGradientByTaps(backend, dy, filter, info.inShape, window);
    // For outputs that are not there, a zero is multiplied by the filter.
    if (companion !== undefined) {
      const fast = inputGradient(backend, companion, dy, filter, info.inShape, window);
      return unlessSpoiled(backend, filter, fast, exact);
    }
    const top = info.filterHeight - 1 - info.padInfo.top;
    const left = info.filterWidth - 1 - info.padInfo.left;
    const bottom = info.inHeight - info.outHeight + info.padInfo.top;
    const right = info.inWidth - info.outWidth + info.padInfo.left;
    const { convolved, spread, taps } = convolutionCosts(window, info.outChannels).inputGradient;
    if (taps < Math.min(convolved, spread)) return exact();
    if (spread < convolved || Math.min(top, left, bottom, right) < 0) {
      return spreadPatches(backend, dy, filter, info.inShape, window);
    }
    const turned = turnAndSwap(backend, filter);
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
    const [dy, filter] = [inputs.dy!, inputs.filter!];
    const info = conv3dInfo(attrs.inputShape, filter.shape, { ...attrs, dilations: 1 });
    if (sizeOf(info.inShape) * sizeOf(dy.shape) * sizeOf(filter.shape) === 0) {
      return allocateZeros(backend, info.inShape);
    }
    const companion = companionOf(backend);
    const window = window3d(info);
    const exact = () => spreadPatches(backend, dy, filter, info.inShape, window);
    if (companion === undefined) return exact();
    const fast = inputGradient(backend, companion, dy, filter, info.inShape, window);
    return unlessSpoiled(backend, filter, fast, exact);
  });
