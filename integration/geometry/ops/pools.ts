import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { channels, drawn, fill, size, smoothFill } from "../arbitraries.js";
import { add, compare, type Dual, max, scale, still, zero } from "../dual.js";
import { at, type Grid, grid, indices } from "../grid.js";
import type { GeometryCase, GeometryOp } from "../op.js";
import { padding } from "../windows.js";
import { place, type Windows, walks } from "./convolutions.js";

interface Attrs extends Windows {
  readonly filterSize: readonly number[];
}

/** Every output is made from the elements of its window that lie in the image, in order. */
function pool(x: Grid, attrs: Attrs, combine: (window: readonly Dual[]) => Dual): Grid {
  const [batch, image, channels] = [x.shape[0]!, x.shape.slice(1, -1), x.shape.at(-1)!];
  const along = walks(image, attrs.filterSize, attrs);
  return grid([batch, ...along.map(({ out }) => out), channels], ([b, ...rest]) => {
    const [position, c] = [rest.slice(0, -1), rest.at(-1)!];
    const window: Dual[] = [];
    for (const t of indices(attrs.filterSize)) {
      const p = place(position, t, image, along, attrs);
      if (p !== null) window.push(at(x, b!, ...p, c));
    }
    return combine(window);
  });
}

const largest = (window: readonly Dual[]): Dual => window.reduce(max);

/** Padding does not count. */
const average = (window: readonly Dual[]): Dual => scale(window.reduce(add, zero), 1 / window.length);

/** Every window has an element of the image. */
const touches = (image: readonly number[], attrs: Attrs): boolean => {
  const along = walks(image, attrs.filterSize, attrs);
  if (along.some(({ out }) => out < 1)) return false;
  for (const position of indices(along.map(({ out }) => out))) {
    let inside = false;
    for (const t of indices(attrs.filterSize)) inside ||= place(position, t, image, along, attrs) !== null;
    if (!inside) return false;
  }
  return true;
};

const windows = (axes: number) => {
  const each = (n: number) => fc.array(size(n), { minLength: axes, maxLength: axes });
  return fc
    .record({
      fill,
      batch: size(3),
      image: each(axes === 3 ? 5 : 8),
      channels,
      filterSize: each(axes === 3 ? 3 : 4),
      strides: each(axes === 3 ? 3 : 5),
      pad: padding(axes),
    })
    .filter(({ image, filterSize, strides, pad }) => touches(image, { filterSize, strides, pad }))
    .filter(({ batch, image, channels }) => [batch, ...image, channels].reduce((a, b) => a * b, 1) < 600)
    .map(
      ({ fill, batch, image, channels, filterSize, strides, pad }): GeometryCase => ({
        inputs: [drawn([batch, ...image, channels], fill)],
        attrs: { filterSize, strides, pad },
      }),
    );
};

/** A window that is dilated, over images that hold it whole. */
const dilated = fc
  .record({
    fill,
    batch: size(2),
    image: fc.tuple(size(9), size(9)),
    channels: size(4),
    filterSize: fc.tuple(size(3), size(3)),
    dilations: fc.tuple(size(3), size(3)),
  })
  .filter(({ image, filterSize, dilations }) =>
    walks(image, filterSize, { strides: [1, 1], dilations, pad: "valid" }).every(({ out }) => out > 0),
  )
  .map(
    ({ fill, batch, image, channels, filterSize, dilations }): GeometryCase => ({
      inputs: [drawn([batch, ...image, channels], fill)],
      attrs: { filterSize, strides: [1, 1], dilations, pad: "valid" },
    }),
  );

const leavesOut = ["windows that lie in the padding alone: the average of nothing, the largest of nothing"];
const leavesOutDilated = ["a dilated pool with padding: tfjs pads with zeros, which count"];

/** Where the first of the largest elements of each window lies in the flat image, or in the flat batch. */
function argmax(x: Grid, attrs: Attrs & { includeBatchInIndex: boolean }): Grid {
  const [image, channels] = [x.shape.slice(1, -1), x.shape.at(-1)!];
  const along = walks(image, attrs.filterSize, attrs);
  return grid(
    [x.shape[0]!, ...along.map(({ out }) => out), channels],
    ([b, ...rest]) => {
      const [position, c] = [rest.slice(0, -1), rest.at(-1)!];
      let best: { value: Dual; flat: number } | undefined;
      for (const t of indices(attrs.filterSize)) {
        const p = place(position, t, image, along, attrs);
        if (p === null) continue;
        const value = still(at(x, b!, ...p, c));
        const spot = p.reduce((flat, i, axis) => flat * image[axis]! + i, attrs.includeBatchInIndex ? b! : 0);
        if (best === undefined || compare(value, best.value) > 0) best = { value, flat: spot * channels + c };
      }
      return { ...zero, v: best!.flat };
    },
    "int32",
  );
}

