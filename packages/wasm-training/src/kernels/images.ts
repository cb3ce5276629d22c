import { backend_util } from "@tensorflow/tfjs-core";
import { allocate, allocateZeros, floats, integers } from "../heap.js";
import { kernel } from "../kernel.js";

/** The places in an image of `n` elements of `count` samples from `begin` to `end`, both in units of the image. */
function samples(begin: number, end: number, n: number, count: number): number[] {
  if (count === 1) return [0.5 * (begin + end) * (n - 1)];
  const step = ((end - begin) * (n - 1)) / (count - 1);
  return Array.from({ length: count }, (_, i) => begin * (n - 1) + i * step);
}

const isOutside = (place: number, n: number) => place < 0 || place > n - 1;

/** Boxes of images, resized; the stock kernel takes the first sample of a single one, and rounds otherwise. */
const cropAndResizeKernel = () =>
  kernel("CropAndResize", ({ inputs, backend, attrs }) => {
    const { image, boxes, boxInd } = inputs;
    const { method, extrapolationValue } = attrs;
    const [rows, columns] = attrs.cropSize as [number, number];
    const [batch, height, width, c] = image!.shape as [number, number, number, number];
    const count = boxes!.shape[0]!;
    const out = allocateZeros(backend, [count, rows, columns, c]);
    const from = backend.typedArrayFromHeap(image!);
    const [corners, images, to] = [floats(backend, boxes!), integers(backend, boxInd!), floats(backend, out)];
    for (let box = 0, target = 0; box < count; box++) {
      const [y1, x1, y2, x2] = corners.subarray(box * 4) as unknown as [number, number, number, number];
      const b = images[box]!;
      if (b < 0 || b >= batch) {
        target += rows * columns * c;
        continue;
      }
      const at = (y: number, x: number, k: number) => from[((b * height + y) * width + x) * c + k]!;
      const xs = samples(x1, x2, width, columns);
      for (const y of samples(y1, y2, height, rows)) {
        for (const x of xs) {
          for (let k = 0; k < c; k++, target++) {
            if (isOutside(y, height) || isOutside(x, width)) to[target] = extrapolationValue;
            else if (method === "nearest") to[target] = at(Math.round(y), Math.round(x), k);
            else {
              const [top, left] = [Math.floor(y), Math.floor(x)];
              const [bottom, right] = [Math.ceil(y), Math.ceil(x)];
              const [v, u] = [y - top, x - left];
              const upper = at(top, left, k) + (at(top, right, k) - at(top, left, k)) * u;
              const lower = at(bottom, left, k) + (at(bottom, right, k) - at(bottom, left, k)) * u;
              to[target] = upper + (lower - upper) * v;
            }
          }
        }
      }
    }
    return out;
  });

/** Images turned about a centre; the stock kernel takes only whole numbers to fill corners with. */
const rotateKernel = () =>
  kernel("RotateWithOffset", ({ inputs, backend, attrs }) => {
    const image = inputs.image!;
    const { radians, fillValue, center } = attrs;
    const [batch, height, width, c] = image.shape as [number, number, number, number];
    const out = allocate(backend, image.shape, image.dtype);
    const from = backend.typedArrayFromHeap(image);
    const to = backend.typedArrayFromHeap(out);
    const [centerX, centerY] = backend_util.getImageCenter(center, height, width) as [number, number];
    const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
    // The fourth channel is how opaque a pixel is.
    const fill = (k: number) => (typeof fillValue === "number" ? fillValue : k === 3 ? 255 : fillValue[k]);
    for (let b = 0, target = 0; b < batch; b++) {
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const [dx, dy] = [column - centerX, row - centerY];
          const x = Math.round(dx * cos - dy * sin + centerX);
          const y = Math.round(dx * sin + dy * cos + centerY);
          const inside = x >= 0 && x < width && y >= 0 && y < height;
          const source = ((b * height + y) * width + x) * c;
          for (let k = 0; k < c; k++, target++) to[target] = inside ? from[source + k]! : fill(k);
        }
      }
    }
    return out;
  });

/** Where a place outside of `n` elements comes from: the axis mirrored at its borders, repeated, or held at them. */
function mapPlace(place: number, n: number, mode: string): number {
  const inside = (value: number) => Math.min(n - 1, Math.max(0, value));
  if (mode === "constant") return place;
  if (mode === "nearest" || (place >= 0 && place <= n - 1)) return inside(place);
  if (n <= 1) return 0;
  if (mode === "wrap") {
    if (place < 0) return inside(place + n * (Math.trunc(-place / (n - 1)) + 1));
    return inside(place - n * Math.trunc(place / (n - 1)));
  }
  const period = 2 * n;
  if (place < 0) {
    const within = place + period * Math.trunc(-place / period);
    return inside(within < -n ? within + period : -within - 1);
  }
  const within = place - period * Math.trunc(place / period);
  return inside(within >= n ? period - within - 1 : within);
}

/** Images under a projective map of places, by TensorFlow's rules. */
const transformKernel = () =>
  kernel("Transform", ({ inputs, backend, attrs }) => {
    const { image, transforms } = inputs;
    const { interpolation, fillMode, fillValue, outputShape } = attrs;
    const [batch, height, width, c] = image!.shape as [number, number, number, number];
    const [rows, columns] = (outputShape ?? [height, width]) as [number, number];
    const out = allocate(backend, [batch, rows, columns, c], image!.dtype);
    const from = backend.typedArrayFromHeap(image!);
    const maps = floats(backend, transforms!);
    const to = backend.typedArrayFromHeap(out);
    for (let b = 0, target = 0; b < batch; b++) {
      const m = maps.subarray(transforms!.shape[0] === 1 ? 0 : b * 8);
      const at = (y: number, x: number, k: number) =>
        y >= 0 && y < height && x >= 0 && x < width
          ? from[((b * height + y) * width + x) * c + k]!
          : fillValue;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, target += c) {
          const scale = m[6]! * column + m[7]! * row + 1;
          const x = mapPlace((m[0]! * column + m[1]! * row + m[2]!) / scale, width, fillMode);
          const y = mapPlace((m[3]! * column + m[4]! * row + m[5]!) / scale, height, fillMode);
          const [top, left] = [Math.floor(y), Math.floor(x)];
          const [v, u] = [y - top, x - left];
          for (let k = 0; k < c; k++) {
            if (scale === 0) to[target + k] = fillValue;
            else if (interpolation === "nearest") to[target + k] = at(Math.round(y), Math.round(x), k);
            else {
              const upper = (1 - u) * at(top, left, k) + u * at(top, left + 1, k);
              const lower = (1 - u) * at(top + 1, left, k) + u * at(top + 1, left + 1, k);
              to[target + k] = (1 - v) * upper + v * lower;
            }
          }
        }
      }
    }
    return out;
  });

export const imageKernels = () => [cropAndResizeKernel(), rotateKernel(), transformKernel()];
