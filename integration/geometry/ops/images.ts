/** Ops on images: sizes, cuts, turns. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { drawn, integers, size, smoothFill } from "../arbitraries.js";
import { add, constant, type Dual, scale, zero } from "../dual.js";
import { at, atOrNone, type Grid, grid, range } from "../grid.js";
import type { GeometryCase, GeometryOp } from "../op.js";

interface ResizeAttrs {
  readonly size: [number, number];
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Where the centre of output pixel `i` lies in the image, TensorFlow's three rules. */
function source(
  i: number,
  from: number,
  to: number,
  { alignCorners, halfPixelCenters }: ResizeAttrs,
): number {
  if (alignCorners) return to > 1 ? (i * (from - 1)) / (to - 1) : 0;
  return halfPixelCenters ? ((i + 0.5) * from) / to - 0.5 : (i * from) / to;
}

/** The two neighbours of a place on an axis and how much each counts. */
function neighbours(place: number, n: number): [number, number][] {
  const low = Math.floor(place);
  const part = place - low;
  const inside = (i: number) => Math.min(Math.max(i, 0), n - 1);
  // In front of the first centre there is the first pixel only.
  if (place < 0) return [[0, 1]];
  return [
    [inside(low), 1 - part],
    [inside(low + 1), part],
  ];
}

function resizeBilinear(x: Grid, attrs: ResizeAttrs): Grid {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [rows, cols] = attrs.size;
  return grid([batch, rows, cols, channels], ([b, i, j, c]) => {
    let total: Dual = zero;
    for (const [p, weightP] of neighbours(source(i!, height, rows, attrs), height)) {
      for (const [q, weightQ] of neighbours(source(j!, width, cols, attrs), width))
        total = add(total, scale(at(x, b!, p, q, c!), weightP * weightQ));
    }
    return total;
  });
}

function resizeNearest(x: Grid, attrs: ResizeAttrs): Grid {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [rows, cols] = attrs.size;
  const nearest = (i: number, from: number, to: number) => {
    // Ends of pixels: in 32 bits as TensorFlow computes them, for the place may lie between two pixels exactly.
    const factor = Math.fround(attrs.alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to);
    const place = attrs.halfPixelCenters
      ? Math.fround(Math.fround(i + 0.5) * factor)
      : Math.fround(i * factor);
    const pixel = attrs.alignCorners ? Math.floor(place + 0.5) : Math.floor(place);
    return Math.min(Math.max(pixel, 0), from - 1);
  };
  return grid([batch, rows, cols, channels], ([b, i, j, c]) =>
    at(x, b!, nearest(i!, height, rows), nearest(j!, width, cols), c!),
  );
}

const resizeCases = fc
  .record({
    batch: size(2),
    height: size(6),
    width: size(6),
    channels: size(3),
    rows: size(9),
    cols: size(9),
    rule: fc.constantFrom("corners", "half pixels", "neither"),
    fill: smoothFill,
  })
  .map(
    ({ batch, height, width, channels, rows, cols, rule, fill }): GeometryCase => ({
      inputs: [drawn([batch, height, width, channels], fill)],
      attrs: {
        size: [rows, cols],
        alignCorners: rule === "corners",
        halfPixelCenters: rule === "half pixels",
      },
    }),
  );

interface CropAttrs {
  readonly cropSize: [number, number];
  readonly method: "bilinear" | "nearest";
  readonly outside: number;
}

