import {
  backend_util,
  greater,
  pad as padWith,
  stridedSlice,
  type Tensor,
  where,
} from "@tensorflow/tfjs-core";
import type { Pad } from "./explicit-pad.js";

/** One spatial axis under windows: where they start, how far their taps are apart, how many there are of each. */
export interface WindowAxis {
  readonly size: number;
  readonly outputs: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
}

type Windows = Parameters<typeof backend_util.computePool2DInfo>;

/** The axes of a pooling, or of a morphological dilation, over images `[batch, height, width, channels]`. */
export function windowAxes2d(
  shape: number[],
  filterSize: Windows[1],
  strides: Windows[2],
  dilations: Windows[3],
  pad: Pad,
  dimRoundingMode?: Windows[5],
): WindowAxis[] {
  const info = backend_util.computePool2DInfo(
    shape as Windows[0],
    filterSize,
    strides,
    dilations,
    pad,
    dimRoundingMode,
  );
  return [
    {
      size: info.inHeight,
      outputs: info.outHeight,
      taps: info.filterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      before: info.padInfo.top,
    },
    {
      size: info.inWidth,
      outputs: info.outWidth,
      taps: info.filterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      before: info.padInfo.left,
    },
  ];
}

type Windows3d = Parameters<typeof backend_util.computePool3DInfo>;

/**
 * The axes of a pooling over `[batch, depth, height, width, channels]`. Where `"same"` has nothing to pad, because
 * strides are larger than windows, tfjs-core computes a negative padding.
 */
export function windowAxes3d(
  shape: number[],
  filterSize: Windows3d[1],
  strides: Windows3d[2],
  pad: Windows3d[4],
  dimRoundingMode?: Windows3d[5],
): WindowAxis[] {
  const info = backend_util.computePool3DInfo(
    shape as Windows3d[0],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return [
    {
      size: info.inDepth,
      outputs: info.outDepth,
      taps: info.filterDepth,
      stride: info.strideDepth,
      dilation: 1,
      before: Math.max(0, info.padInfo.front),
    },
    {
      size: info.inHeight,
      outputs: info.outHeight,
      taps: info.filterHeight,
      stride: info.strideHeight,
      dilation: 1,
      before: Math.max(0, info.padInfo.top),
    },
    {
      size: info.inWidth,
      outputs: info.outWidth,
      taps: info.filterWidth,
      stride: info.strideWidth,
      dilation: 1,
      before: Math.max(0, info.padInfo.left),
    },
  ];
}

/** Every tap of the windows, by its place along each axis. */
export function everyTap(axes: readonly WindowAxis[]): number[][] {
  return axes.reduce<number[][]>(
    (all, { taps }) => all.flatMap((tap) => Array.from({ length: taps }, (_, i) => [...tap, i])),
    [[]],
  );
}

/** The image with what the windows overlap around it, of one value. */
export function surround(x: Tensor, axes: readonly WindowAxis[], value: number): Tensor {
  const margins = axes.map(({ size, outputs, taps, stride, dilation, before }): [number, number] => {
    const reached = (outputs - 1) * stride + (taps - 1) * dilation + 1;
    return [before, Math.max(0, reached - before - size)];
  });
  return padWith(x, [[0, 0], ...margins, [0, 0]], value);
}

/** What one tap of every window touches in a surrounded image, `[batch, …outputs, channels]`. */
export function touched(wide: Tensor, axes: readonly WindowAxis[], tap: readonly number[]): Tensor {
  const begin = axes.map(({ dilation }, i) => tap[i]! * dilation);
  const end = axes.map(({ outputs, stride }, i) => begin[i]! + (outputs - 1) * stride + 1);
  return stridedSlice(
    wide,
    [0, ...begin, 0],
    [wide.shape[0]!, ...end, wide.shape.at(-1)!],
    [1, ...axes.map(({ stride }) => stride), 1],
  );
}

/** For each window what belongs to the tap with the largest value, of equal ones to the first. */
export function atLargest(values: readonly Tensor[], belongings: readonly Tensor[]): Tensor {
  let [best, chosen] = [values[0]!, belongings[0]!];
  for (let i = 1; i < values.length; i++) {
    const better = greater(values[i]!, best);
    chosen = where(better, belongings[i]!, chosen);
    best = where(better, values[i]!, best);
  }
  return chosen;
}
