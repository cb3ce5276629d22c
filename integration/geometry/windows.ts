import fc from "fast-check";

/** Padding as tfjs takes it. */
export type Padding = "same" | "valid" | number | [number, number][];

/** How a number of positions that is not whole becomes whole. */
export type Rounding = "floor" | "round" | "ceil";

/** How a window moves along one axis. */
export interface Walk {
  /** Number of positions. */
  readonly out: number;
  /** Elements of padding before the first. */
  readonly before: number;
}

/**
 * The positions of a window along an axis, TensorFlow's rule: `"valid"` stays inside; `"same"` has `ceil(size / stride)`
 * positions and pads what they lack, the odd element at the end; a number pads both ends, a pair each end by its own.
 */
export function walk(
  size: number,
  taps: number,
  stride: number,
  dilation: number,
  pad: "same" | "valid" | number | readonly [number, number],
  rounding: Rounding = "floor",
): Walk {
  const reach = (taps - 1) * dilation + 1;
  if (pad === "same") {
    const out = Math.ceil(size / stride);
    const total = Math.max(0, (out - 1) * stride + reach - size);
    return { out, before: Math.floor(total / 2) };
  }
  if (pad === "valid") return { out: Math.ceil((size - reach + 1) / stride), before: 0 };
  const [before, after] = typeof pad === "number" ? [pad, pad] : pad;
  return { out: Math[rounding]((size + before + after - reach) / stride) + 1, before };
}

/** The padding of the spatial axis `axis` (1 for rows, as in `[batch, rows, columns, channels]`). */
export const padOf = (pad: Padding, axis: number) => (Array.isArray(pad) ? pad[axis]! : pad);

/** Every kind of padding; margins up to `most`, which may exceed the window. */
export const padding = (axes: number, most = 4): fc.Arbitrary<Padding> => {
  const margin = fc.nat(most);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant<Padding>("valid") },
    { weight: 4, arbitrary: fc.constant<Padding>("same") },
    { weight: 2, arbitrary: margin },
    ...(axes === 2
      ? [
          {
            weight: 2,
            arbitrary: fc.tuple(margin, margin, margin, margin).map(
              ([t, b, l, r]): Padding => [
                [0, 0],
                [t, b],
                [l, r],
                [0, 0],
              ],
            ),
          },
        ]
      : []),
  );
};
