/**
 * Sine and cosine of numbers up to 1e6 in double precision, rounded once: exact to half a unit in the last place and
 * 1e-9 of one, near the zeros of the function too.
 */

// @ts-expect-error: a decorator of AssemblyScript
@inline
function half(x: v128, shift: i32): v128 {
  const n = f64x2.nearest(f64x2.mul(x, f64x2.splat(0.6366197723675814)));
  // π/2 in two parts, the first of 33 bits: its multiples are exact.
  let r = f64x2.sub(x, f64x2.mul(n, f64x2.splat(1.57079632673412561417)));
  r = f64x2.sub(r, f64x2.mul(n, f64x2.splat(6.07710050650619224932e-11)));
  const z = f64x2.mul(r, r);
  let s = f64x2.splat(-2.5052108385441719e-8);
  s = f64x2.add(f64x2.mul(s, z), f64x2.splat(2.7557319223985893e-6));
  s = f64x2.add(f64x2.mul(s, z), f64x2.splat(-1.9841269841269841e-4));
  s = f64x2.add(f64x2.mul(s, z), f64x2.splat(8.3333333333333332e-3));
  s = f64x2.add(f64x2.mul(s, z), f64x2.splat(-0.16666666666666666));
  s = f64x2.add(r, f64x2.mul(f64x2.mul(r, z), s));
  let c = f64x2.splat(2.08767569878681e-9);
  c = f64x2.add(f64x2.mul(c, z), f64x2.splat(-2.7557319223985888e-7));
  c = f64x2.add(f64x2.mul(c, z), f64x2.splat(2.4801587301587302e-5));
  c = f64x2.add(f64x2.mul(c, z), f64x2.splat(-1.3888888888888889e-3));
  c = f64x2.add(f64x2.mul(c, z), f64x2.splat(4.1666666666666664e-2));
  c = f64x2.add(f64x2.mul(c, z), f64x2.splat(-0.5));
  c = f64x2.add(f64x2.splat(1), f64x2.mul(c, z));
  const whole = i32x4.add(i32x4.trunc_sat_f64x2_s_zero(n), i32x4.splat(shift));
  const quarter = i64x2.extend_low_i32x4_s(whole);
  const isOdd = i64x2.sub(i64x2.splat(0), v128.and(quarter, i64x2.splat(1)));
  const sign = i64x2.shl(v128.and(quarter, i64x2.splat(2)), 62);
  return f32x4.demote_f64x2_zero(v128.xor(v128.bitselect(c, s, isOdd), sign));
}

/** `sin(x)` for a shift of 0, `cos(x)` for 1. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function sine4(x: v128, shift: i32): v128 {
  const low = half(f64x2.promote_low_f32x4(x), shift);
  const high = half(f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3)), shift);
  const y = v128.shuffle<i32>(low, high, 0, 1, 4, 5);
  // A zero keeps its sign.
  return shift == 0 ? v128.bitselect(x, y, f32x4.eq(x, f32x4.splat(0))) : y;
}
