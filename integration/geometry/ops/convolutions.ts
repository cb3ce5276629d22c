import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { channels, drawn, size, smoothFill } from "../arbitraries.js";
import { add, type Dual, mul, zero } from "../dual.js";
import { at, type Grid, grid, indices } from "../grid.js";
import type { GeometryCase, GeometryOp } from "../op.js";
import { type Padding, padding, padOf, type Rounding, type Walk, walk } from "../windows.js";

/** How a window of `taps` moves over the axes between batch and channels. */
export interface Windows {
  readonly strides: readonly number[];
  readonly dilations?: readonly number[];
  readonly pad: Padding;
  readonly dimRoundingMode?: Rounding;
}

export const walks = (
  sizes: readonly number[],
  taps: readonly number[],
  { strides, dilations, pad, dimRoundingMode }: Windows,
): Walk[] =>
  sizes.map((n, i) =>
    walk(n, taps[i]!, strides[i]!, dilations?.[i] ?? 1, padOf(pad, i + 1), dimRoundingMode),
  );

/** Where tap `t` of the window at position `p` lies; null outside the image. */
export function place(
  position: readonly number[],
  tap: readonly number[],
  image: readonly number[],
  along: readonly Walk[],
  { strides, dilations }: Windows,
): number[] | null {
  const found: number[] = [];
  for (const [i, p] of position.entries()) {
    const x = p * strides[i]! + tap[i]! * (dilations?.[i] ?? 1) - along[i]!.before;
    if (x < 0 || x >= image[i]!) return null;
    found.push(x);
  }
  return found;
}

/** Convolution in any number of dimensions: `y[b, p, o] = Σ_t Σ_c x[b, p·stride + t·dilation − before, c] · w[t, c, o]`. */
export function convolution(x: Grid, w: Grid, windows: Windows): Grid {
  const [batch, image] = [x.shape[0]!, x.shape.slice(1, -1)];
  const [taps, [inner, outer]] = [w.shape.slice(0, -2), w.shape.slice(-2) as [number, number]];
  const along = walks(image, taps, windows);
  return grid([batch, ...along.map(({ out }) => out), outer!], ([b, ...rest]) => {
    const [position, o] = [rest.slice(0, -1), rest.at(-1)!];
    let total: Dual = zero;
    for (const t of indices(taps)) {
      const p = place(position, t, image, along, windows);
      if (p === null) continue;
      for (let c = 0; c < inner!; c++) total = add(total, mul(at(x, b!, ...p, c), at(w, ...t, c, o)));
    }
    return total;
  });
}

/** Each channel by itself: `y[b, p, c·m + q] = Σ_t x[b, p·stride + t·dilation − before, c] · w[t, c, q]`. */
export function depthwise(x: Grid, w: Grid, windows: Windows): Grid {
  const [batch, image] = [x.shape[0]!, x.shape.slice(1, -1)];
  const [taps, [inner, multiplier]] = [w.shape.slice(0, -2), w.shape.slice(-2) as [number, number]];
  const along = walks(image, taps, windows);
  return grid([batch, ...along.map(({ out }) => out), inner * multiplier], ([b, ...rest]) => {
    const [position, o] = [rest.slice(0, -1), rest.at(-1)!];
    const [c, q] = [Math.floor(o / multiplier), o % multiplier];
    let total: Dual = zero;
    for (const t of indices(taps)) {
      const p = place(position, t, image, along, windows);
      if (p !== null) total = add(total, mul(at(x, b!, ...p, c), at(w, ...t, c, q)));
    }
    return total;
  });
}

/**
 * The transpose of a convolution of images of `outputShape`: what each output `x[b, p, c]` of that convolution gives back to
 * the elements of its window, `y[b, p·stride + t − before, o] += x[b, p, c] · w[t, o, c]`.
 */
function transposed(x: Grid, w: Grid, outputShape: readonly number[], windows: Windows): Grid {
  const [image, taps] = [outputShape.slice(1, -1), w.shape.slice(0, -2)];
  const [outer, inner] = w.shape.slice(-2) as [number, number];
  const along = walks(image, taps, windows);
  const place0 = grid(outputShape, () => zero);
  const data = [...place0.data];
  const positions = x.shape.slice(0, -1);
  for (const [b, ...position] of indices(positions)) {
    for (const t of indices(taps)) {
      const p = place(position, t, image, along, windows);
      if (p === null) continue;
      const first = [b!, ...p].reduce((flat, i, axis) => flat * outputShape[axis]! + i, 0) * outer;
      for (let o = 0; o < outer; o++) {
        for (let c = 0; c < inner; c++)
          data[first + o] = add(data[first + o]!, mul(at(x, b!, ...position, c), at(w, ...t, o, c)));
      }
    }
  }
  return { shape: [...outputShape], dtype: "float32", data };
}

