import { companionOf } from "../companion/companion.js";
import { filterGradient as filterGradientByCompanion } from "../companion/filter-gradient.js";
import { channelsLastAttrs, conv2dInfo, conv3dInfo, toChannelsLast, withOutputOf } from "../geometry.js";
import {
  allocate,
  allocateZeros,
  type BackendWasm,
  floats,
  release,
  sizeOf,
  type TensorInfo,
} from "../heap.js";
import { kernel, run } from "../kernel.js";
import { type SlidingWindow, window2d, window3d } from "../window.js";
import { convolutionCosts } from "./convolution-costs.js";
import { multiplyMatrices } from "./mat-mul.js";
import { anyPatches, flatPatches, isFlat } from "./patches.js";
import { isPadded, isSpoiled } from "./skip-padding.js";
import { filterGradientByTaps } from "./tap-products.js";

/**
 * Elements of one block of patches: the heap never shrinks, and a block should
 * stay in the cache. But a block of few columns spends its time adding up its product.
 */
const block = { elements: 2 ** 18, columns: 512 };

/**
 * The filter gradient of any convolution. Where a tap is outside of the image, a zero is multiplied by `dy`; rows of patches
 * that are wider than the output multiply the image by zeros too.
 */
function filterGradient(
  backend: BackendWasm,
  x: TensorInfo,
  dy: TensorInfo,
  filterShape: number[],
  window: SlidingWindow,
): TensorInfo {
  const fast = fastFilterGradient(backend, x, dy, filterShape, window);
  const composed = companionOf(backend) === undefined;
  const factors = composed ? [x, dy] : isPadded(window) ? [dy] : [];
  if (!factors.some((each) => isSpoiled(backend, each, fast))) return fast;
  release(backend, fast);
  return filterGradientByTaps(backend, x, dy, filterShape, window);
}

/**
 * The patches under the filter times `dy`, summed over blocks of images,
 * unless products of single taps are cheaper.
 */
function fastFilterGradient(
  backend: BackendWasm,
  x: TensorInfo,
  dy: TensorInfo,
  filterShape: number[],
  window: SlidingWindow,
): TensorInfo {
  const outChannels = filterShape.at(-1)!;
  if (sizeOf(x.shape) * sizeOf(dy.shape) * sizeOf(filterShape) === 0)
    return allocateZeros(backend, filterShape);
  const companion = companionOf(backend);
  if (companion !== undefined) {
    return filterGradientByCompanion(backend, companion, x, dy, filterShape, window);
  }
  const { whole, taps } = convolutionCosts(window, outChannels).filterGradient;
  if (taps < whole) {
    return filterGradientByTaps(backend, x, dy, filterShape, window);
  }
  const patch = sizeOf(filterShape) / outChannels;
  const flat = isFlat(window, outChannels);
  const image = { ...x, shape: [sizeOf(x.shape) / window.channels, window.channels] };
  const planes = flat ? undefined : run(backend, "Transpose", { x: image }, { perm: [1, 0] });
  const patches = flat
    ? flatPatches(
        () => floats(backend, x),
        () => floats(backend, dy),
        window,
        outChannels,
      )
    : anyPatches(() => floats(backend, planes!), window);
  const { columns } = patches;
  const fitting = Math.max(
    1,
    Math.floor(block.elements / (columns * patch)),
    Math.ceil(block.columns / columns),
  );
  const most = Math.min(window.batch, fitting);
  // Blocks of the same size, so that the last one is not a small rest.
  const images = Math.ceil(window.batch / Math.ceil(window.batch / most));
  const rows = allocate(backend, [patch, images * columns]);
  const gradients = patches.writeGradients && allocate(backend, [images * columns, outChannels]);
  const dw = allocateZeros(backend, filterShape);
  const partial = allocate(backend, filterShape);
  for (let first = 0; first < window.batch; first += images) {
    const last = Math.min(window.batch, first + images);
    const count = (last - first) * columns;
    patches.writeRows(floats(backend, rows), first, last);
    if (gradients) patches.writeGradients?.(floats(backend, gradients), first, last);
    const start = gradients ? 0 : first * columns * outChannels;
    const at = [{ a: 0, b: start, out: 0 }];
    multiplyMatrices(backend, rows, gradients ?? dy, partial, [patch, count, outChannels], at);
    const sums = floats(backend, dw);
    const parts = floats(backend, partial);
    for (let k = 0; k < sums.length; k++) sums[k]! += parts[k]!;
  }
  release(backend, rows, partial);
  if (planes) release(backend, planes);
  if (gradients) release(backend, gradients);
  return dw;
}

/** The filter gradient of `conv2d`, which the wasm backend lacks. */
export const conv2dBackpropFilterKernel = () =>
  kernel("Conv2DBackpropFilter", ({ inputs, backend, attrs }): TensorInfo => {
    const [x, dy] = [inputs.x!, inputs.dy!];
    if (attrs.dataFormat === "NCHW") {
      const turned = { x: toChannelsLast(backend, x), dy: toChannelsLast(backend, dy) };
      const dw = run(backend, "Conv2DBackpropFilter", turned, channelsLastAttrs(attrs));
      release(backend, turned.x, turned.dy);
      return dw;
    }
    const { filterShape } = attrs;
    const info = withOutputOf(
      conv2dInfo("conv2d", x.shape, filterShape, { ...attrs, dilations: 1 }),
      dy,
      attrs,
    );
    return filterGradient(backend, x, dy, filterShape, window2d(info));
  });

/** The filter gradient of `conv3d`; the stock kernel is wrong for strides above 1. */
export const conv3dBackpropFilterKernel = () =>
  kernel("Conv3DBackpropFilterV2", ({ inputs, backend, attrs }) => {
    const { filterShape } = attrs;
    const [x, dy] = [inputs.x!, inputs.dy!];
    const info = conv3dInfo(x.shape, filterShape, { ...attrs, dilations: 1 });
    return filterGradient(backend, x, dy, filterShape, window3d(info));
  });
