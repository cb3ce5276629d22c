import { backend_util } from "@tensorflow/tfjs-core";
import {
  allocate,
  allocateZeros,
  type BackendWasm,
  floats,
  kernel,
  release,
  run,
  sizeOf,
  type TensorInfo,
} from "../heap.js";
import { type SlidingWindow, window2d, window3d } from "../window.js";
import { multiplyMatrices } from "./mat-mul.js";

/** Elements of one block of patches: the heap never shrinks, and a block should stay in the cache. */
const blockElements = 2 ** 19;

/**
 * The patches under the filter, one row for each tap and channel, one column
 * for each output of the images from `first` to `last`; zero outside of the image.
 *
 * `planes` is the image with the channels first, `[channels, batch, depth, height, width]`.
 */
function patchRows(
  planes: Float32Array,
  rows: Float32Array,
  { batch, channels, image, output, taps, stride, dilation, before }: SlidingWindow,
  first: number,
  last: number,
): void {
  const [depth, height, width] = image;
  let at = 0;
  for (let kd = 0; kd < taps[0]; kd++) {
    for (let ky = 0; ky < taps[1]; ky++) {
      for (let kx = 0; kx < taps[2]; kx++) {
        const x0 = kx * dilation[2] - before[2];
        // The outputs whose tap lies inside of the row.
        const from = Math.min(output[2], Math.max(0, Math.ceil(-x0 / stride[2])));
        const to = Math.max(from, Math.min(output[2], Math.floor((width - 1 - x0) / stride[2]) + 1));
        for (let c = 0; c < channels; c++) {
          for (let b = first; b < last; b++) {
            for (let od = 0; od < output[0]; od++) {
              const d = od * stride[0] - before[0] + kd * dilation[0];
              for (let oy = 0; oy < output[1]; oy++, at += output[2]) {
                const y = oy * stride[1] - before[1] + ky * dilation[1];
                if (d < 0 || d >= depth || y < 0 || y >= height) {
                  for (let k = 0; k < output[2]; k++) rows[at + k] = 0;
                  continue;
                }
                for (let k = 0; k < from; k++) rows[at + k] = 0;
                let source = (((c * batch + b) * depth + d) * height + y) * width + x0 + from * stride[2];
                for (let k = from; k < to; k++, source += stride[2]) rows[at + k] = planes[source]!;
                for (let k = to; k < output[2]; k++) rows[at + k] = 0;
              }
            }
          }
        }
      }
    }
  }
}

/** The filter gradient of any convolution: the patches under the filter times `dy`, summed over blocks of images. */
function filterGradient(
  backend: BackendWasm,
  x: TensorInfo,
  dy: TensorInfo,
  filterShape: number[],
  window: SlidingWindow,
): TensorInfo {
  const outChannels = filterShape.at(-1)!;
  const patch = sizeOf(filterShape) / outChannels;
  const outputs = sizeOf([...window.output]);
  const most = Math.max(1, Math.min(window.batch, Math.floor(blockElements / (outputs * patch))));
  // Blocks of the same size, so that the last one is not a small rest.
  const images = Math.ceil(window.batch / Math.ceil(window.batch / most));
  const flat = { ...x, shape: [sizeOf(x.shape) / window.channels, window.channels] };
  const planes = run(backend, "Transpose", { x: flat }, { perm: [1, 0] });
  const rows = allocate(backend, [patch, images * outputs]);
  const dw = allocateZeros(backend, filterShape);
  const partial = allocate(backend, filterShape);
  for (let first = 0; first < window.batch; first += images) {
    const last = Math.min(window.batch, first + images);
    patchRows(floats(backend, planes), floats(backend, rows), window, first, last);
    const count = (last - first) * outputs;
    const sizes = [patch, count, outChannels] as const;
    const start = first * outputs * outChannels;
    multiplyMatrices(backend, rows, dy, partial, sizes, [{ a: 0, b: start, out: 0 }]);
    const sums = floats(backend, dw);
    const parts = floats(backend, partial);
    for (let k = 0; k < sums.length; k++) sums[k]! += parts[k]!;
  }
  release(backend, planes, rows, partial);
  return dw;
}

/** The filter gradient of `conv2d`, which the wasm backend lacks. */
export const conv2dBackpropFilterKernel = () =>
  kernel("Conv2DBackpropFilter", ({ inputs, backend, attrs }) => {
    const { strides, pad, dataFormat, dimRoundingMode, filterShape } = attrs;
    if (dataFormat === "NCHW") {
      throw new Error("conv2d: dataFormat: expected NHWC on the wasm backend, got NCHW");
    }
    const [x, dy] = [inputs.x!, inputs.dy!];
    const shape = x.shape as [number, number, number, number];
    const info = backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
    return filterGradient(backend, x, dy, filterShape, window2d(info));
  });

/** The filter gradient of `conv3d`; the stock kernel is wrong for strides above 1. */
export const conv3dBackpropFilterKernel = () =>
  kernel("Conv3DBackpropFilterV2", ({ inputs, backend, attrs }) => {
    const { strides, pad, filterShape } = attrs;
    const [x, dy] = [inputs.x!, inputs.dy!];
    const shape = x.shape as [number, number, number, number, number];
    const info = backend_util.computeConv3DInfo(shape, filterShape, strides, 1, pad);
    return filterGradient(backend, x, dy, filterShape, window3d(info));
  });
