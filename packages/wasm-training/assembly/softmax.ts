/**
 * Softmax and the cross-entropy of integer labels, row by row. A row is read in the same order
 * whatever stands beside it; sums of 128 numbers are added up in double precision.
 */
import { exp4 } from "./functions";
import { high, largestLane, loadLanes, storeLanes, sumOfLanes } from "./lanes";

// @ts-expect-error: a decorator of AssemblyScript
@unmanaged
class Rows {
  rows: i32;
  columns: i32;
  rowsOfTask: i32;
  x: usize;
  /** What is written: rows as long as those of `x`, or one number for each. */
  out: usize;
  /** Labels of cross-entropy, one for each row, and the part of the target that is spread over all classes. */
  labels: usize;
  smoothing: f32;
  /** The gradient of what was written. */
  dy: usize;
}

/** The largest of a row, leaving NaN out: the sum of exponentials shows it. */
function largest(row: usize, columns: i32): f32 {
  let top = f32x4.splat(-Infinity), other = top;
  let x: usize = 0;
  const bytes = <usize>columns << 2;
  for (; x + 32 <= bytes; x += 32) {
    top = f32x4.pmax(top, v128.load(row + x));
    other = f32x4.pmax(other, v128.load(row + x, 16));
  }
  let most = largestLane(f32x4.pmax(top, other));
  for (; x < bytes; x += 4) {
    const value = load<f32>(row + x);
    if (value > most) most = value;
  }
  return most;
}

/** `Σ exp(x - top)`; where `to` is not 0, the terms are written there. */
function sumOfExponentials(row: usize, columns: i32, top: f32, to: usize): f64 {
  const most = f32x4.splat(top);
  const bytes = <usize>columns << 2;
  let total: f64 = 0;
  for (let begin: usize = 0; begin < bytes; begin += 512) {
    const end = min(bytes, begin + 512);
    let sum = f32x4.splat(0), x = begin;
    for (; x + 16 <= end; x += 16) {
      const e = exp4(f32x4.sub(v128.load(row + x), most));
      if (to != 0) v128.store(to + x, e);
      sum = f32x4.add(sum, e);
    }
    total += sumOfLanes(sum);
    if (x < end) {
      const count = <i32>((end - x) >> 2);
      const e = exp4(f32x4.sub(loadLanes(row + x, count), most));
      if (to != 0) storeLanes(to + x, e, count);
      total += <f64>f32x4.extract_lane(e, 0);
      if (count > 1) total += <f64>f32x4.extract_lane(e, 1);
      if (count > 2) total += <f64>f32x4.extract_lane(e, 2);
    }
  }
  return total;
}

/** `row = row · factor`. */
function scaleRow(row: usize, columns: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  let x: usize = 0;
  const bytes = <usize>columns << 2;
  for (; x + 16 <= bytes; x += 16) v128.store(row + x, f32x4.mul(v128.load(row + x), factors));
  for (; x < bytes; x += 4) store<f32>(row + x, load<f32>(row + x) * factor);
}

/** `row = (row · factor - shift) · dy`: the difference first, for an infinite `dy` times both would be NaN. */
function scaleDifferences(row: usize, columns: i32, factor: f32, shift: f32, dy: f32): void {
  const factors = f32x4.splat(factor), shifts = f32x4.splat(shift), gradients = f32x4.splat(dy);
  let x: usize = 0;
  const bytes = <usize>columns << 2;
  for (; x + 16 <= bytes; x += 16) {
    const difference = f32x4.sub(f32x4.mul(v128.load(row + x), factors), shifts);
    v128.store(row + x, f32x4.mul(difference, gradients));
  }
  for (; x < bytes; x += 4) store<f32>(row + x, (load<f32>(row + x) * factor - shift) * dy);
}

/** The natural logarithm in double precision of a sum from 1 up (or NaN): by the series of artanh. */
function logarithm(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<u64>(x);
  let e = <f64>(<i32>(bits >> 52) - 1023);
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e += 1;
  }
  const s = (m - 1) / (m + 1), z = s * s;
  // Up to s¹³: below 0.172 of s the rest is under 1e-12.
  const series = 1 + z * (1.0 / 3 + z * (1.0 / 5 + z * (1.0 / 7 + z * (1.0 / 9 + z * (1.0 / 11 + z / 13)))));
  return e * 0.6931471805599453 + 2 * s * series;
}

