/** Whether none of so many numbers is infinite or NaN: such a number less itself is NaN, any other one 0. */
export function allFinite(from: usize, count: i32): bool {
  let s0 = f32x4.splat(0), s1 = s0;
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const x = v128.load(from + (<usize>i << 2)), y = v128.load(from + (<usize>i << 2), 16);
    s0 = v128.or(s0, f32x4.sub(x, x));
    s1 = v128.or(s1, f32x4.sub(y, y));
  }
  for (; i < count; i++) {
    const x = v128.load32_zero(from + (<usize>i << 2));
    s0 = v128.or(s0, f32x4.sub(x, x));
  }
  return !v128.any_true(v128.or(s0, s1));
}
