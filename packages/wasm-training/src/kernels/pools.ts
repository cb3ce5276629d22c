import { backend_util, type KernelConfig, type TypedArray } from "@tensorflow/tfjs-core";
import { companionOf } from "../companion/companion.js";
import { slide } from "../companion/slide.js";
import { exactAttrs, pool2dInfo, withOutputOf } from "../geometry.js";
import {
  allocate,
  allocateZeros,
  type BackendWasm,
  floats,
  integers,
  sizeOf,
  type TensorInfo,
} from "../heap.js";
import { type KernelArguments, kernel, kernelOver } from "../kernel.js";
import { forEachTap, type SlidingWindow, window2d, window3d } from "../window.js";
import { mendNonFinite } from "./skip-padding.js";

/** Computes a pool of float32 in the companion module, if it is on. */
function pooledByCompanion(
  backend: BackendWasm,
  name: "maxPool" | "averagePool",
  x: TensorInfo,
  out: TensorInfo,
  window: SlidingWindow,
): boolean {
  const companion = x.dtype === "float32" && sizeOf(out.shape) > 0 ? companionOf(backend) : undefined;
  if (companion === undefined) return false;
  slide(backend, companion, name, window, { x, y: out });
  return true;
}

/** The largest element of each window; NaN if there is one. */
function maxPool(backend: BackendWasm, x: TensorInfo, outShape: number[], window: SlidingWindow): TensorInfo {
  const out = allocate(backend, outShape, x.dtype);
  if (pooledByCompanion(backend, "maxPool", x, out, window)) return out;
  const c = window.channels;
  const from = backend.typedArrayFromHeap(x);
  const to = backend.typedArrayFromHeap(out);
  const largest = new Float64Array(to.length).fill(Number.NEGATIVE_INFINITY);
  forEachTap(window, (pixel, _tap, at) => {
    const [i, j] = [pixel * c, at * c];
    for (let k = 0; k < c; k++) {
      const value = from[i + k]!;
      if (value > largest[j + k]! || Number.isNaN(value)) largest[j + k] = value;
    }
  });
  to.set(largest);
  return out;
}

/** How many elements of the image each window has. */
function countElements(window: SlidingWindow): Float64Array {
  const [depth, height, width] = window.output;
  const counts = new Float64Array(window.batch * depth * height * width);
  forEachTap(window, (_pixel, _tap, out) => counts[out]!++);
  return counts;
}

/** The mean of what each window has of the image. */
function avgPool(backend: BackendWasm, x: TensorInfo, outShape: number[], window: SlidingWindow): TensorInfo {
  const out = allocate(backend, outShape, x.dtype);
  if (pooledByCompanion(backend, "averagePool", x, out, window)) return out;
  const c = window.channels;
  const from = backend.typedArrayFromHeap(x);
  const to = backend.typedArrayFromHeap(out);
  const sums = new Float64Array(to.length);
  forEachTap(window, (pixel, _tap, at) => {
    const [i, j] = [pixel * c, at * c];
    for (let k = 0; k < c; k++) sums[j + k]! += from[i + k]!;
  });
  const counts = countElements(window);
  for (let i = 0; i < to.length; i++) to[i] = sums[i]! / counts[Math.floor(i / c)]!;
  return out;
}

/** Each element of `dy` in equal parts to the elements of its window. */
function avgPoolGradient(
  backend: BackendWasm,
  dy: TensorInfo,
  xShape: number[],
  window: SlidingWindow,
): TensorInfo {
  const companion = companionOf(backend);
  if (companion !== undefined && sizeOf(xShape) > 0) {
    const dx = allocate(backend, xShape);
    slide(backend, companion, "averagePoolGradient", window, { filter: dy, packed: dx });
    return dx;
  }
  const dx = allocateZeros(backend, xShape);
  const c = window.channels;
  const counts = countElements(window);
  const gradient = floats(backend, dy);
  const to = floats(backend, dx);
  const sums = new Float64Array(to.length);
  forEachTap(window, (pixel, _tap, out) => {
    const [i, j] = [pixel * c, out * c];
    for (let k = 0; k < c; k++) sums[i + k]! += gradient[j + k]! / counts[out]!;
  });
  to.set(sums);
  return dx;
}

/** Hands each element of `dy` to the first element of its window that is the maximum `y`. */
function maxPoolGradient(
  backend: BackendWasm,
  dy: TensorInfo,
  x: TensorInfo,
  y: TensorInfo,
  window: SlidingWindow,
): TensorInfo {
  const companion = companionOf(backend);
  if (companion !== undefined && sizeOf(x.shape) > 0) {
    const dx = allocate(backend, x.shape);
    slide(backend, companion, "maxPoolGradient", window, { x, filter: dy, y, packed: dx });
    return dx;
  }
  const { batch, channels: c, image, output, taps, stride, dilation, before } = window;
  const dx = allocateZeros(backend, x.shape);
  const from = floats(backend, x);
  const maxima = floats(backend, y);
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
            const largest = maxima[g + k]!;
            let tap = 0;
            if (Number.isNaN(largest)) while (tap < count && !Number.isNaN(from[inside[tap]! + k]!)) tap++;
            else while (tap < count && from[inside[tap]! + k] !== largest) tap++;
            if (tap < count) to[inside[tap]! + k]! += gradient[g + k]!;
          }
        }
      }
    }
  }
  return dx;
}

type Shape5D = [number, number, number, number, number];

function pool3dInfo(op: string, inShape: number[], attrs: KernelArguments["attrs"]) {
  const { filterSize, strides, pad, dimRoundingMode, dataFormat } = attrs;
  if (dataFormat === "NCDHW") {
    throw new Error(`${op}: dataFormat: expected NDHWC on the wasm backend, got ${dataFormat}`);
  }
  const shape = inShape as Shape5D;
  return backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
}

