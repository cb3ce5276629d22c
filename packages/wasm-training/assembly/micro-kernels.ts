/**
 * The innermost loops of every product: tiles of 6 or 4 rows by 8 columns,
 * `tile = sum over k of a(row, k) b(k, column)`, summed in the order of k from 0.
 *
 * The order never depends on the size of the whole product or on the thread,
 * so neither do the bits. `b` points at 8 columns of its first row and moves by
 * `bStep` bytes for each k. Two ways to give `a`:
 * - `rows`: a table of row pointers, six for each tap (a convolution has several taps, a matrix one), which
 *   move by one float for each k; `inner` is the number of bytes of a row in one tap.
 * - `columns`: one pointer to neighbouring rows at k = 0, which moves by `aStep` bytes for each k.
 * - `packed`: the same where both stand packed, so that both steps are known and two are taken at a time.
 */

// @ts-expect-error: a decorator of AssemblyScript
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function put(to: usize, left: v128, right: v128, accumulate: bool): void {
  if (accumulate) {
    left = f32x4.add(v128.load(to), left);
    right = f32x4.add(v128.load(to, 16), right);
  }
  v128.store(to, left);
  v128.store(to, right, 16);
}

export function rows6(
  taps: i32,
  table: usize,
  inner: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  for (; taps > 0; taps--) {
    let a0 = <usize>load<u32>(table), a1 = <usize>load<u32>(table, 4), a2 = <usize>load<u32>(table, 8);
    let a3 = <usize>load<u32>(table, 12), a4 = <usize>load<u32>(table, 16), a5 = <usize>load<u32>(table, 20);
    const end = a0 + inner, even = a0 + (inner & ~7);
    // Two steps at a time: as many additions to pointers for twice the products.
    while (a0 < even) {
      let b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load32_splat(a0);
      c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(a1);
      c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(a2);
      c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(a3);
      c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(a4);
      c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(a5);
      c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
      b += bStep;
      b0 = v128.load(b); b1 = v128.load(b, 16);
      x = v128.load32_splat(a0, 4);
      c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(a1, 4);
      c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(a2, 4);
      c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(a3, 4);
      c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(a4, 4);
      c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(a5, 4);
      c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
      a0 += 8; a1 += 8; a2 += 8; a3 += 8; a4 += 8; a5 += 8;
      b += bStep;
    }
    if (a0 < end) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let x = v128.load32_splat(a0);
      c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(a1);
      c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(a2);
      c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(a3);
      c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
      x = v128.load32_splat(a4);
      c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
      x = v128.load32_splat(a5);
      c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
      b += bStep;
    }
    table += 24;
  }
  put(c, c00, c01, accumulate); c += cStep;
  put(c, c10, c11, accumulate); c += cStep;
  put(c, c20, c21, accumulate); c += cStep;
  put(c, c30, c31, accumulate); c += cStep;
  put(c, c40, c41, accumulate); c += cStep;
  put(c, c50, c51, accumulate);
}

export function rows4(
  taps: i32,
  table: usize,
  inner: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (; taps > 0; taps--) {
    let a0 = <usize>load<u32>(table), a1 = <usize>load<u32>(table, 4);
    let a2 = <usize>load<u32>(table, 8), a3 = <usize>load<u32>(table, 12);
    const end = a0 + inner, even = a0 + (inner & ~7);
    // Two steps at a time: as many additions to pointers for twice the products.
    while (a0 < even) {
      let b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load32_splat(a0);
      c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(a1);
      c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(a2);
      c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(a3);
      c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
      b += bStep;
      b0 = v128.load(b); b1 = v128.load(b, 16);
      x = v128.load32_splat(a0, 4);
      c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(a1, 4);
      c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(a2, 4);
      c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(a3, 4);
      c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
      a0 += 8; a1 += 8; a2 += 8; a3 += 8;
      b += bStep;
    }
    if (a0 < end) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      let x = v128.load32_splat(a0);
      c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
      x = v128.load32_splat(a1);
      c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
      x = v128.load32_splat(a2);
      c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
      x = v128.load32_splat(a3);
      c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
      b += bStep;
    }
    table += 24;
  }
  put(c, c00, c01, accumulate); c += cStep;
  put(c, c10, c11, accumulate); c += cStep;
  put(c, c20, c21, accumulate); c += cStep;
  put(c, c30, c31, accumulate);
}

export function columns6(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  for (; k > 0; k--) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
    a += aStep;
    b += bStep;
  }
  put(c, c00, c01, accumulate); c += cStep;
  put(c, c10, c11, accumulate); c += cStep;
  put(c, c20, c21, accumulate); c += cStep;
  put(c, c30, c31, accumulate); c += cStep;
  put(c, c40, c41, accumulate); c += cStep;
  put(c, c50, c51, accumulate);
}

export function columns4(
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  for (; k > 0; k--) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    a += aStep;
    b += bStep;
  }
  put(c, c00, c01, accumulate); c += cStep;
  put(c, c10, c11, accumulate); c += cStep;
  put(c, c20, c21, accumulate); c += cStep;
  put(c, c30, c31, accumulate);
}

export function packed6(k: i32, a: usize, b: usize, c: usize, cStep: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00, c40 = c00, c41 = c00, c50 = c00, c51 = c00;
  let b0: v128, b1: v128, x: v128;
  for (; k >= 2; k -= 2) {
    b0 = v128.load(b, 0); b1 = v128.load(b, 16);
    x = v128.load32_splat(a, 0);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
    b0 = v128.load(b, 32); b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 24);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 28);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 32);
    c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 36);
    c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 40);
    c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 44);
    c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
    a += 48;
    b += 64;
  }
  if (k > 0) {
    b0 = v128.load(b, 0); b1 = v128.load(b, 16);
    x = v128.load32_splat(a, 0);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
  }
  put(c, c00, c01, accumulate); c += cStep;
  put(c, c10, c11, accumulate); c += cStep;
  put(c, c20, c21, accumulate); c += cStep;
  put(c, c30, c31, accumulate); c += cStep;
  put(c, c40, c41, accumulate); c += cStep;
  put(c, c50, c51, accumulate);
}

export function packed4(k: i32, a: usize, b: usize, c: usize, cStep: usize, accumulate: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  let b0: v128, b1: v128, x: v128;
  for (; k >= 2; k -= 2) {
    b0 = v128.load(b, 0); b1 = v128.load(b, 16);
    x = v128.load32_splat(a, 0);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    b0 = v128.load(b, 32); b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 16);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 20);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 24);
    c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 28);
    c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    a += 32;
    b += 64;
  }
  if (k > 0) {
    b0 = v128.load(b, 0); b1 = v128.load(b, 16);
    x = v128.load32_splat(a, 0);
    c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
  }
  put(c, c00, c01, accumulate); c += cStep;
  put(c, c10, c11, accumulate); c += cStep;
  put(c, c20, c21, accumulate); c += cStep;
  put(c, c30, c31, accumulate);
}
