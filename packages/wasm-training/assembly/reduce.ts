/**
 * Sums, largest and smallest numbers over the middle axis of `[outer, reduced, inner]`. Sums are taken in double
 * precision, by pieces of the middle axis that depend on its length alone, so that a result does not depend on what
 * stands beside it.
 */
import { high, largestLane, sumOfRow } from "./lanes";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Reduce {
  outer: i32;
  reduced: i32;
  inner: i32;
  /** 0: sum, 1: largest, 2: smallest. */
  f: i32;
  piece: i32;
  pieces: i32;
  outerOfTask: i32;
  x: usize;
  out: usize;
  factor: f64;
  /** Results of pieces in double precision, `[outer][pieces][inner]`; and of a task for `inner` numbers. */
  parts: usize;
}

/** The largest (of the numbers times `sign`) of neighbours; NaN if there is one. */
function largestOfRow(from: usize, count: i32, sign: f32): f64 {
  let most = f32x4.splat(-Infinity);
  const signs = f32x4.splat(sign);
  let i = 0;
  for (; i + 4 <= count; i += 4) most = f32x4.max(most, f32x4.mul(v128.load(from + (<usize>i << 2)), signs));
  let result = largestLane(most);
  for (; i < count; i++) result = max(result, load<f32>(from + (<usize>i << 2)) * sign);
  return <f64>result;
}

/** Column by column of `inner` columns, into `to` in double precision. */
function reduceColumns(from: usize, rows: i32, inner: i32, f: i32, to: usize): void {
  const step = <usize>inner << 2, sign: f32 = f == 2 ? -1 : 1;
  let c = 0;
  for (; c + 4 <= inner; c += 4) {
    let at = from + (<usize>c << 2);
    let s0 = f64x2.splat(0), s1 = s0, most = f32x4.splat(-Infinity);
    if (f == 0) {
      for (let i = 0; i < rows; i++) {
        const x = v128.load(at);
        s0 = f64x2.add(s0, f64x2.promote_low_f32x4(x));
        s1 = f64x2.add(s1, high(x));
        at += step;
      }
    } else {
      const signs = f32x4.splat(sign);
      for (let i = 0; i < rows; i++) {
        most = f32x4.max(most, f32x4.mul(v128.load(at), signs));
        at += step;
      }
      s0 = f64x2.promote_low_f32x4(most);
      s1 = high(most);
    }
    v128.store(to + (<usize>c << 3), s0);
    v128.store(to + (<usize>c << 3), s1, 16);
  }
  for (; c < inner; c++) {
    let at = from + (<usize>c << 2);
    let sum: f64 = f == 0 ? 0 : -Infinity;
    for (let i = 0; i < rows; i++) {
      const x = <f64>load<f32>(at);
      sum = f == 0 ? sum + x : max(sum, x * <f64>sign);
      at += step;
    }
    store<f64>(to + (<usize>c << 3), sum);
  }
}

/** A task reduces pieces of the middle axis: all pieces of some outer ones in turn. */
export function reduceTask(at: usize, task: i32): void {
  const p = changetype<Reduce>(at);
  const end = min(p.outer * p.pieces, (task + 1) * p.outerOfTask);
  for (let index = task * p.outerOfTask; index < end; index++) {
    const o = index / p.pieces, begin = (index % p.pieces) * p.piece;
    const count = min(p.piece, p.reduced - begin);
    const from = p.x + (<usize>(o * p.reduced + begin) * <usize>p.inner << 2);
    const to = p.parts + (<usize>index * <usize>p.inner << 3);
    if (p.inner > 1) reduceColumns(from, count, p.inner, p.f, to);
    else store<f64>(to, p.f == 0 ? sumOfRow(from, count) : largestOfRow(from, count, p.f == 2 ? -1 : 1));
  }
}

/** A task puts the pieces of some outer ones together. */
export function reduceFinishTask(at: usize, task: i32): void {
  const p = changetype<Reduce>(at);
  const each = max(1, 4096 / p.inner);
  const end = min(p.outer, (task + 1) * each);
  for (let o = task * each; o < end; o++) {
    for (let c = 0; c < p.inner; c++) {
      let part = p.parts + (<usize>(o * p.pieces * p.inner + c) << 3);
      let total = load<f64>(part);
      for (let k = 1; k < p.pieces; k++) {
        part += <usize>p.inner << 3;
        total = p.f == 0 ? total + load<f64>(part) : max(total, load<f64>(part));
      }
      store<f32>(p.out + (<usize>(o * p.inner + c) << 2), <f32>(total * p.factor));
    }
  }
}
