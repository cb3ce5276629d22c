/** Vectors of fewer than four numbers, at the end of a row. */

/** `count` (1 to 4) numbers; the other lanes are 0. */
export function loadLanes(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  if (count == 1) return v128.load32_zero(from);
  const two = v128.load64_zero(from);
  return count == 2 ? two : f32x4.replace_lane(two, 2, load<f32>(from, 8));
}

export function storeLanes(to: usize, x: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, x);
  } else if (count == 1) {
    v128.store32_lane(to, x, 0);
  } else {
    v128.store64_lane(to, x, 0);
    if (count == 3) v128.store32_lane(to, x, 2, 8);
  }
}

/** The largest lane; NaN if there is one. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function largestLane(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  );
}

/** The sum of the lanes in double precision. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function sumOfLanes(x: v128): f64 {
  return (
    <f64>f32x4.extract_lane(x, 0) + <f64>f32x4.extract_lane(x, 1) +
    (<f64>f32x4.extract_lane(x, 2) + <f64>f32x4.extract_lane(x, 3))
  );
}