/** Sizes and steps of windows over images of `axes` axes; strides or dilations are 1, as tfjs asks. */
export const geometries = (axes: number, most: number) => {
  const each = (n: number) => fc.array(size(n), { minLength: axes, maxLength: axes });
  return fc
    .record({
      fill: smoothFill,
      batch: size(3),
      image: each(axes === 3 ? 5 : 9),
      inner: channels,
      outer: channels,
      taps: each(axes === 3 ? 3 : 4),
      strides: each(5),
      dilations: each(3),
      dilated: fc.constantFrom(false, false, true),
      pad: padding(axes),
    })
    .map(({ dilated, strides, dilations, ...rest }) => ({
      ...rest,
      strides: dilated ? strides.map(() => 1) : strides,
      dilations: dilated ? dilations : dilations.map(() => 1),
    }))
    .filter(({ image, taps, strides, dilations, pad }) =>
      walks(image, taps, { strides, dilations, pad }).every(({ out }) => out > 0),
    )
    .filter(({ batch, image, inner, outer, taps }) => {
      // Few enough products for a loop over all of them.
      const sizes = [batch, ...image, inner, outer, ...taps];
      return sizes.reduce((a, b) => a * b, 1) < most;
    });
};

export const leavesOut = [
  "outputs without elements",
  "strides and dilations that both exceed 1 ('Either strides or dilations must be 1')",
];

const MOST = 20_000;
const textPad = (pad: Padding): "same" | "valid" => (pad === "same" ? "same" : "valid");

