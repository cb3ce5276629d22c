import { expectFinite } from "../expect-argument.js";
import { conv2d } from "./conv2d.js";
import { expectPlane, type Filters, type Plane, type Volume } from "./plane.js";

/**
 * The larger of two numbers from one ReLU, `a + max(b − a, 0)`; up to the rounding of `b − a`.
 *
 * @throws {TypeError | RangeError} when a number is not finite.
 */
export function maxFromRelu(a: number, b: number): number {
  expectFinite("maxFromRelu: a", a);
  expectFinite("maxFromRelu: b", b);
  return a + relu(b - a);
}

/** One layer of {@link maxPoolLayers}: a convolution without bias, and what follows it. */
export interface MaxPoolLayer {
  /** `[out][in][kh][kw]`. */
  readonly filters: Filters;
  readonly stride: number;
  /** Whether a ReLU follows. */
  readonly relu: boolean;
}

/**
 * 2x2 max-pooling with stride 2 as a network of convolutions and ReLU alone, one channel in and out.
 *
 * The maximum of a, b needs `a + relu(b − a)`, and a itself must pass the ReLU too: as `relu(a) − relu(−a)`. So every
 * pair takes three channels, `a, −a, b − a`, and the next layer adds them with weights 1, −1, 1: first the left and the
 * right of each row, then the upper and the lower row.
 */
export const maxPoolLayers: readonly MaxPoolLayer[] = [
  {
    // [upper left, upper right; lower left, lower right]
    filters: [
      [[[1, 0], [0, 0]]],
      [[[-1, 0], [0, 0]]],
      [[[-1, 1], [0, 0]]],
      [[[0, 0], [1, 0]]],
      [[[0, 0], [-1, 0]]],
      [[[0, 0], [-1, 1]]],
    ], // biome-ignore format: kernels
    stride: 2,
    relu: true,
  },
  {
    filters: pointwise([
      [1, -1, 1, 0, 0, 0], // upper
      [-1, 1, -1, 0, 0, 0], // −upper
      [-1, 1, -1, 1, -1, 1], // lower − upper
    ]),
    stride: 1,
    relu: true,
  },
  { filters: pointwise([[1, -1, 1]]), stride: 1, relu: false },
];

/**
 * What {@link maxPoolLayers} computes: 2x2 max-pooling with stride 2, up to the rounding of differences, exact on
 * integers below 2^51.
 *
 * @param x `[h][w]`, at least 2x2; an odd last row or column is left out.
 * @returns `[⌊h / 2⌋][⌊w / 2⌋]`.
 * @throws {TypeError | RangeError} when something is not a finite number, or the plane is smaller.
 */
export function maxPoolFromRelu(x: Plane): number[][] {
  expectPlane("maxPoolFromRelu: x", x);
  if (x.length < 2 || x[0]!.length < 2) {
    throw new RangeError(`maxPoolFromRelu: x: expected at least 2×2, got ${x.length}×${x[0]!.length}`);
  }
  let volume: Volume = [x];
  for (const { filters, stride, relu: isRectified } of maxPoolLayers) {
    volume = conv2d(volume, filters, { stride });
    if (isRectified) volume = volume.map((plane) => plane.map((row) => row.map(relu)));
  }
  return volume[0]!.map((row) => [...row]);
}

function relu(value: number): number {
  return Math.max(value, 0);
}

/** 1x1 filters from a matrix, `[out][in]`. */
function pointwise(weights: Plane): Filters {
  return weights.map((row) => row.map((weight) => [[weight]]));
}