/** Each box `[y1, x1, y2, x2]`, in units of the image, cut out and resized. */
function cropAndResize(image: Grid, boxes: Grid, of: Grid, { cropSize, method, outside }: CropAttrs): Grid {
  const [, height, width, channels] = image.shape as [number, number, number, number];
  const place = (i: number, steps: number, from: number, to: number, n: number) =>
    steps > 1 ? from * (n - 1) + (i * (to - from) * (n - 1)) / (steps - 1) : 0.5 * (from + to) * (n - 1);
  return grid([boxes.shape[0]!, ...cropSize, channels], ([box, i, j, c]) => {
    const [y1, x1, y2, x2] = range(4).map((k) => at(boxes, box!, k).v) as [number, number, number, number];
    const y = place(i!, cropSize[0], y1, y2, height);
    const x = place(j!, cropSize[1], x1, x2, width);
    if (y < 0 || y > height - 1 || x < 0 || x > width - 1) return constant(outside);
    const b = at(of, box!).v;
    if (method === "nearest") return at(image, b, Math.round(y), Math.round(x), c!);
    let total: Dual = zero;
    for (const [p, weightP] of ends(y)) {
      for (const [q, weightQ] of ends(x))
        total = add(total, scale(at(image, b, p, q, c!), weightP * weightQ));
    }
    return total;
  });
}

/** The pixels before and after a place inside the image. */
const ends = (place: number): [number, number][] => {
  const [low, high] = [Math.floor(place), Math.ceil(place)];
  return low === high
    ? [[low, 1]]
    : [
        [low, 1 - (place - low)],
        [high, place - low],
      ];
};