/** With as many windows as a gradient has elements. */
function window3dOf(info: backend_util.Conv3DInfo, dy: TensorInfo): SlidingWindow {
  const [, depth, height, width] = dy.shape as Shape5D;
  return { ...window3d(info), output: [depth, height, width] };
}

/** Whether there is a NaN, which XNNPACK takes for a small number. */
function hasNaN(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/**
 * Whether XNNPACK pools right: it refuses windows of one element, and knows neither types other than float32
 * nor windows that lie in the padding.
 */
function isForXnnpack(x: TensorInfo, info: backend_util.Conv2DInfo, pad: number[][]): boolean {
  const [rows, columns] = [pad[1]!, pad[2]!];
  return (
    x.dtype === "float32" &&
    sizeOf(info.outShape) > 0 &&
    sizeOf(x.shape) > 0 &&
    info.filterHeight * info.filterWidth > 1 &&
    Math.max(...rows) < info.effectiveFilterHeight &&
    Math.max(...columns) < info.effectiveFilterWidth
  );
}

type Pool = typeof maxPool;

/** The stock pool in XNNPACK's domain, the loop elsewhere. */
const pool2d = (kernelName: "MaxPool" | "AvgPool", op: string, loop: Pool): KernelConfig =>
  kernelOver(kernelName, ({ inputs, backend, attrs }, stock) => {
    const x = inputs.x!;
    const info = pool2dInfo(op, x.shape, attrs);
    const exact = companionOf(backend) === undefined ? exactAttrs(attrs, info) : undefined;
    const byLoop = () => loop(backend, x, info.outShape, window2d(info));
    // The largest are the same numbers by a loop; means have other last bits, and those of other samples stay.
    const loses = kernelName === "MaxPool";
    if (exact && isForXnnpack(x, info, exact.pad as number[][]) && !(loses && hasNaN(floats(backend, x)))) {
      const out = stock({ inputs, backend, attrs: exact as KernelArguments["attrs"] }) as TensorInfo;
      return loses ? out : mendNonFinite(backend, out, byLoop);
    }
    return byLoop();
  });

const pool3d = (kernelName: string, op: string, loop: Pool): KernelConfig =>
  kernel(kernelName, ({ inputs, backend, attrs }) => {
    const x = inputs.x!;
    const info = pool3dInfo(op, x.shape, attrs);
    return loop(backend, x, info.outShape, window3d(info));
  });

/** The largest element of each window and its flat index. */
const maxPoolWithArgmaxKernel = () =>
  kernel("MaxPoolWithArgmax", ({ inputs, backend, attrs }) => {
    const x = inputs.x!;
    const info = pool2dInfo("maxPoolWithArgmax", x.shape, attrs);
    const window = window2d(info);
    const pooled = allocate(backend, info.outShape, x.dtype);
    const indices = allocate(backend, info.outShape, "int32");
    const from = backend.typedArrayFromHeap(x);
    const [to, places] = [backend.typedArrayFromHeap(pooled), integers(backend, indices)];
    const largest = new Float64Array(to.length).fill(Number.NEGATIVE_INFINITY);
    const c = window.channels;
    const image = attrs.includeBatchInIndex ? Number.POSITIVE_INFINITY : sizeOf(x.shape.slice(1));
    places.fill(0);
    forEachTap(window, (pixel, _tap, out) => {
      for (let k = 0; k < c; k++) {
        const value = from[pixel * c + k]!;
        if (!(value > largest[out * c + k]!)) continue;
        largest[out * c + k] = value;
        places[out * c + k] = (pixel * c + k) % image;
      }
    });
    to.set(largest as unknown as TypedArray);
    return [pooled, indices];
  });

/**
 * Pools and their gradients. The stock kernels look for maxima from the smallest positive number upwards, so that a
 * window without a positive element goes wrong, share a gradient among elements that are not there, and write beyond
 * their output for numeric paddings of windows that are not square.
 */
export const poolKernels = (): KernelConfig[] => [
  pool2d("MaxPool", "maxPool", maxPool),
  pool2d("AvgPool", "avgPool", avgPool),
  pool3d("MaxPool3D", "maxPool3d", maxPool),
  pool3d("AvgPool3D", "avgPool3d", avgPool),
  maxPoolWithArgmaxKernel(),
  kernel("MaxPoolGrad", ({ inputs, backend, attrs }) => {
    const x = inputs.input!;
    const info = withOutputOf(pool2dInfo("maxPool", x.shape, attrs), inputs.dy!, attrs);
    return maxPoolGradient(backend, inputs.dy!, x, inputs.output!, window2d(info));
  }),
  kernel("AvgPoolGrad", ({ inputs, backend, attrs }) => {
    const x = inputs.input!;
    const info = withOutputOf(pool2dInfo("avgPool", x.shape, attrs), inputs.dy!, attrs);
    return avgPoolGradient(backend, inputs.dy!, x.shape, window2d(info));
  }),
  kernel("MaxPool3DGrad", ({ inputs, backend, attrs }) => {
    const x = inputs.input!;
    const info = pool3dInfo("maxPool3d", x.shape, attrs);
    return maxPoolGradient(backend, inputs.dy!, x, inputs.output!, window3dOf(info, inputs.dy!));
  }),
  kernel("AvgPool3DGrad", ({ inputs, backend, attrs }) => {
    const x = inputs.input!;
    const info = pool3dInfo("avgPool3d", x.shape, attrs);
    return avgPoolGradient(backend, inputs.dy!, x.shape, window3dOf(info, inputs.dy!));
  }),
];