export const convolutions: readonly GeometryOp[] = [
  {
    name: "conv1d",
    cases: geometries(1, MOST).map(
      ({ fill, batch, image, inner, outer, taps, strides, dilations, pad }): GeometryCase => ({
        inputs: [drawn([batch, ...image, inner], fill), drawn([...taps, inner, outer], fill, -2, 2, 1)],
        attrs: {
          stride: strides[0],
          // Margins are those of an image of one row: the second ones are of its columns. No smaller than `pad`: the window fits.
          pad:
            typeof pad === "number" && batch === 1
              ? [
                  [0, 0],
                  [0, 0],
                  [pad, pad + 1],
                  [0, 0],
                ]
              : pad,
          dilation: dilations[0],
        },
      }),
    ),
    tfjs: ([x, w], { stride, pad, dilation }) => tf.conv1d(x, w, stride, pad, "NWC", dilation),
    definition: ([x, w], { stride, pad, dilation }) =>
      convolution(x!, w!, {
        strides: [stride],
        pad: Array.isArray(pad) ? pad.slice(1) : pad,
        dilations: [dilation],
      }),
    second: true,
    leavesOut,
  },
  {
    name: "conv2d",
    cases: geometries(2, MOST).map(
      ({ fill, batch, image, inner, outer, taps, strides, dilations, pad }): GeometryCase => ({
        inputs: [drawn([batch, ...image, inner], fill), drawn([...taps, inner, outer], fill, -2, 2, 1)],
        attrs: { strides, pad, dilations },
      }),
    ),
    tfjs: ([x, w], { strides, pad, dilations }) => tf.conv2d(x, w, strides, pad, "NHWC", dilations),
    definition: ([x, w], attrs) => convolution(x!, w!, attrs),
    second: true,
    leavesOut,
  },
  {
    name: "conv2d with a rounding mode",
    cases: fc
      .tuple(geometries(2, MOST), fc.nat(3), fc.constantFrom("floor", "round", "ceil"))
      .map(
        ([{ fill, batch, image, inner, outer, taps, strides }, pad, dimRoundingMode]): GeometryCase => ({
          inputs: [drawn([batch, ...image, inner], fill), drawn([...taps, inner, outer], fill, -2, 2, 1)],
          attrs: { strides, pad, dimRoundingMode },
        }),
      )
      .filter(({ inputs: [x, w], attrs }) =>
        walks(x!.shape.slice(1, 3), w!.shape.slice(0, 2), attrs as unknown as Windows).every(
          ({ out }) => out > 0,
        ),
      ),
    tfjs: ([x, w], { strides, pad, dimRoundingMode }) =>
      tf.conv2d(x, w, strides, pad, "NHWC", [1, 1], dimRoundingMode),
    definition: ([x, w], attrs) => convolution(x!, w!, attrs),
    leavesOut,
  },
  {
    name: "conv2d of one image",
    cases: geometries(2, 4_000).map(
      ({ fill, image, inner, outer, taps, strides, dilations, pad }): GeometryCase => ({
        inputs: [drawn([...image, inner], fill), drawn([...taps, inner, outer], fill, -2, 2, 1)],
        attrs: { strides, pad, dilations },
      }),
    ),
    tfjs: ([x, w], { strides, pad, dilations }) => tf.conv2d(x, w, strides, pad, "NHWC", dilations),
    definition: ([x, w], attrs) => {
      const y = convolution({ ...x!, shape: [1, ...x!.shape] }, w!, attrs);
      return { ...y, shape: y.shape.slice(1) };
    },
    leavesOut,
  },
  {
    name: "depthwiseConv2d",
    cases: geometries(2, MOST).map(
      ({ fill, batch, image, inner, outer, taps, strides, dilations, pad }): GeometryCase => ({
        inputs: [
          drawn([batch, ...image, inner], fill),
          drawn([...taps, inner, ((outer - 1) % 3) + 1], fill, -2, 2, 1),
        ],
        attrs: { strides, pad, dilations },
      }),
    ),
    tfjs: ([x, w], { strides, pad, dilations }) => tf.depthwiseConv2d(x, w, strides, pad, "NHWC", dilations),
    definition: ([x, w], attrs) => depthwise(x!, w!, attrs),
    second: true,
    leavesOut,
  },
  {
    name: "separableConv2d",
    cases: geometries(2, MOST)
      .map(({ fill, batch, image, inner, outer, taps, strides, dilations, pad }): GeometryCase => {
        const multiplier = (inner % 2) + 1;
        return {
          inputs: [
            drawn([batch, ...image, inner], fill),
            drawn([...taps, inner, multiplier], fill, -2, 2, 1),
            drawn([1, 1, inner * multiplier, outer], fill, -2, 2, 2),
          ],
          attrs: { strides, pad: textPad(pad), dilations },
        };
      })
      .filter(({ inputs: [x, w], attrs }) =>
        walks(x!.shape.slice(1, 3), w!.shape.slice(0, 2), attrs as unknown as Windows).every(
          ({ out }) => out > 0,
        ),
      ),
    tfjs: ([x, d, p], { strides, pad, dilations }) => tf.separableConv2d(x, d, p, strides, pad, dilations),
    definition: ([x, d, p], attrs) =>
      convolution(depthwise(x!, d!, attrs), p!, { strides: [1, 1], pad: "valid" }),
    leavesOut: [...leavesOut, "padding by numbers, which separableConv2d does not take"],
  },
  {
    name: "conv3d",
    cases: geometries(3, MOST)
      .map(
        ({ fill, batch, image, inner, outer, taps, strides, dilations, pad }): GeometryCase => ({
          inputs: [drawn([batch, ...image, inner], fill), drawn([...taps, inner, outer], fill, -2, 2, 1)],
          attrs: { strides, pad: textPad(pad), dilations },
        }),
      )
      .filter(({ inputs: [x, w], attrs }) =>
        walks(x!.shape.slice(1, 4), w!.shape.slice(0, 3), attrs as unknown as Windows).every(
          ({ out }) => out > 0,
        ),
      ),
    tfjs: ([x, w], { strides, pad, dilations }) => tf.conv3d(x, w, strides, pad, "NDHWC", dilations),
    definition: ([x, w], attrs) => convolution(x!, w!, attrs),
    leavesOut: [...leavesOut, "padding by numbers, which conv3d does not take"],
  },
  {
    name: "conv2dTranspose",
    cases: geometries(2, MOST)
      .map(({ fill, batch, image, inner, outer, taps, strides, pad }): GeometryCase => {
        const positions = walks(image, taps, { strides, pad }).map(({ out }) => out);
        return {
          inputs: [drawn([batch, ...positions, inner], fill), drawn([...taps, outer, inner], fill, -2, 2, 1)],
          attrs: { outputShape: [batch, ...image, outer], strides, pad },
        };
      })
      .filter(({ inputs: [x] }) => x!.shape.every((n) => n > 0)),
    tfjs: ([x, w], { outputShape, strides, pad }) => tf.conv2dTranspose(x, w, outputShape, strides, pad),
    definition: ([x, w], { outputShape, ...windows }) => transposed(x!, w!, outputShape, windows),
    second: true,
    leavesOut: ["output shapes whose convolution has not the input's shape"],
  },
  {
    name: "conv3dTranspose",
    cases: geometries(3, MOST)
      .map(({ fill, batch, image, inner, outer, taps, strides, pad: any }): GeometryCase => {
        const pad = textPad(any);
        const positions = walks(image, taps, { strides, pad }).map(({ out }) => out);
        return {
          inputs: [drawn([batch, ...positions, inner], fill), drawn([...taps, outer, inner], fill, -2, 2, 1)],
          attrs: { outputShape: [batch, ...image, outer], strides, pad },
        };
      })
      .filter(({ inputs: [x] }) => x!.shape.every((n) => n > 0)),
    tfjs: ([x, w], { outputShape, strides, pad }) => tf.conv3dTranspose(x, w, outputShape, strides, pad),
    definition: ([x, w], { outputShape, ...windows }) => transposed(x!, w!, outputShape, windows),
    leavesOut: ["output shapes whose convolution has not the input's shape", "padding by numbers"],
  },
];
