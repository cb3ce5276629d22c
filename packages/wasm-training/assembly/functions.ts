/**
 * `exp`, `log` and what is made of them, four numbers at a time, after Cephes (S. Moshier): a polynomial on a small
 * interval, the rest by powers of two. Each lane for itself: a number has the same result wherever it stands.
 *
 * Largest errors in units of the last place, over all of float32 (test/functions.test.ts): exp 1.5, expm1 2, log 1.5,
 * log1p 3, tanh 3, softplus 3, sigmoid 3 from -87 on (below it is 0). NaN gives NaN, infinities and denormals what they should.
 */
import { multiplyAdd } from "./micro-kernels";

// @ts-expect-error: a decorator of AssemblyScript
@inline
const LOG2_E: f32 = 1.44269504088896341;
// @ts-expect-error: a decorator of AssemblyScript
@inline
const LN2_HIGH: f32 = 0.693359375;
// @ts-expect-error: a decorator of AssemblyScript
@inline
const LN2_LOW: f32 = -2.12194440e-4;

/** One step of Horner's rule: `sum x + coefficient`. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function polynomial(x: v128, sum: v128, coefficient: f32): v128 {
  return multiplyAdd(sum, x, f32x4.splat(coefficient));
}

/** Added to a number below 2²² in size, it leaves its nearest whole number in the low bits. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
const ROUNDING: f32 = 12582912;

/** `2 ** n` for the whole number in the low bits of `n + ROUNDING`, from -126 to 127. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** `x` less the nearest multiple `n` of ln 2. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function lessMultiple(x: v128, n: v128): v128 {
  // Multiplied without rounding, for the high part has few digits.
  x = f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  return f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_LOW)));
}

/** `exp(x) - 1` for |x| up to ln 2 / 2. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function expm1Small(x: v128): v128 {
  let p = f32x4.splat(1.9875691500e-4);
  p = polynomial(x, p, 1.3981999507e-3);
  p = polynomial(x, p, 8.3334519073e-3);
  p = polynomial(x, p, 4.1665795894e-2);
  p = polynomial(x, p, 1.6666665459e-1);
  p = polynomial(x, p, 5.0000001201e-1);
  return multiplyAdd(f32x4.mul(x, x), p, x);
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
export function exp4(x: v128): v128 {
  // These bounds let NaN pass; the other instructions for them are slow.
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-105));
  const n = multiplyAdd(x, f32x4.splat(LOG2_E), f32x4.splat(ROUNDING));
  const y = f32x4.add(expm1Small(lessMultiple(x, f32x4.sub(n, f32x4.splat(ROUNDING)))), f32x4.splat(1));
  // In two factors, so that results may be denormal or infinite.
  const whole = i32x4.sub(n, f32x4.splat(ROUNDING)), half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(y, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** `exp(x)` for x from -87 to 88: beyond, what it is there. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function expNormal4(x: v128): v128 {
  x = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88)), f32x4.splat(-87));
  const n = multiplyAdd(x, f32x4.splat(LOG2_E), f32x4.splat(ROUNDING));
  const y = expm1Small(lessMultiple(x, f32x4.sub(n, f32x4.splat(ROUNDING))));
  const scale = powerOfTwo(i32x4.sub(n, f32x4.splat(ROUNDING)));
  return multiplyAdd(y, scale, scale);
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
export function expm14(x: v128): v128 {
  const clamped = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-30));
  const n = multiplyAdd(clamped, f32x4.splat(LOG2_E), f32x4.splat(ROUNDING));
  const y = expm1Small(lessMultiple(clamped, f32x4.sub(n, f32x4.splat(ROUNDING))));
  // Half of it, so that the factor is finite.
  const scale = powerOfTwo(i32x4.sub(i32x4.sub(n, f32x4.splat(ROUNDING)), i32x4.splat(1)));
  const half = multiplyAdd(scale, y, f32x4.sub(scale, f32x4.splat(0.5)));
  // A zero keeps its sign.
  return v128.bitselect(x, f32x4.add(half, half), f32x4.eq(x, f32x4.splat(0)));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
export function log4(x: v128): v128 {
  const isDenormal = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, isDenormal);
  // The mantissa in [0.5, 1), the exponent to it.
  let e = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(scaled, 23), i32x4.splat(126)));
  e = f32x4.sub(e, v128.and(isDenormal, f32x4.splat(23)));
  let m = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), f32x4.splat(0.5));
  const isSmall = f32x4.lt(m, f32x4.splat(0.707106781186547524));
  e = f32x4.sub(e, v128.and(isSmall, f32x4.splat(1)));
  m = f32x4.sub(f32x4.add(m, v128.and(isSmall, m)), f32x4.splat(1));
  const z = f32x4.mul(m, m);
  let p = f32x4.splat(7.0376836292e-2);
  p = polynomial(m, p, -1.1514610310e-1);
  p = polynomial(m, p, 1.1676998740e-1);
  p = polynomial(m, p, -1.2420140846e-1);
  p = polynomial(m, p, 1.4249322787e-1);
  p = polynomial(m, p, -1.6668057665e-1);
  p = polynomial(m, p, 2.0000714765e-1);
  p = polynomial(m, p, -2.4999993993e-1);
  p = polynomial(m, p, 3.3333331174e-1);
  p = f32x4.mul(f32x4.mul(p, m), z);
  p = multiplyAdd(e, f32x4.splat(LN2_LOW), p);
  p = multiplyAdd(z, f32x4.splat(-0.5), p);
  let y = multiplyAdd(e, f32x4.splat(LN2_HIGH), f32x4.add(m, p));
  const zero = f32x4.splat(0), infinity = f32x4.splat(Infinity);
  y = v128.bitselect(f32x4.neg(infinity), y, f32x4.eq(x, zero));
  y = v128.bitselect(infinity, y, f32x4.eq(x, infinity));
  // NaN for what is neither positive nor zero, NaN itself too.
  return v128.bitselect(y, f32x4.splat(NaN), f32x4.ge(x, zero));
}

/** `exp(-|x|)`, which is 0 beyond 87: something shut lets nothing through, however large it is. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function expOfSize4(x: v128): v128 {
  const size = f32x4.abs(x);
  return v128.andnot(expNormal4(f32x4.neg(size)), f32x4.gt(size, f32x4.splat(87)));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
export function sigmoid4(x: v128): v128 {
  const e = expOfSize4(x);
  const top = v128.bitselect(e, f32x4.splat(1), f32x4.lt(x, f32x4.splat(0)));
  return f32x4.div(top, f32x4.add(e, f32x4.splat(1)));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
export function tanh4(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = polynomial(z, p, 2.06390887954e-2);
  p = polynomial(z, p, -5.37397155531e-2);
  p = polynomial(z, p, 1.33314422036e-1);
  p = polynomial(z, p, -3.33332819422e-1);
  const near = multiplyAdd(f32x4.mul(p, z), x, x);
  const size = f32x4.abs(x);
  const e = expNormal4(f32x4.add(size, size));
  const far = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
  const sign = v128.and(x, i32x4.splat(0x80000000));
  // Of zero too.
  return v128.or(v128.bitselect(near, far, f32x4.lt(size, f32x4.splat(0.625))), sign);
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
export function log1p4(x: v128): v128 {
  const one = f32x4.splat(1), w = f32x4.add(x, one), rest = f32x4.sub(w, one);
  // With what the sum 1 + x has lost made good; where it has lost all, and at infinity, there is nothing to make good.
  const corrected = f32x4.mul(log4(w), f32x4.div(x, rest));
  const isTiny = f32x4.eq(rest, f32x4.splat(0));
  return v128.bitselect(x, v128.bitselect(x, corrected, f32x4.gt(x, f32x4.splat(f32.MAX_VALUE))), isTiny);
}

/** `log(1 + exp(x))`. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log1p4(exp4(f32x4.neg(f32x4.abs(x)))));
}
