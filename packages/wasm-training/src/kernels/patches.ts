/**
 * The image of a convolution as a matrix: for each tap of the filter and each channel, what it reads for every output.
 * The filter gradient is the product of it with the gradient of the outputs.
 */
import { costs } from "../costs.js";
import { sizeOf } from "../heap.js";
import type { SlidingWindow } from "../window.js";

/** The operands of the product for one block of images. */
export interface Patches {
  /** Columns of `rows`, and rows of `gradients`, for each image. */
  readonly columns: number;
  /**
   * The patches under the filter: one row for each tap and channel, one column
   * for each output of the images from `first` to `last`; zero outside of the image.
   */
  writeRows(rows: Float32Array, first: number, last: number): void;
  /** The gradient of each column; undefined if `dy` has that order by itself. */
  readonly writeGradients?: (gradients: Float32Array, first: number, last: number) => void;
}

/** Any window. `planes` is the image with the channels first, `[channels, batch, depth, height, width]`. */
export function anyPatches(planes: () => Float32Array, window: SlidingWindow): Patches {
  const { batch, channels, image, output, taps, stride, dilation, before } = window;
  const [depth, height, width] = image;
  return {
    columns: sizeOf([...output]),
    writeRows(rows, first, last) {
      const from = planes();
      let at = 0;
      for (let kd = 0; kd < taps[0]; kd++) {
        for (let ky = 0; ky < taps[1]; ky++) {
          for (let kx = 0; kx < taps[2]; kx++) {
            const x0 = kx * dilation[2] - before[2];
            // The outputs whose tap lies inside of the row.
            const begin = Math.min(output[2], Math.max(0, Math.ceil(-x0 / stride[2])));
            const end = Math.max(begin, Math.min(output[2], Math.floor((width - 1 - x0) / stride[2]) + 1));
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
                    for (let k = 0; k < begin; k++) rows[at + k] = 0;
                    let source =
                      (((c * batch + b) * depth + d) * height + y) * width + x0 + begin * stride[2];
                    for (let k = begin; k < end; k++, source += stride[2]) rows[at + k] = from[source]!;
                    for (let k = end; k < output[2]; k++) rows[at + k] = 0;
                  }
                }
              }
            }
          }
        }
      }
    },
  };
}

/**
 * Whether whole planes are copied instead of rows: at stride 1, unless the
 * wider product costs more than the copies save.
 */
export function isFlat(
  { image, output, taps, stride, dilation }: SlidingWindow,
  outChannels: number,
): boolean {
  if (image[0] !== 1 || taps[0] !== 1 || stride[1] !== 1 || stride[2] !== 1) return false;
  const width = output[2];
  const widening = (width + (taps[2] - 1) * dilation[2]) / width;
  const { product, copyPlane, copyInRow, copyRow } = costs.composition;
  const products = outChannels * product;
  return widening * (copyPlane + products) < copyInRow + copyRow / width + products;
}

/**
 * A window of stride 1 on a plane. With the image padded, `[height', width']`, and
 * `dy` padded to the same width by zeros, the elements under a tap are
 * one run of each plane, begun as far in as the tap is.
 */
export function flatPatches(
  image: () => Float32Array,
  dy: () => Float32Array,
  window: SlidingWindow,
  o: number,
): Patches {
  const { channels, output, taps, dilation, before } = window;
  const [, height, width] = window.image;
  const [, outHeight, outWidth] = output;
  const paddedWidth = outWidth + (taps[2] - 1) * dilation[2];
  const paddedHeight = outHeight + (taps[1] - 1) * dilation[1];
  const columns = outHeight * paddedWidth;
  const plane = paddedHeight * paddedWidth;
  // The last taps read into the next plane, where `dy` is zero; behind the last one there is room.
  const planes = new Float32Array(channels * plane + paddedWidth);
  return {
    columns,
    writeRows(rows, first, last) {
      const from = image();
      const images = last - first;
      const yEnd = Math.min(height, paddedHeight - before[1]);
      const xEnd = Math.min(width, paddedWidth - before[2]);
      const [yBegin, xBegin] = [Math.max(0, -before[1]), Math.max(0, -before[2])];
      for (let b = first; b < last; b++) {
        for (let y = yBegin; y < yEnd; y++) {
          for (let x = xBegin; x < xEnd; x++) {
            const source = ((b * height + y) * width + x) * channels;
            const target = (y + before[1]) * paddedWidth + x + before[2];
            for (let c = 0; c < channels; c++) planes[target + c * plane] = from[source + c]!;
          }
        }
        let row = (b - first) * columns;
        for (let ky = 0; ky < taps[1]; ky++) {
          for (let kx = 0; kx < taps[2]; kx++) {
            const shift = ky * dilation[1] * paddedWidth + kx * dilation[2];
            for (let c = 0; c < channels; c++, row += images * columns) {
              const start = c * plane + shift;
              rows.set(planes.subarray(start, start + columns), row);
            }
          }
        }
      }
    },
    writeGradients(gradients, first, last) {
      const from = dy();
      const run = outWidth * o;
      gradients.fill(0);
      for (
        let row = first * outHeight, target = 0;
        row < last * outHeight;
        row++, target += paddedWidth * o
      ) {
        gradients.set(from.subarray(row * run, (row + 1) * run), target);
      }
    },
  };
}