export const imageOps: readonly GeometryOp[] = [
  {
    name: "image.resizeBilinear",
    cases: resizeCases,
    tfjs: ([x], { size, alignCorners, halfPixelCenters }) =>
      tf.image.resizeBilinear(x, size, alignCorners, halfPixelCenters),
    definition: ([x], attrs) => resizeBilinear(x!, attrs),
    leavesOut: ["both rules at once ('halfPixelCenters is true, alignCorners must be false')"],
  },
  {
    name: "image.resizeNearestNeighbor",
    cases: resizeCases,
    tfjs: ([x], { size, alignCorners, halfPixelCenters }) =>
      tf.image.resizeNearestNeighbor(x, size, alignCorners, halfPixelCenters),
    definition: ([x], attrs) => resizeNearest(x!, attrs),
    leavesOut: ["both rules at once"],
  },
  {
    name: "image.cropAndResize",
    cases: fc
      .record({
        batch: size(3),
        height: size(6),
        width: size(6),
        channels: size(3),
        count: size(3),
        rows: size(4),
        cols: size(4),
        method: fc.constantFrom("bilinear", "nearest"),
        outside: fc.constantFrom(0, 1.5),
        seed: fc.nat(999),
        fill: smoothFill,
      })
      .map(
        ({
          batch,
          height,
          width,
          channels,
          count,
          rows,
          cols,
          method,
          outside,
          seed,
          fill,
        }): GeometryCase => ({
          inputs: [
            drawn([batch, height, width, channels], fill),
            drawn([count, 4], fill, -0.3, 1.3, 1),
            integers([count], seed, 0, batch - 1),
          ],
          attrs: { cropSize: [rows, cols], method, outside },
        }),
      ),
    tfjs: ([x, boxes, of], { cropSize, method, outside }) =>
      tf.image.cropAndResize(x, boxes, of, cropSize, method, outside),
    definition: ([x, boxes, of], attrs) => cropAndResize(x!, boxes!, of!, attrs),
    wrt: [0],
  },
  {
    name: "image.flipLeftRight",
    cases: fc
      .record({ batch: size(3), height: size(4), width: size(5), channels: size(3), fill: smoothFill })
      .map(
        ({ batch, height, width, channels, fill }): GeometryCase => ({
          inputs: [drawn([batch, height, width, channels], fill)],
          attrs: {},
        }),
      ),
    tfjs: ([x]) => tf.image.flipLeftRight(x),
    definition: ([x]) => grid(x!.shape, ([b, i, j, c]) => at(x!, b!, i!, x!.shape[2]! - 1 - j!, c!)),
  },
  {
    name: "image.rotateWithOffset",
    cases: fc
      .record({
        batch: size(2),
        height: size(5),
        width: size(5),
        channels: size(3),
        // Not where a place falls between two pixels exactly.
        radians: fc.constantFrom(0.1, 0.5, 1, 2, 3, -0.7),
        value: fc.constantFrom<(n: number) => number | number[]>(
          () => 0,
          () => 1.5,
          (n) => range(n).map((i) => i + 0.5),
        ),
        center: fc.constantFrom<number | [number, number]>(0.5, 0.25, [0.25, 0.75]),
        fill: smoothFill,
      })
      .map(
        ({ batch, height, width, channels, radians, value, center, fill }): GeometryCase => ({
          inputs: [drawn([batch, height, width, channels], fill)],
          attrs: { radians, value: channels === 3 ? value(3) : 0, center },
        }),
      ),
    tfjs: ([x], { radians, value, center }) => tf.image.rotateWithOffset(x, radians, value, center),
    definition: ([x], { radians, value, center }) => {
      const [, height, width] = x!.shape as [number, number, number];
      const [cx, cy] = [
        width * (typeof center === "number" ? center : center[0]),
        height * (typeof center === "number" ? center : center[1]),
      ];
      const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
      return grid(x!.shape, ([b, i, j, c]) => {
        const from = Math.round((j! - cx) * cos - (i! - cy) * sin + cx);
        const row = Math.round((j! - cx) * sin + (i! - cy) * cos + cy);
        return atOrNone(x!, b!, row, from, c!) ?? constant(typeof value === "number" ? value : value[c!]);
      });
    },
    leavesOut: ["a list of fill values for other than three channels"],
  },
  {
    name: "image.transform",
    cases: fc
      .record({
        batch: size(2),
        height: size(5),
        width: size(5),
        channels: size(3),
        // No place lies between two pixels exactly.
        shift: fc.tuple(fc.constantFrom(0.317, -0.713, 1.209), fc.constantFrom(0.203, -1.311)),
        stretch: fc.tuple(fc.constantFrom(0.807, 1.103), fc.constantFrom(0.911, -1.207)),
        shear: fc.tuple(fc.constantFrom(0, 0.153), fc.constantFrom(0, -0.257)),
        method: fc.constantFrom("nearest", "bilinear"),
        outside: fc.constantFrom(0, 1.5),
        to: fc.constantFrom<[number, number] | undefined>(undefined, [3, 4]),
        one: fc.boolean(),
        fill: smoothFill,
      })
      .map(
        ({
          batch,
          height,
          width,
          channels,
          shift,
          stretch,
          shear,
          method,
          outside,
          to,
          one,
          fill,
        }): GeometryCase => {
          const matrix = [stretch[0], shear[0], shift[0], shear[1], stretch[1], shift[1], 0, 0];
          const count = one ? 1 : batch;
          return {
            inputs: [
              drawn([batch, height, width, channels], fill),
              { shape: [count, 8], values: range(count).flatMap(() => matrix.map(Math.fround)) },
            ],
            attrs: { method, outside, ...(to ? { to } : {}) },
          };
        },
      ),
    tfjs: ([x, matrix], { method, outside, to }) =>
      tf.image.transform(x, matrix, method, "constant", outside, to),
    definition: ([x, matrix], { method, outside, to }) => {
      const [batch, height, width, channels] = x!.shape as [number, number, number, number];
      const [rows, cols] = to ?? [height, width];
      const inside = (b: number, p: number, q: number, c: number) =>
        atOrNone(x!, b, p, q, c) ?? constant(outside);
      return grid([batch, rows, cols, channels], ([b, i, j, c]) => {
        const row = matrix!.shape[0] === 1 ? 0 : b!;
        const [a0, a1, a2, b0, b1, b2] = range(6).map((k) => at(matrix!, row, k).v) as number[];
        const q = a0! * j! + a1! * i! + a2!;
        const p = b0! * j! + b1! * i! + b2!;
        if (method === "nearest") return inside(b!, Math.round(p), Math.round(q), c!);
        let total: Dual = zero;
        for (const [y, weightY] of ends(p)) {
          for (const [z, weightZ] of ends(q))
            total = add(total, scale(inside(b!, y, z, c!), weightY * weightZ));
        }
        return total;
      });
    },
    wrt: [0],
    leavesOut: [
      "the other rules for places outside, which wrap or mirror: no gradient depends on their kernels alone",
    ],
  },
];
