import type { Box } from "./norm.js";
import { clamp } from "./single-precision.js";

/** A point in single precision, every number of it in its bounds. */
export function boxed(
  point: ArrayLike<number>,
  { lower, upper }: Pick<Box, "lower" | "upper">,
): Float32Array {
  return Float32Array.from(point, (value, i) => clamp(value, lower[i]!, upper[i]!));
}
