/**
 * One number from two, and the choice between two, of tensors that are broadcast against each other: rows of the last
 * axes, along which each operand moves by one number or stays.
 */

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Pairs {
  /** Rows, numbers of a row, and the numbers of a task: whole rows, or parts of the only one. */
  rows: i32;
  n: i32;
  elementsOfTask: i32;
  f: i32;
  /** 1 where the operand moves along a row, 0 where it stays. */
  aStep: i32;
  bStep: i32;
  a: usize;
  b: usize;
  out: usize;
  /** A choice: bytes, which move as `out` does. */
  condition: usize;
  /** Axes of the rows: sizes, and how far each operand moves, in numbers; the last axis first. */
  axes: i32;
  sizes: usize;
}

// @ts-expect-error: a decorator of AssemblyScript
@inline
function value4(f: i32, a: v128, b: v128): v128 {
  if (f == 0) return f32x4.max(a, b);
  if (f == 1) return f32x4.min(a, b);
  // Slope b below 0.
  if (f == 2) return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
  if (f == 3) return f32x4.eq(a, b);
  if (f == 4) return f32x4.ne(a, b);
  if (f == 5) return f32x4.lt(a, b);
  if (f == 6) return f32x4.le(a, b);
  if (f == 7) return f32x4.gt(a, b);
  return f32x4.ge(a, b);
}

/** Functions from here on give booleans, a byte each. */
const COMPARISONS = 3;

// @ts-expect-error: a decorator of AssemblyScript
@inline
function loop(f: i32, aStep: i32, bStep: i32, a: usize, b: usize, to: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const x = aStep == 1 ? v128.load(a + (<usize>i << 2)) : v128.load32_splat(a);
    const y = bStep == 1 ? v128.load(b + (<usize>i << 2)) : v128.load32_splat(b);
    const z = value4(f, x, y);
    if (f < COMPARISONS) {
      v128.store(to + (<usize>i << 2), z);
    } else {
      const narrow = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(z, z), z);
      v128.store32_lane(to + <usize>i, v128.and(narrow, i8x16.splat(1)), 0);
    }
  }
  for (; i < count; i++) {
    const x = v128.load32_splat(a + (<usize>(i * aStep) << 2)), y = v128.load32_splat(b + (<usize>(i * bStep) << 2));
    const z = value4(f, x, y);
    if (f < COMPARISONS) v128.store32_lane(to + (<usize>i << 2), z, 0);
    else store<u8>(to + <usize>i, <u8>(i32x4.extract_lane(z, 0) & 1));
  }
}

function apply(f: i32, aStep: i32, bStep: i32, a: usize, b: usize, to: usize, count: i32): void {
  switch (f) {
    case 0: loop(0, aStep, bStep, a, b, to, count); break;
    case 1: loop(1, aStep, bStep, a, b, to, count); break;
    case 2: loop(2, aStep, bStep, a, b, to, count); break;
    case 3: loop(3, aStep, bStep, a, b, to, count); break;
    case 4: loop(4, aStep, bStep, a, b, to, count); break;
    case 5: loop(5, aStep, bStep, a, b, to, count); break;
    case 6: loop(6, aStep, bStep, a, b, to, count); break;
    case 7: loop(7, aStep, bStep, a, b, to, count); break;
    default: loop(8, aStep, bStep, a, b, to, count);
  }
}

export function pairsTask(at: usize, task: i32): void {
  const p = changetype<Pairs>(at);
  const width: usize = p.f < COMPARISONS ? 4 : 1;
  if (p.rows == 1) {
    const begin = task * p.elementsOfTask, count = min(p.elementsOfTask, p.n - begin);
    const a = p.a + (<usize>(begin * p.aStep) << 2), b = p.b + (<usize>(begin * p.bStep) << 2);
    apply(p.f, p.aStep, p.bStep, a, b, p.out + <usize>begin * width, count);
    return;
  }
  const each = max(1, p.elementsOfTask / p.n);
  const end = min(p.rows, (task + 1) * each);
  for (let row = task * each; row < end; row++) {
    let a = p.a, b = p.b, rest = row;
    for (let axis = 0; axis < p.axes; axis++) {
      const entry = p.sizes + <usize>(axis * 12);
      const size = load<i32>(entry), index = rest % size;
      rest /= size;
      a += <usize>(index * load<i32>(entry, 4)) << 2;
      b += <usize>(index * load<i32>(entry, 8)) << 2;
    }
    apply(p.f, p.aStep, p.bStep, a, b, p.out + <usize>row * <usize>p.n * width, p.n);
  }
}

/** Numbers of `a` where the condition is not 0, of `b` elsewhere. */
export function selectTask(at: usize, task: i32): void {
  const p = changetype<Pairs>(at);
  const begin = task * p.elementsOfTask, end = min(p.n, begin + p.elementsOfTask);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const bytes = v128.load32_zero(p.condition + <usize>i);
    const wide = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
    const chosen = i32x4.ne(wide, i32x4.splat(0)), offset = <usize>i << 2;
    v128.store(p.out + offset, v128.bitselect(v128.load(p.a + offset), v128.load(p.b + offset), chosen));
  }
  for (; i < end; i++) {
    const from = load<u8>(p.condition + <usize>i) != 0 ? p.a : p.b;
    store<u32>(p.out + (<usize>i << 2), load<u32>(from + (<usize>i << 2)));
  }
}
