import {
  allocate,
  allocateZeros,
  type BackendWasm,
  floats,
  release,
  sizeOf,
  type TensorInfo,
} from "../heap.js";
import { transposeMatrices } from "../transpose-matrices.js";
import { outputsInside, type SlidingWindow } from "../window.js";
import { multiplyMatrices } from "./mat-mul.js";

/**
 * Convolutions of small images by large filters, as deep layers have them, as one product for each tap.
 *
 * A convolution packs its filter first, which for such a filter takes as long as the products, and
 * multiplies the padding, which is half of a 3x3 image under a 3x3 window. Here the filter is the first operand, which
 * is not packed, and only the positions whose tap lies inside of the image take part. `pairs` are those positions.
 */

/** The positions (not elements) of one tap, from the start of the batch. */
interface TapPairs {
  readonly tap: number;
  readonly pixels: Int32Array;
  readonly outs: Int32Array;
}

function* tapPairs(window: SlidingWindow): Generator<TapPairs> {
  const { batch, image, output, taps, stride, dilation, before } = window;
  const [, height, width] = image;
  for (let kd = 0; kd < taps[0]; kd++) {
    const [d0, d1] = outputsInside(window, 0, kd);
    for (let ky = 0; ky < taps[1]; ky++) {
      const [y0, y1] = outputsInside(window, 1, ky);
      for (let kx = 0; kx < taps[2]; kx++) {
        const [x0, x1] = outputsInside(window, 2, kx);
        const count = batch * (d1 - d0) * (y1 - y0) * (x1 - x0);
        if (count === 0) continue;
        const pixels = new Int32Array(count);
        const outs = new Int32Array(count);
        let i = 0;
        for (let b = 0; b < batch; b++) {
          for (let od = d0; od < d1; od++) {
            const d = od * stride[0] - before[0] + kd * dilation[0];
            for (let oy = y0; oy < y1; oy++) {
              const y = oy * stride[1] - before[1] + ky * dilation[1];
              const row = ((b * image[0] + d) * height + y) * width - before[2] + kx * dilation[2];
              const out = ((b * output[0] + od) * output[1] + oy) * output[2];
              for (let ox = x0; ox < x1; ox++, i++) {
                pixels[i] = row + ox * stride[2];
                outs[i] = out + ox;
              }
            }
          }
        }
        yield { tap: (kd * taps[1] + ky) * taps[2] + kx, pixels, outs };
      }
    }
  }
}

/** `[positions, channels]` to `[channels, chosen positions]`. */
export function gatherColumns(
  from: Float32Array,
  positions: Int32Array,
  channels: number,
  to: Float32Array,
): void {
  const n = positions.length;
  for (let j = 0; j < n; j++) {
    const source = positions[j]! * channels;
    for (let c = 0, k = j; c < channels; c++, k += n) to[k] = from[source + c]!;
  }
}

/** Adds `[channels, chosen positions]` to `[positions, channels]`. */
export function addColumns(
  from: Float32Array,
  positions: Int32Array,
  channels: number,
  to: Float32Array,
): void {
  const n = positions.length;
  for (let j = 0; j < n; j++) {
    const target = positions[j]! * channels;
    for (let c = 0, k = j; c < channels; c++, k += n) to[target + c]! += from[k]!;
  }
}

/** Adds to `out` at the positions `targets` the products of `filter`, `[taps, rows, inner]`, with `x` at `sources`. */
function addTapProducts(
  backend: BackendWasm,
  filter: TensorInfo,
  x: TensorInfo,
  out: TensorInfo,
  window: SlidingWindow,
  [rows, inner]: readonly [number, number],
  positions: (pairs: TapPairs) => { sources: Int32Array; targets: Int32Array },
): void {
  const most = window.batch * sizeOf(window.output as unknown as number[]);
  const columns = allocate(backend, [inner, most]);
  const partial = allocate(backend, [rows, most]);
  for (const pairs of tapPairs(window)) {
    const { sources, targets } = positions(pairs);
    gatherColumns(floats(backend, x), sources, inner, floats(backend, columns));
    const at = [{ a: pairs.tap * rows * inner, b: 0, out: 0 }];
    multiplyMatrices(backend, filter, columns, partial, [rows, inner, sources.length], at);
    addColumns(floats(backend, partial), targets, rows, floats(backend, out));
  }
  release(backend, columns, partial);
}

/** The convolution of `x` with `filter`, `[taps…, channels, outChannels]`. */
export function convolveByTaps(
  backend: BackendWasm,
  x: TensorInfo,
  filter: TensorInfo,
  outShape: number[],
  window: SlidingWindow,
): TensorInfo {
  const outChannels = filter.shape.at(-1)!;
  const out = allocateZeros(backend, outShape);
  const turned = transposeMatrices(backend, filter); // [taps…, outChannels, channels]
  addTapProducts(backend, turned, x, out, window, [outChannels, window.channels], ({ pixels, outs }) => ({
    sources: pixels,
    targets: outs,
  }));
  release(backend, turned);
  return out;
}

/** The gradient of the image, whose filter needs no turning at all. */
export function inputGradientByTaps(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  inShape: number[],
  window: SlidingWindow,
): TensorInfo {
  const outChannels = filter.shape.at(-1)!;
  const dx = allocateZeros(backend, inShape);
  addTapProducts(backend, filter, dy, dx, window, [window.channels, outChannels], ({ pixels, outs }) => ({
    sources: outs,
    targets: pixels,
  }));
  return dx;
}

/** The gradient of the filter: each tap is a product of its own, written where it belongs. */
export function filterGradientByTaps(
  backend: BackendWasm,
  x: TensorInfo,
  dy: TensorInfo,
  filterShape: number[],
  window: SlidingWindow,
): TensorInfo {
  const outChannels = filterShape.at(-1)!;
  const { channels } = window;
  const most = window.batch * sizeOf(window.output as unknown as number[]);
  const dw = allocateZeros(backend, filterShape);
  const columns = allocate(backend, [channels, most]);
  const rows = allocate(backend, [most, outChannels]);
  for (const { tap, pixels, outs } of tapPairs(window)) {
    const count = pixels.length;
    gatherColumns(floats(backend, x), pixels, channels, floats(backend, columns));
    const from = floats(backend, dy);
    const to = floats(backend, rows);
    for (let j = 0; j < count; j++) {
      const source = outs[j]! * outChannels;
      to.set(from.subarray(source, source + outChannels), j * outChannels);
    }
    const at = [{ a: 0, b: 0, out: tap * channels * outChannels }];
    multiplyMatrices(backend, columns, rows, dw, [channels, count, outChannels], at);
  }
  release(backend, columns, rows);
  return dw;
}
