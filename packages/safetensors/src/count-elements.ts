/**
 * The number of elements of a shape, or `null` when it is 2^53 or more. Zeros are left out of that limit's
 * product, so that `[0, 2^52, 2^52]` is too large in any order of its dimensions.
 */
export function countElements(shape: readonly number[]): number | null {
  let product = 1;
  let empty = false;
  for (const size of shape) {
    if (size === 0) empty = true;
    else product *= size;
    if (product > Number.MAX_SAFE_INTEGER) return null;
  }
  return empty ? 0 : product;
}