export function softmaxTask(at: usize, task: i32): void {
  const p = changetype<Rows>(at);
  const end = min(p.rows, (task + 1) * p.rowsOfTask);
  const step = <usize>p.columns << 2;
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const row = p.x + <usize>i * step, to = p.out + <usize>i * step;
    const sum = sumOfExponentials(row, p.columns, largest(row, p.columns), to);
    scaleRow(to, p.columns, <f32>(1 / sum));
  }
}

/** Of `x`, the softmax: `x · (dy - Σ dy · x)`. */
export function softmaxGradientTask(at: usize, task: i32): void {
  const p = changetype<Rows>(at);
  const end = min(p.rows, (task + 1) * p.rowsOfTask);
  const step = <usize>p.columns << 2;
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const y = p.x + <usize>i * step, dy = p.dy + <usize>i * step, to = p.out + <usize>i * step;
    let s0 = f64x2.splat(0), s1 = s0, c: usize = 0;
    for (; c + 16 <= step; c += 16) {
      const along = f32x4.mul(v128.load(y + c), v128.load(dy + c));
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(along));
      s1 = f64x2.add(s1, high(along));
    }
    s0 = f64x2.add(s0, s1);
    let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
    for (; c < step; c += 4) sum += <f64>(load<f32>(y + c) * load<f32>(dy + c));
    const sums = f32x4.splat(<f32>sum);
    for (c = 0; c + 16 <= step; c += 16) {
      v128.store(to + c, f32x4.mul(v128.load(y + c), f32x4.sub(v128.load(dy + c), sums)));
    }
    for (; c < step; c += 4) store<f32>(to + c, load<f32>(y + c) * (load<f32>(dy + c) - <f32>sum));
  }
}

/** `log Σ exp(z - top) - (1 - ε) (z[label] - top) - ε mean(z - top)`; NaN for a label out of range. */
export function crossEntropyTask(at: usize, task: i32): void {
  const p = changetype<Rows>(at);
  const end = min(p.rows, (task + 1) * p.rowsOfTask);
  const step = <usize>p.columns << 2;
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const row = p.x + <usize>i * step;
    const label = load<i32>(p.labels + (<usize>i << 2));
    let loss: f64 = NaN;
    if (<u32>label < <u32>p.columns) {
      const top = largest(row, p.columns);
      loss = logarithm(sumOfExponentials(row, p.columns, top, 0));
      loss -= (1 - <f64>p.smoothing) * (<f64>load<f32>(row + (<usize>label << 2)) - <f64>top);
      if (p.smoothing > 0) {
        let sum: f64 = 0;
        for (let x: usize = 0; x < step; x += 4) sum += <f64>load<f32>(row + x) - <f64>top;
        loss -= (<f64>p.smoothing * sum) / <f64>p.columns;
      }
    }
    store<f32>(p.out + (<usize>i << 2), <f32>loss);
  }
}

/** `dy · (softmax(z) - (1 - ε) [label] - ε / classes)`. */
export function crossEntropyGradientTask(at: usize, task: i32): void {
  const p = changetype<Rows>(at);
  const end = min(p.rows, (task + 1) * p.rowsOfTask);
  const step = <usize>p.columns << 2;
  for (let i = task * p.rowsOfTask; i < end; i++) {
    const row = p.x + <usize>i * step, to = p.out + <usize>i * step;
    const dy = <f64>load<f32>(p.dy + (<usize>i << 2));
    const label = load<i32>(p.labels + (<usize>i << 2));
    const sum = sumOfExponentials(row, p.columns, largest(row, p.columns), to);
    const shift = <f64>p.smoothing / <f64>p.columns;
    const inside = <u32>label < <u32>p.columns;
    const place = to + (<usize>label << 2);
    const atLabel = inside ? <f64>load<f32>(place) / sum : 0;
    scaleDifferences(to, p.columns, <f32>(1 / sum), inside ? <f32>shift : NaN, <f32>dy);
    if (inside) store<f32>(place, <f32>(dy * (atLabel - (1 - <f64>p.smoothing) - shift)));
  }
}
