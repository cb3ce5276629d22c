/**
 * The Gaussian error linear unit `x Φ(x)`, Φ the normal distribution, and its gradient, four numbers at a time.
 *
 * Φ by polynomials of our own (least squares towards the smallest largest error, in double precision): near 0 of the
 * error function in x²; beyond, of `erfcx(t) = erfc(t) exp(t²)` in 1 / (1 + t / 2), t = |x| / √2, so that the tail keeps
 * its digits, and one exponential serves Φ and its derivative. Error of Φ: 1e-7; of its tail up to 9 below 0: 4e-6 of it.
 */
import { exp4, expOfSize4, polynomial, sigmoid4 } from "./functions";
import { loadLanes, storeLanes } from "./lanes";
import { multiplyAdd } from "./micro-kernels";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Gelu {
  n: i32;
  elementsOfTask: i32;
  /** 1: Φ by `½ (1 + tanh(√(2/π) (x + 0.044715 x³)))`. */
  approximate: i32;
  x: usize;
  /** Of the gradient alone. */
  dy: usize;
  out: usize;
}

/** Φ(x), for which `e` is exp(-x² / 2). */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function normal4(x: v128, e: v128): v128 {
  const z = f32x4.mul(x, f32x4.splat(0.7071067811865476)), s = f32x4.mul(z, z), t = f32x4.abs(z);
  let near = f32x4.splat(8.538923936e-5);
  near = polynomial(s, near, -8.181949483e-4);
  near = polynomial(s, near, 5.204438259e-3);
  near = polynomial(s, near, -2.686075389e-2);
  near = polynomial(s, near, 1.128371975e-1);
  near = polynomial(s, near, -3.761263531e-1);
  near = polynomial(s, near, 1.128379167);
  const half = f32x4.splat(0.5), one = f32x4.splat(1);
  near = multiplyAdd(f32x4.mul(near, z), half, half);
  const w = f32x4.div(one, multiplyAdd(t, half, one));
  let far = f32x4.splat(0.1000063253);
  far = polynomial(w, far, -0.4056579344);
  far = polynomial(w, far, 0.4694995585);
  far = polynomial(w, far, -0.03021300843);
  far = polynomial(w, far, 0.3138596718);
  far = polynomial(w, far, 0.2689615419);
  far = polynomial(w, far, 0.2835260872);
  far = polynomial(w, far, -6.664976778e-5);
  const tail = f32x4.mul(f32x4.mul(far, half), e);
  far = v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
  return v128.bitselect(near, far, f32x4.lt(t, f32x4.splat(0.875)));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
const ROOT: f32 = 0.7978845608028654;
// @ts-expect-error: a decorator of AssemblyScript
@inline
const CUBIC: f32 = 0.035677408136300125;

/** `½ (1 + tanh u)` is the sigmoid of 2u: this is 2u. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function argument4(x: v128): v128 {
  return f32x4.mul(x, multiplyAdd(f32x4.mul(x, x), f32x4.splat(2 * CUBIC), f32x4.splat(2 * ROOT)));
}

/** The slope of the sigmoid: without a difference of numbers near 1. */
// @ts-expect-error: a decorator of AssemblyScript
@inline
function sigmoidSlope4(v: v128): v128 {
  const e = expOfSize4(v), sum = f32x4.add(e, f32x4.splat(1));
  return f32x4.div(e, f32x4.mul(sum, sum));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function square4(x: v128): v128 {
  return exp4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function gelu4(x: v128, approximate: bool): v128 {
  return f32x4.mul(x, approximate ? sigmoid4(argument4(x)) : normal4(x, square4(x)));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function slope4(x: v128, approximate: bool): v128 {
  if (approximate) {
    const v = argument4(x);
    // From 12 on the slope is 0, and a square that overflows would make NaN of it.
    const square = f32x4.pmin(f32x4.mul(x, x), f32x4.splat(256));
    const bent = multiplyAdd(square, f32x4.splat(6 * CUBIC), f32x4.splat(2 * ROOT));
    return multiplyAdd(f32x4.mul(sigmoidSlope4(v), x), bent, sigmoid4(v));
  }
  const e = square4(x);
  return multiplyAdd(f32x4.mul(x, e), f32x4.splat(ROOT / 2), normal4(x, e));
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function forward(from: usize, to: usize, count: i32, approximate: bool): void {
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2, lanes = min(4, count - i);
    storeLanes(to + at, gelu4(loadLanes(from + at, lanes), approximate), lanes);
  }
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function backward(from: usize, dy: usize, to: usize, count: i32, approximate: bool): void {
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2, lanes = min(4, count - i);
    const slope = slope4(loadLanes(from + at, lanes), approximate);
    storeLanes(to + at, f32x4.mul(loadLanes(dy + at, lanes), slope), lanes);
  }
}

export function geluTask(at: usize, task: i32): void {
  const p = changetype<Gelu>(at);
  const begin = task * p.elementsOfTask, count = min(p.elementsOfTask, p.n - begin);
  const place = <usize>begin << 2;
  if (p.approximate) forward(p.x + place, p.out + place, count, true);
  else forward(p.x + place, p.out + place, count, false);
}

export function geluGradientTask(at: usize, task: i32): void {
  const p = changetype<Gelu>(at);
  const begin = task * p.elementsOfTask, count = min(p.elementsOfTask, p.n - begin);
  const place = <usize>begin << 2;
  if (p.approximate) backward(p.x + place, p.dy + place, p.out + place, count, true);
  else backward(p.x + place, p.dy + place, p.out + place, count, false);
}
