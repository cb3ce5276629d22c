import { type Box, differenceOf } from "./norm.js";
import { clamp } from "./single-precision.js";

/**
 * A point in single precision, in the box and within ε of its image in double precision: what rounding has put outside
 * is drawn in, by a millionth of a millionth more each time.
 */
export function shrinkWithin(
  point: ArrayLike<number>,
  { x, lower, upper }: Box,
  epsilon: number,
  size: (delta: ArrayLike<number>) => number,
): Float32Array {
  const result = new Float32Array(x.length);
  let factor = 1;
  for (let excess = 2e-8; ; excess *= 2) {
    for (let i = 0; i < x.length; i++) {
      const own = x[i]!;
      result[i] = clamp(factor === 1 ? point[i]! : own + factor * (point[i]! - own), lower[i]!, upper[i]!);
    }
    const now = size(differenceOf(result, x));
    if (!(now > epsilon)) return result;
    factor = Math.max(0, Math.min(factor * (epsilon / now), factor) - excess);
  }
}
