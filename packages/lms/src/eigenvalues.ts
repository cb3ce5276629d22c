import { type Matrix, type MatrixLike, toMatrix } from "./matrix.js";

/** The eigenvalues `re[i] + i·im[i]` of a real matrix; a complex one stands beside its conjugate. */
export interface Eigenvalues {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * All eigenvalues of a real square matrix: similarity to Hessenberg form by elimination with pivots, then
 * Francis's double-shift QR steps, with deflation and exceptional shifts.
 *
 * @param a `[m, m]`.
 * @throws {TypeError | RangeError} when `a` is not a square matrix of finite numbers; {Error} when no eigenvalue
 *   splits off within 60 steps (no matrix is known to do that).
 * @see Francis 1961, https://doi.org/10.1093/comjnl/4.4.332; Golub & Van Loan, "Matrix Computations",
 *   4th edition, §7.4-7.5
 */
export function eigenvalues(a: MatrixLike): Eigenvalues {
  const { rows: m, columns, data } = toMatrix("eigenvalues: a", a);
  if (m !== columns) {
    throw new RangeError(`eigenvalues: a: expected a square matrix, got ${m} rows and ${columns} columns`);
  }
  const h = data.slice();
  toHessenberg(h, m);
  const re = new Float64Array(m);
  const im = new Float64Array(m);
  let last = m - 1;
  let steps = 0;
  while (last >= 0) {
    const first = splitPoint(h, m, last);
    if (first === last) {
      re[last] = h[last * m + last]!;
      last -= 1;
      steps = 0;
    } else if (first === last - 1) {
      pairOf(h, m, last, re, im);
      last -= 2;
      steps = 0;
    } else {
      if (++steps > 60) throw new Error("eigenvalues: expected an eigenvalue within 60 QR steps, got none");
      francisStep(h, m, first, last, steps % 10 === 0);
    }
  }
  return { re, im };
}

/** The largest absolute value of an eigenvalue. */
export function spectralRadius(a: Matrix): number {
  const { re, im } = eigenvalues(a);
  return re.reduce((radius, x, i) => Math.max(radius, Math.hypot(x, im[i]!)), 0);
}

/** Similarity transformation to upper Hessenberg form, by Gaussian elimination with row and column pivots. */
function toHessenberg(h: Float64Array, m: number): void {
  for (let c = 1; c < m - 1; c++) {
    let pivot = c;
    for (let i = c + 1; i < m; i++) {
      if (Math.abs(h[i * m + c - 1]!) > Math.abs(h[pivot * m + c - 1]!)) pivot = i;
    }
    const x = h[pivot * m + c - 1]!;
    if (x === 0) continue;
    if (pivot !== c) {
      for (let j = 0; j < m; j++) swap(h, pivot * m + j, c * m + j);
      for (let i = 0; i < m; i++) swap(h, i * m + pivot, i * m + c);
    }
    for (let i = c + 1; i < m; i++) {
      const factor = h[i * m + c - 1]! / x;
      if (factor === 0) continue;
      for (let j = c - 1; j < m; j++) h[i * m + j]! -= factor * h[c * m + j]!;
      for (let r = 0; r < m; r++) h[r * m + c]! += factor * h[r * m + i]!;
      h[i * m + c - 1] = 0;
    }
  }
}

function swap(h: Float64Array, p: number, q: number): void {
  const kept = h[p]!;
  h[p] = h[q]!;
  h[q] = kept;
}

/** Where the last unreduced block, the one that ends at `last`, begins. */
function splitPoint(h: Float64Array, m: number, last: number): number {
  for (let i = last; i > 0; i--) {
    const size = Math.abs(h[(i - 1) * m + i - 1]!) + Math.abs(h[i * m + i]!);
    const below = Math.abs(h[i * m + i - 1]!);
    if (below <= Number.EPSILON * size || below < Number.MIN_VALUE * 2 ** 52) {
      h[i * m + i - 1] = 0;
      return i;
    }
  }
  return 0;
}

/** The two eigenvalues of the block in rows and columns `last - 1`, `last`. */
function pairOf(h: Float64Array, m: number, last: number, re: Float64Array, im: Float64Array): void {
  const [a, b] = [h[(last - 1) * m + last - 1]!, h[(last - 1) * m + last]!];
  const [c, d] = [h[last * m + last - 1]!, h[last * m + last]!];
  const half = (a - d) / 2;
  const discriminant = half * half + b * c;
  if (discriminant >= 0) {
    const far = half + (half < 0 ? -1 : 1) * Math.sqrt(discriminant);
    re[last - 1] = d + far;
    re[last] = far === 0 ? d : d - (b * c) / far;
  } else {
    re[last - 1] = (a + d) / 2;
    re[last] = re[last - 1]!;
    im[last - 1] = Math.sqrt(-discriminant);
    im[last] = -im[last - 1]!;
  }
}

/** One implicit double-shift QR step on the unreduced block `first … last` of at least three rows. */
function francisStep(h: Float64Array, m: number, first: number, last: number, exceptional: boolean): void {
  const at = (i: number, j: number) => h[i * m + j]!;
  let trace = at(last - 1, last - 1) + at(last, last);
  let determinant = at(last - 1, last - 1) * at(last, last) - at(last - 1, last) * at(last, last - 1);
  if (exceptional) {
    const size = Math.abs(at(last, last - 1)) + Math.abs(at(last - 1, last - 2));
    trace = 1.5 * size;
    determinant = size * size;
  }
  // The first column of (H - s₁ I)(H - s₂ I), with s₁ + s₂ the trace and s₁ s₂ the determinant.
  let x =
    at(first, first) ** 2 +
    at(first, first + 1) * at(first + 1, first) -
    trace * at(first, first) +
    determinant;
  let y = at(first + 1, first) * (at(first, first) + at(first + 1, first + 1) - trace);
  let z = at(first + 1, first) * at(first + 2, first + 1);
  for (let k = first; k < last; k++) {
    const rows = k === last - 1 ? 2 : 3;
    const scale = Math.abs(x) + Math.abs(y) + Math.abs(z);
    if (scale !== 0) {
      // The reflection I - beta v vᵀ that takes (x, y, z) to a multiple of (1, 0, 0).
      const [p, q, r] = [x / scale, y / scale, z / scale];
      const norm = Math.hypot(p, q, r);
      const v0 = p + (p < 0 ? -norm : norm);
      const v = [1, q / v0, r / v0];
      const beta = 2 / (1 + v[1]! ** 2 + v[2]! ** 2);
      for (let j = Math.max(first, k - 1); j < m; j++) {
        let sum = 0;
        for (let i = 0; i < rows; i++) sum += v[i]! * at(k + i, j);
        for (let i = 0; i < rows; i++) h[(k + i) * m + j]! -= beta * sum * v[i]!;
      }
      const bottom = Math.min(last, k + 3);
      for (let i = 0; i <= bottom; i++) {
        let sum = 0;
        for (let j = 0; j < rows; j++) sum += v[j]! * at(i, k + j);
        for (let j = 0; j < rows; j++) h[i * m + k + j]! -= beta * sum * v[j]!;
      }
      if (k > first) {
        h[(k + 1) * m + k - 1] = 0;
        if (rows === 3) h[(k + 2) * m + k - 1] = 0;
      }
    }
    x = at(k + 1, k);
    y = k + 2 <= last ? at(k + 2, k) : 0;
    z = k + 3 <= last ? at(k + 3, k) : 0;
  }
}
