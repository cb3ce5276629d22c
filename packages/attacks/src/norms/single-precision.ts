const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The largest number in single precision that is at most `value`. */
export function floorFloat32(value: number): number {
  float[0] = value;
  if (float[0] <= value) return float[0];
  return before();
}

/** The smallest number in single precision that is at least `value`. */
export function ceilFloat32(value: number): number {
  return -floorFloat32(-value);
}

/** The number before the one in `float`. */
function before(): number {
  if (float[0] === 0) bits[0] = 0x80000001 | 0;
  else if (float[0]! > 0) bits[0]!--;
  else bits[0]!++;
  return float[0]!;
}

/** `value`, or the nearer end where it lies outside. */
export function clamp(value: number, lower: number, upper: number): number {
  return Math.min(Math.max(value, lower), upper);
}
