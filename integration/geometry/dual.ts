/**
 * Numbers that carry their derivatives: `v + d·ε + e·η + de·εη` with `ε² = η² = 0`. A function that is computed on
 * `x + u·ε + w·η` gives its slope along `u` in `d`, along `w` in `e`, and the second derivative along both in `de`.
 *
 * Where a number is compared with another one and both values are the same, the slopes decide: so a kink gives the slope of
 * the side that `u` points to.
 *
 * `m`, `n`, `k` bound how large the terms were that `v`, the slopes and `de` were summed from: 32-bit numbers err by about
 * 2^-24 of that, however small the sum is.
 */
export interface Dual {
  readonly v: number;
  readonly d: number;
  readonly e: number;
  readonly de: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const dual = (v: number, d: number, e: number, de: number, m: number, n: number, k: number): Dual => ({
  v,
  d,
  e,
  de,
  m,
  n,
  k,
});

/** An input: `v` moves with slope `d` along the first direction and `e` along the second. */
export const variable = (v: number, d = 0, e = 0): Dual =>
  dual(v, d, e, 0, Math.abs(v), Math.max(Math.abs(d), Math.abs(e)), 0);

export const constant = (v: number): Dual => variable(v);
export const zero: Dual = constant(0);
export const one: Dual = constant(1);

export const add = (a: Dual, b: Dual): Dual =>
  dual(a.v + b.v, a.d + b.d, a.e + b.e, a.de + b.de, a.m + b.m, a.n + b.n, a.k + b.k);

export const neg = (a: Dual): Dual => dual(-a.v, -a.d, -a.e, -a.de, a.m, a.n, a.k);

export const sub = (a: Dual, b: Dual): Dual => add(a, neg(b));

/** A slope of 0 stays 0 whatever multiplies it: an input that does not move has no part in the slope. */
const times = (a: number, slope: number): number => (slope === 0 ? 0 : a * slope);

export const mul = (a: Dual, b: Dual): Dual =>
  dual(
    a.v * b.v,
    times(a.v, b.d) + times(b.v, a.d),
    times(a.v, b.e) + times(b.v, a.e),
    times(a.v, b.de) + a.d * b.e + a.e * b.d + times(b.v, a.de),
    Math.abs(a.v) * b.m + a.m * Math.abs(b.v) - Math.abs(a.v * b.v),
    times(a.m, b.n) + times(b.m, a.n),
    times(a.m, b.k) + 2 * times(a.n, b.n) + times(b.m, a.k),
  );

export const scale = (a: Dual, by: number): Dual => mul(a, constant(by));

/** `f(a)` of one variable, from `f` and its first two derivatives at `a.v`. */
export const apply = (a: Dual, f: number, f1: number, f2: number): Dual =>
  dual(
    f,
    times(f1, a.d),
    times(f1, a.e),
    times(f2, a.d * a.e) + times(f1, a.de),
    Math.abs(f) + times(Math.abs(f1), a.m),
    times(Math.abs(f1), a.n) + times(Math.abs(f2) * a.m, a.n),
    times(Math.abs(f1), a.k) + times(Math.abs(f2), a.n * a.n),
  );

export const reciprocal = (a: Dual): Dual => apply(a, 1 / a.v, -1 / a.v ** 2, 2 / a.v ** 3);

/** The quotient itself is divided once, so that `0/0` and `1/0` are what they are in floating point. */
export function div(a: Dual, b: Dual): Dual {
  return { ...mul(a, reciprocal(b)), v: a.v / b.v };
}

export const sum = (terms: Iterable<Dual>): Dual => {
  let total = zero;
  for (const term of terms) total = add(total, term);
  return total;
};

/** Negative, zero or positive as `a` is less, the same or greater; slopes decide between the same values. */
export const compare = (a: Dual, b: Dual): number => a.v - b.v || a.d - b.d || a.e - b.e || a.de - b.de;

/** The greater of two; NaN if either is. */
export const max = (a: Dual, b: Dual): Dual =>
  Number.isNaN(a.v) ? a : Number.isNaN(b.v) ? b : compare(a, b) >= 0 ? a : b;
export const min = (a: Dual, b: Dual): Dual =>
  Number.isNaN(a.v) ? a : Number.isNaN(b.v) ? b : compare(a, b) <= 0 ? a : b;

/** The same value, which does not move. */
export const still = (a: Dual): Dual => constant(a.v);
