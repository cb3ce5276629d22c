import { backend_util } from "@tensorflow/tfjs-core";
import { allocate, allocateZeros, floats, integers, kernel } from "../heap.js";

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

export const imageKernels = () => [cropAndResizeKernel(), rotateKernel()];
