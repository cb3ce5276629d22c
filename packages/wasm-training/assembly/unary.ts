/** One number from one number. The order of the functions is that of `src/companion/unary.ts`. */
import { exp4, expm14, log1p4, log4, sigmoid4, softplus4, tanh4 } from "./functions";
import { sine4 } from "./sine";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Unary {
  n: i32;
  elementsOfTask: i32;
  f: i32;
  x: usize;
  out: usize;
  p: f32;
  q: f32;
  /** Set to 1 where a number is too large for its sine: then the results are not to be used. */
  refused: i32;
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function value4(f: i32, x: v128, p: v128, q: v128): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  if (f == 0) return exp4(x);
  if (f == 1) return expm14(x);
  if (f == 2) return log4(x);
  if (f == 3) return log1p4(x);
  if (f == 4) return sigmoid4(x);
  if (f == 5) return tanh4(x);
  if (f == 6) return softplus4(x);
  // Leaky rectifier of slope p.
  if (f == 7) return v128.bitselect(f32x4.mul(x, p), x, f32x4.lt(x, zero));
  // Exponential rectifier: p x above 0, q (exp(x) - 1) below.
  if (f == 8) return v128.bitselect(f32x4.mul(x, p), f32x4.mul(expm14(x), q), f32x4.ge(x, zero));
  // Clipped to [p, q]; NaN stays, for pmax(a, b) is a where not a < b.
  if (f == 9) return f32x4.pmin(f32x4.pmax(x, p), q);
  // Its sign, of NaN 0.
  if (f == 10) {
    return f32x4.sub(v128.and(one, f32x4.gt(x, zero)), v128.and(one, f32x4.lt(x, zero)));
  }
  // 1 above 0, p elsewhere.
  if (f == 11) {
    return v128.bitselect(v128.bitselect(one, p, f32x4.gt(x, zero)), x, f32x4.eq(x, x));
  }
  if (f == 12) return sine4(x, 0);
  if (f == 13) return sine4(x, 1);
  // Rectified.
  if (f == 14) return f32x4.pmax(x, zero);
  return x;
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function loop(f: i32, from: usize, to: usize, bytes: usize, p: v128, q: v128): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, value4(f, v128.load(from + i), p, q));
}

/*
 * A function for each loop, called from two places so that the compiler leaves it one: many loops in one function are
 * compiled to code that is several times as slow.
 */
function exp(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(0, from, to, bytes, p, q); }
function expm1(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(1, from, to, bytes, p, q); }
function log(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(2, from, to, bytes, p, q); }
function log1p(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(3, from, to, bytes, p, q); }
function sigmoid(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(4, from, to, bytes, p, q); }
function tanh(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(5, from, to, bytes, p, q); }
function softplus(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(6, from, to, bytes, p, q); }
function leaky(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(7, from, to, bytes, p, q); }
function selu(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(8, from, to, bytes, p, q); }
function clip(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(9, from, to, bytes, p, q); }
function sign(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(10, from, to, bytes, p, q); }
function step(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(11, from, to, bytes, p, q); }
function sine(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(12, from, to, bytes, p, q); }
function cosine(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(13, from, to, bytes, p, q); }
function rectify(from: usize, to: usize, bytes: usize, p: v128, q: v128): void { loop(14, from, to, bytes, p, q); }

// @ts-expect-error: a decorator of AssemblyScript
@inline
function apply(f: i32, from: usize, to: usize, bytes: usize, p: v128, q: v128): void {
  switch (f) {
    case 0: exp(from, to, bytes, p, q); break;
    case 1: expm1(from, to, bytes, p, q); break;
    case 2: log(from, to, bytes, p, q); break;
    case 3: log1p(from, to, bytes, p, q); break;
    case 4: sigmoid(from, to, bytes, p, q); break;
    case 5: tanh(from, to, bytes, p, q); break;
    case 6: softplus(from, to, bytes, p, q); break;
    case 7: leaky(from, to, bytes, p, q); break;
    case 8: selu(from, to, bytes, p, q); break;
    case 9: clip(from, to, bytes, p, q); break;
    case 10: sign(from, to, bytes, p, q); break;
    case 11: step(from, to, bytes, p, q); break;
    case 12: sine(from, to, bytes, p, q); break;
    case 13: cosine(from, to, bytes, p, q); break;
    default: rectify(from, to, bytes, p, q);
  }
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function isSine(f: i32): bool {
  return f == 12 || f == 13;
}

/** Whether all numbers are at most 1e6 in size. */
function areModerate(from: usize, bytes: usize): bool {
  let large = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    large = v128.or(large, v128.not(f32x4.le(f32x4.abs(v128.load(from + i)), f32x4.splat(1e6))));
  }
  return !v128.any_true(large);
}

export function unaryTask(at: usize, task: i32, scratch: usize): void {
  const r = changetype<Unary>(at);
  const begin = task * r.elementsOfTask, count = min(r.elementsOfTask, r.n - begin);
  const from = r.x + (<usize>begin << 2), to = r.out + (<usize>begin << 2);
  const whole = <usize>(count & ~3) << 2, rest = <usize>(count & 3) << 2;
  const p = f32x4.splat(r.p), q = f32x4.splat(r.q);
  apply(r.f, from, to, whole, p, q);
  if (isSine(r.f) && !areModerate(from, whole)) r.refused = 1;
  if (rest == 0) return;
  // The last numbers by way of scratch, so that they are computed as all others.
  v128.store(scratch, f32x4.splat(0));
  memory.copy(scratch, from + whole, rest);
  if (isSine(r.f) && !areModerate(scratch, 16)) r.refused = 1;
  apply(r.f, scratch, scratch, 16, p, q);
  memory.copy(to + whole, scratch, rest);
}
