/**
 * A window that slides over the last three spatial axes (depth, height, width)
 * of a channels-last image; two-dimensional ops have depth 1.
 */
import type { backend_util } from "@tensorflow/tfjs-core";

type Axes = readonly [depth: number, height: number, width: number];

export interface SlidingWindow {
  readonly batch: number;
  /** Channels of the image that the window slides over. */
  readonly channels: number;
  readonly image: Axes;
  readonly output: Axes;
  readonly taps: Axes;
  readonly stride: Axes;
  readonly dilation: Axes;
  /** Padding before the first element of each axis. */
  readonly before: Axes;
}

export function window2d(info: backend_util.Conv2DInfo): SlidingWindow {
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    image: [1, info.inHeight, info.inWidth],
    output: [1, info.outHeight, info.outWidth],
    taps: [1, info.filterHeight, info.filterWidth],
    stride: [1, info.strideHeight, info.strideWidth],
    dilation: [1, info.dilationHeight, info.dilationWidth],
    before: [0, info.padInfo.top, info.padInfo.left],
  };
}

export function window3d(info: backend_util.Conv3DInfo): SlidingWindow {
  return {
    batch: info.batchSize,
    channels: info.inChannels,
    image: [info.inDepth, info.inHeight, info.inWidth],
    output: [info.outDepth, info.outHeight, info.outWidth],
    taps: [info.filterDepth, info.filterHeight, info.filterWidth],
    stride: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilation: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    // tfjs gives padding below zero where the stride is larger than the window.
    before: [Math.max(0, info.padInfo.front), Math.max(0, info.padInfo.top), Math.max(0, info.padInfo.left)],
  };
}

/**
 * Calls `visit(pixel, tap, out)` for every tap of every output position that
 * lies inside the image: `pixel` and `out` count positions (not elements) from
 * the start of the batch, `tap` counts within the window. The taps of one
 * output come one after another, in the order of the window.
 */
export function forEachTap(
  { batch, image, output, taps, stride, dilation, before }: SlidingWindow,
  visit: (pixel: number, tap: number, out: number) => void,
  images: readonly [from: number, to: number] = [0, batch],
): void {
  const [depth, height, width] = image;
  let out = images[0] * output[0] * output[1] * output[2];
  for (let b = images[0]; b < images[1]; b++) {
    for (let od = 0; od < output[0]; od++) {
      const d0 = od * stride[0] - before[0];
      for (let oy = 0; oy < output[1]; oy++) {
        const y0 = oy * stride[1] - before[1];
        for (let ox = 0; ox < output[2]; ox++, out++) {
          const x0 = ox * stride[2] - before[2];
          for (let kd = 0; kd < taps[0]; kd++) {
            const d = d0 + kd * dilation[0];
            if (d < 0 || d >= depth) continue;
            for (let ky = 0; ky < taps[1]; ky++) {
              const y = y0 + ky * dilation[1];
              if (y < 0 || y >= height) continue;
              const row = ((b * depth + d) * height + y) * width;
              const tap = (kd * taps[1] + ky) * taps[2];
              for (let kx = 0; kx < taps[2]; kx++) {
                const x = x0 + kx * dilation[2];
                if (x >= 0 && x < width) visit(row + x, tap + kx, out);
              }
            }
          }
        }
      }
    }
  }
}

/** The outputs of one axis whose tap `k` lies inside of the image: from, and up to but without. */
export function outputsInside(
  window: SlidingWindow,
  axis: 0 | 1 | 2,
  k: number,
): [begin: number, end: number] {
  const first = k * window.dilation[axis] - window.before[axis];
  const stride = window.stride[axis];
  const n = window.output[axis];
  const begin = Math.min(n, Math.max(0, Math.ceil(-first / stride)));
  const end = Math.min(n, Math.floor((window.image[axis] - 1 - first) / stride) + 1);
  return [begin, Math.max(begin, end)];
}
