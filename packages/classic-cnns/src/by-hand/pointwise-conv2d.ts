import { matMul } from "./mat-mul.js";
import { expectPlane, expectVolume, type Plane, type Volume } from "./plane.js";
import { toPlanes } from "./to-planes.js";

/**
 * A 1x1 convolution as the matrix product that it is: every pixel's channels times one matrix,
 * `y[o][i][j] = Σ_c w[o][c] x[c][i][j]`.
 *
 * @param x `[in][h][w]`.
 * @param weights `[out][in]`.
 * @returns `[out][h][w]`.
 * @throws {TypeError | RangeError} when something is not a finite number, or the channels do not line up.
 * @see Lin, Chen, Yan 2014, Network In Network, §3.1, https://arxiv.org/abs/1312.4400
 */
export function pointwiseConv2d(x: Volume, weights: Plane): number[][][] {
  expectVolume("pointwiseConv2d: x", x);
  expectPlane("pointwiseConv2d: weights", weights);
  if (weights[0]!.length !== x.length) {
    throw new RangeError(
      `pointwiseConv2d: weights: expected ${x.length} columns, one per channel, got ${weights[0]!.length}`,
    );
  }
  const pixels = x.map((plane) => plane.flat()); // [in][h w]
  return toPlanes(matMul(weights, pixels), x[0]![0]!.length);
}