export const pools: readonly GeometryOp[] = [
  {
    name: "maxPool",
    cases: windows(2),
    tfjs: ([x], { filterSize, strides, pad }) => tf.maxPool(x, filterSize, strides, pad),
    definition: ([x], attrs) => pool(x!, attrs, largest),
    kinks: true,
    second: true,
    leavesOut,
  },
  {
    name: "avgPool",
    cases: windows(2),
    tfjs: ([x], { filterSize, strides, pad }) => tf.avgPool(x, filterSize, strides, pad),
    definition: ([x], attrs) => pool(x!, attrs, average),
    second: true,
    leavesOut,
  },
  {
    name: "maxPool3d",
    cases: windows(3),
    tfjs: ([x], { filterSize, strides, pad }) => tf.maxPool3d(x, filterSize, strides, pad),
    definition: ([x], attrs) => pool(x!, attrs, largest),
    kinks: true,
    leavesOut,
  },
  {
    name: "avgPool3d",
    cases: windows(3),
    tfjs: ([x], { filterSize, strides, pad }) => tf.avgPool3d(x, filterSize, strides, pad),
    definition: ([x], attrs) => pool(x!, attrs, average),
    leavesOut,
  },
  {
    name: "pool of the largest, dilated",
    cases: dilated,
    tfjs: ([x], { filterSize, pad, dilations, strides }) =>
      tf.pool(x, filterSize, "max", pad, dilations, strides),
    definition: ([x], attrs) => pool(x!, attrs, largest),
    kinks: true,
    leavesOut: leavesOutDilated,
  },
  {
    name: "pool of averages, dilated",
    cases: dilated,
    tfjs: ([x], { filterSize, pad, dilations, strides }) =>
      tf.pool(x, filterSize, "avg", pad, dilations, strides),
    definition: ([x], attrs) => pool(x!, attrs, average),
    leavesOut: leavesOutDilated,
  },
  {
    name: "maxPoolWithArgmax",
    cases: fc
      .tuple(windows(2), fc.boolean())
      .map(
        ([{ inputs, attrs }, includeBatchInIndex]): GeometryCase => ({
          inputs,
          attrs: { ...attrs, includeBatchInIndex },
        }),
      )
      .filter(({ attrs: { pad } }) => !Array.isArray(pad)),
    tfjs: ([x], { filterSize, strides, pad, includeBatchInIndex }) => {
      const { result, indexes } = tf.maxPoolWithArgmax(x, filterSize, strides, pad, includeBatchInIndex);
      return [result!, indexes!];
    },
    definition: ([x], attrs) => [pool(x!, attrs, largest), argmax(x!, attrs)],
    kinks: true,
    leavesOut: [...leavesOut, "explicit paddings, which maxPoolWithArgmax does not take"],
  },
  {
    name: "dilation2d",
    cases: fc
      .record({
        fill: smoothFill,
        batch: size(2),
        image: fc.tuple(size(7), size(7)),
        channels: size(5),
        taps: fc.tuple(size(3), size(3)),
        strides: fc.tuple(size(3), size(3)),
        dilations: fc.tuple(size(2), size(2)),
        pad: fc.constantFrom("same" as const, "valid" as const),
      })
      .filter(({ image, taps, ...attrs }) => touches(image, { filterSize: taps, ...attrs }))
      .map(
        ({ fill, batch, image, channels, taps, strides, dilations, pad }): GeometryCase => ({
          inputs: [drawn([batch, ...image, channels], fill), drawn([...taps, channels], fill, -2, 2, 1)],
          attrs: { strides, dilations, pad },
        }),
      ),
    tfjs: ([x, w], { strides, pad, dilations }) => tf.dilation2d(x, w, strides, pad, dilations),
    // `y[b, p, c] = max_t x[b, p·stride + t·dilation − before, c] + w[t, c]`
    definition: ([x, w], attrs) => {
      const [image, taps] = [x!.shape.slice(1, -1), w!.shape.slice(0, -1)];
      const along = walks(image, taps, attrs);
      return grid([x!.shape[0]!, ...along.map(({ out }) => out), x!.shape.at(-1)!], ([b, ...rest]) => {
        const [position, c] = [rest.slice(0, -1), rest.at(-1)!];
        const sums: Dual[] = [];
        for (const t of indices(taps)) {
          const p = place(position, t, image, along, attrs);
          if (p !== null) sums.push(add(at(x!, b!, ...p, c), at(w!, ...t, c)));
        }
        return largest(sums);
      });
    },
    kinks: true,
    leavesOut,
  },
];
