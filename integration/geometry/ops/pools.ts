import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { channels, drawn, fill, size } from "../arbitraries.js";
import { add, type Dual, max, scale, zero } from "../dual.js";
import { atOrNone, type Grid, grid } from "../grid.js";
import type { GeometryCase, GeometryOp } from "../op.js";
import { type Padding, padding, padOf, walk } from "../windows.js";

interface Attrs {
  readonly filterSize: [number, number];
  readonly strides: [number, number];
  readonly pad: Padding;
}

/** Every output is made from the elements of its window that lie in the image, in order. */
function pool2d(
  x: Grid,
  { filterSize: [kh, kw], strides, pad }: Attrs,
  combine: (window: readonly Dual[]) => Dual,
): Grid {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const rows = walk(height, kh, strides[0], 1, padOf(pad, 1));
  const cols = walk(width, kw, strides[1], 1, padOf(pad, 2));
  return grid([batch, rows.out, cols.out, channels], ([b, i, j, c]) => {
    const window: Dual[] = [];
    for (let k = 0; k < kh; k++) {
      for (let l = 0; l < kw; l++) {
        const found = atOrNone(
          x,
          b!,
          i! * strides[0] + k - rows.before,
          j! * strides[1] + l - cols.before,
          c!,
        );
        if (found) window.push(found);
      }
    }
    return combine(window);
  });
}

export const largest = (window: readonly Dual[]): Dual => window.reduce(max);

/** Padding does not count. */
export const average = (window: readonly Dual[]): Dual => scale(window.reduce(add, zero), 1 / window.length);

/** Every window has an element of the image. */
const touches = (size: number, taps: number, stride: number, pad: ReturnType<typeof padOf>): boolean => {
  const { out, before } = walk(size, taps, stride, 1, pad);
  if (out < 1) return false;
  for (let i = 0; i < out; i++) {
    const first = i * stride - before;
    if (first + taps <= 0 || first >= size) return false;
  }
  return true;
};

const windows = fc
  .record({
    fill,
    batch: size(3),
    height: size(8),
    width: size(8),
    channels,
    filterSize: fc.tuple(size(4), size(4)),
    strides: fc.tuple(size(5), size(5)),
    pad: padding(2),
    rank: fc.constantFrom(4, 4, 4, 3),
  })
  .filter(
    ({ height, width, filterSize, strides, pad }) =>
      touches(height, filterSize[0], strides[0], padOf(pad, 1)) &&
      touches(width, filterSize[1], strides[1], padOf(pad, 2)),
  )
  .filter(({ batch, height, width, channels }) => batch * height * width * channels < 600)
  .map(
    ({ fill, batch, height, width, channels, filterSize, strides, pad }): GeometryCase => ({
      inputs: [drawn([batch, height, width, channels], fill)],
      attrs: { filterSize, strides, pad },
    }),
  );

const leavesOut = ["windows that lie in the padding alone: the average of nothing, the largest of nothing"];

export const pools: readonly GeometryOp[] = [
  {
    name: "maxPool",
    cases: windows,
    tfjs: ([x], { filterSize, strides, pad }) => tf.maxPool(x, filterSize, strides, pad),
    definition: ([x], attrs) => pool2d(x!, attrs, largest),
    kinks: true,
    second: true,
    leavesOut,
  },
  {
    name: "avgPool",
    cases: windows,
    tfjs: ([x], { filterSize, strides, pad }) => tf.avgPool(x, filterSize, strides, pad),
    definition: ([x], attrs) => pool2d(x!, attrs, average),
    second: true,
    leavesOut,
  },
];
