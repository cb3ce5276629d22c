import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { channels, drawn, size, smoothFill } from "../arbitraries.js";
import { add, type Dual, mul, zero } from "../dual.js";
import { at, atOrZero, type Grid, grid } from "../grid.js";
import type { GeometryCase, GeometryOp } from "../op.js";
import { type Padding, padding, padOf, walk } from "../windows.js";

interface Attrs {
  readonly strides: [number, number];
  readonly pad: Padding;
  readonly dilations: [number, number];
}

/** `y[b, i, j, o] = Σ x[b, i·s + k·r − p, j·s + l·r − q, c] · w[k, l, c, o]`. */
export function conv2d(x: Grid, w: Grid, { strides, pad, dilations }: Attrs): Grid {
  const [batch, height, width] = x.shape as [number, number, number];
  const [kh, kw, inner, outer] = w.shape as [number, number, number, number];
  const rows = walk(height, kh, strides[0], dilations[0], padOf(pad, 1));
  const cols = walk(width, kw, strides[1], dilations[1], padOf(pad, 2));
  return grid([batch, rows.out, cols.out, outer], ([b, i, j, o]) => {
    let total: Dual = zero;
    for (let k = 0; k < kh; k++) {
      for (let l = 0; l < kw; l++) {
        const y = i! * strides[0] + k * dilations[0] - rows.before;
        const z = j! * strides[1] + l * dilations[1] - cols.before;
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        for (let c = 0; c < inner; c++) total = add(total, mul(at(x, b!, y, z, c), at(w, k, l, c, o!)));
      }
    }
    return total;
  });
}

/** `y[b, i, j, c·m + q] = Σ x[b, i·s + k·r − p, j·s + l·r − p, c] · w[k, l, c, q]`. */
export function depthwiseConv2d(x: Grid, w: Grid, { strides, pad, dilations }: Attrs): Grid {
  const [batch, height, width] = x.shape as [number, number, number];
  const [kh, kw, inner, multiplier] = w.shape as [number, number, number, number];
  const rows = walk(height, kh, strides[0], dilations[0], padOf(pad, 1));
  const cols = walk(width, kw, strides[1], dilations[1], padOf(pad, 2));
  return grid([batch, rows.out, cols.out, inner * multiplier], ([b, i, j, o]) => {
    const [c, q] = [Math.floor(o! / multiplier), o! % multiplier];
    let total: Dual = zero;
    for (let k = 0; k < kh; k++) {
      for (let l = 0; l < kw; l++) {
        const y = i! * strides[0] + k * dilations[0] - rows.before;
        const z = j! * strides[1] + l * dilations[1] - cols.before;
        total = add(total, mul(atOrZero(x, b!, y, z, c), at(w, k, l, c, q)));
      }
    }
    return total;
  });
}

/** Sizes and steps of a two-dimensional window over images; strides or dilations are 1, as tfjs asks. */
const windows = fc
  .record({
    fill: smoothFill,
    batch: size(3),
    height: size(9),
    width: size(9),
    inner: channels,
    outer: channels,
    kh: size(4),
    kw: size(4),
    strides: fc.tuple(size(5), size(5)),
    dilations: fc.tuple(size(3), size(3)),
    dilated: fc.constantFrom(false, false, true),
    pad: padding(2),
  })
  .map(({ dilated, strides, dilations, ...rest }) => ({
    ...rest,
    strides: dilated ? ([1, 1] as [number, number]) : strides,
    dilations: dilated ? dilations : ([1, 1] as [number, number]),
  }))
  .filter(
    ({ height, width, kh, kw, strides, dilations, pad }) =>
      walk(height, kh, strides[0], dilations[0], padOf(pad, 1)).out > 0 &&
      walk(width, kw, strides[1], dilations[1], padOf(pad, 2)).out > 0,
  )
  // Few enough products for a loop over all of them.
  .filter(
    ({ batch, height, width, inner, outer, kh, kw }) =>
      batch * height * width * inner * outer * kh * kw < 20_000,
  );

const leavesOut = [
  "outputs without elements",
  "strides and dilations that both exceed 1: tfjs refuses them ('Either strides or dilations must be 1')",
];

export const convolutions: readonly GeometryOp[] = [
  {
    name: "conv2d",
    cases: windows.map(
      ({ fill, batch, height, width, inner, outer, kh, kw, strides, dilations, pad }): GeometryCase => ({
        inputs: [drawn([batch, height, width, inner], fill), drawn([kh, kw, inner, outer], fill, -2, 2, 1)],
        attrs: { strides, pad, dilations },
      }),
    ),
    tfjs: ([x, w], { strides, pad, dilations }) => tf.conv2d(x, w, strides, pad, "NHWC", dilations),
    definition: ([x, w], attrs) => conv2d(x!, w!, attrs),
    second: true,
    leavesOut,
  },
  {
    name: "depthwiseConv2d",
    cases: windows.map(
      ({ fill, batch, height, width, inner, outer, kh, kw, strides, dilations, pad }): GeometryCase => ({
        inputs: [
          drawn([batch, height, width, inner], fill),
          drawn([kh, kw, inner, ((outer - 1) % 3) + 1], fill, -2, 2, 1),
        ],
        attrs: { strides, pad, dilations },
      }),
    ),
    tfjs: ([x, w], { strides, pad, dilations }) => tf.depthwiseConv2d(x, w, strides, pad, "NHWC", dilations),
    definition: ([x, w], attrs) => depthwiseConv2d(x!, w!, attrs),
    second: true,
    leavesOut,
  },
];
