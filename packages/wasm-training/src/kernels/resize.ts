import { allocate, type BackendWasm, floats, type TensorInfo } from "../heap.js";
import { kernel } from "../kernel.js";

/** Where the elements of an axis come from: two neighbours and the share of the second. */
interface Sampling {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  readonly share: Float64Array;
}

interface ResizeAttrs {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** The place in `from` elements of each of `to` elements. */
function places(from: number, to: number, { alignCorners, halfPixelCenters }: ResizeAttrs): Float64Array {
  const corners = alignCorners && to > 1;
  const [steps, intervals] = corners ? [from - 1, to - 1] : [from, to];
  const half = halfPixelCenters ? 0.5 : 0;
  // Multiplied first: a place that is a whole number comes out as one.
  return Float64Array.from({ length: to }, (_, i) => ((i + half) * steps) / intervals - half);
}

function bilinear(from: number, to: number, attrs: ResizeAttrs): Sampling {
  const lower = new Int32Array(to);
  const upper = new Int32Array(to);
  const share = new Float64Array(to);
  for (const [i, place] of places(from, to, attrs).entries()) {
    const inside = Math.min(from - 1, Math.max(0, place));
    lower[i] = Math.floor(inside);
    upper[i] = Math.ceil(inside);
    share[i] = inside - lower[i]!;
  }
  return { lower, upper, share };
}

function nearest(from: number, to: number, attrs: ResizeAttrs): Sampling {
  const { alignCorners, halfPixelCenters } = attrs;
  const lower = Int32Array.from(places(from, to, attrs), (place) => {
    // Centres lie at half pixels, whose floor is the pixel.
    const pixel = alignCorners ? Math.round(place) : Math.floor(halfPixelCenters ? place + 0.5 : place);
    return Math.min(from - 1, Math.max(0, pixel));
  });
  return { lower, upper: lower, share: new Float64Array(to) };
}

type Sample = typeof bilinear;

/** Calls `visit(pixel, out, weight)` for what each output pixel has of each pixel of the image. */
function forEachSample(
  [batch, height, width]: readonly number[],
  [rows, columns]: readonly [number, number],
  sample: Sample,
  attrs: ResizeAttrs,
  visit: (pixel: number, out: number, weight: number) => void,
): void {
  const [ys, xs] = [sample(height!, rows, attrs), sample(width!, columns, attrs)];
  for (let b = 0, out = 0; b < batch!; b++) {
    for (let y = 0; y < rows; y++) {
      const upper = (b * height! + ys.lower[y]!) * width!;
      const lower = (b * height! + ys.upper[y]!) * width!;
      const v = ys.share[y]!;
      for (let x = 0; x < columns; x++, out++) {
        const u = xs.share[x]!;
        visit(upper + xs.lower[x]!, out, (1 - v) * (1 - u));
        if (u > 0) visit(upper + xs.upper[x]!, out, (1 - v) * u);
        if (v > 0) visit(lower + xs.lower[x]!, out, v * (1 - u));
        if (u > 0 && v > 0) visit(lower + xs.upper[x]!, out, v * u);
      }
    }
  }
}

function resize(
  backend: BackendWasm,
  x: TensorInfo,
  size: readonly [number, number],
  sample: Sample,
  attrs: ResizeAttrs,
  dtype: TensorInfo["dtype"],
): TensorInfo {
  const [batch, , , c] = x.shape as [number, number, number, number];
  const out = allocate(backend, [batch, ...size, c], dtype);
  const from = backend.typedArrayFromHeap(x);
  const to = backend.typedArrayFromHeap(out);
  const sums = new Float64Array(to.length);
  forEachSample(x.shape, size, sample, attrs, (pixel, target, weight) => {
    for (let k = 0; k < c; k++) sums[target * c + k]! += weight * from[pixel * c + k]!;
  });
  to.set(sums);
  return out;
}

function resizeGradient(
  backend: BackendWasm,
  dy: TensorInfo,
  images: TensorInfo,
  sample: Sample,
  attrs: ResizeAttrs,
): TensorInfo {
  const [, rows, columns, c] = dy.shape as [number, number, number, number];
  const dx = allocate(backend, images.shape);
  const gradient = floats(backend, dy);
  const to = floats(backend, dx);
  const sums = new Float64Array(to.length);
  forEachSample(images.shape, [rows, columns], sample, attrs, (pixel, source, weight) => {
    for (let k = 0; k < c; k++) sums[pixel * c + k]! += weight * gradient[source * c + k]!;
  });
  to.set(sums);
  return dx;
}

/**
 * Resizing and its gradients, from the same places: the stock gradients know neither half pixel centres nor
 * batches, and the stock kernels compute places in float32.
 */
export const resizeKernels = () => [
  kernel("ResizeBilinear", ({ inputs, backend, attrs }) =>
    resize(backend, inputs.images!, attrs.size, bilinear, attrs, "float32"),
  ),
  kernel("ResizeNearestNeighbor", ({ inputs, backend, attrs }) =>
    resize(backend, inputs.images!, attrs.size, nearest, attrs, inputs.images!.dtype),
  ),
  kernel("ResizeBilinearGrad", ({ inputs, backend, attrs }) =>
    resizeGradient(backend, inputs.dy!, inputs.images!, bilinear, attrs),
  ),
  kernel("ResizeNearestNeighborGrad", ({ inputs, backend, attrs }) =>
    resizeGradient(backend, inputs.dy!, inputs.images!, nearest, attrs),
  ),
];
